package model

import (
	"fmt"
	"strings"
)

// FileError is what went wrong with a database file: which file, why, and what a
// person can do about it.
type FileError struct {
	// Kind is one of the sentinels of this package, or nil.
	Kind error
	Path string
	// Detail adds what was seen; Hint says what to do next.
	Detail string
	Hint   string
	Cause  error
}

func (e *FileError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "database %q", e.Path)
	if e.Kind != nil {
		fmt.Fprintf(&b, ": %v", e.Kind)
	}
	if e.Detail != "" {
		fmt.Fprintf(&b, ": %s", e.Detail)
	}
	if e.Cause != nil {
		// DuckDB adds hints and traces below the first line.
		cause, _, _ := strings.Cut(e.Cause.Error(), "\n")
		fmt.Fprintf(&b, ": %s", strings.TrimSpace(cause))
	}
	if e.Hint != "" {
		fmt.Fprintf(&b, "; %s", e.Hint)
	}
	return b.String()
}

// Unwrap gives errors.Is both the kind and the cause.
func (e *FileError) Unwrap() []error {
	var errs []error
	if e.Kind != nil {
		errs = append(errs, e.Kind)
	}
	if e.Cause != nil {
		errs = append(errs, e.Cause)
	}
	return errs
}

// Exit returns ExitFile and the topic of Kind, unless Kind is a matter of usage or of data.
func (e *FileError) Exit() Exit {
	kind := ExitOf(e.Kind)
	if kind.Code == ExitUsage || kind.Code == ExitData {
		return kind
	}
	return Exit{ExitFile, kind.Topic}
}
