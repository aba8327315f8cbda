package model

import (
	"fmt"
	"slices"
	"strings"
)

// Line returns the text of an error on one line. Errors that were joined follow a semicolon, and the same
// text appears once.
func Line(err error) string {
	var parts []string
	for part := range strings.SplitSeq(err.Error(), "\n") {
		if !slices.Contains(parts, part) {
			parts = append(parts, part)
		}
	}
	return strings.Join(parts, "; ")
}

// FileError is an error of a database file: which file, what happened, and what to do about it. It wraps
// Kind and Cause.
type FileError struct {
	// Kind is a sentinel for errors.Is, such as dbfile.ErrLocked, or nil.
	Kind error
	Path string
	// Detail describes the finding, Hint says what to do next.
	Detail string
	Hint   string
	Cause  error
}

// Error returns one line.
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
		// DuckDB adds hints and traces after the first line.
		cause, _, _ := strings.Cut(e.Cause.Error(), "\n")
		fmt.Fprintf(&b, ": %s", strings.TrimSpace(cause))
	}
	if e.Hint != "" {
		fmt.Fprintf(&b, "; %s", e.Hint)
	}
	return b.String()
}

// Unwrap returns the kind and the cause.
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
