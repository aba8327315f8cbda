package dbfile

import (
	"context"
	"errors"
	"io/fs"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"datasync/internal/model"
)

// cause is a cause of errors, known by the system's error or DuckDB's text.
type cause struct {
	kind   error // nil for an error that has no kind of its own
	errors []error
	texts  []string
	hint   string
	// plain says that the kind tells as much as DuckDB's text.
	plain bool
}

// memoryTexts are the texts of DuckDB, or of the system below it, if memory ran out.
var memoryTexts = []string{"Out of Memory Error", "std::bad_alloc"}

// causes are in the order in which they are tried.
var causes = []cause{
	{kind: ErrFull, texts: []string{"No space left", "disk is full", "failed to offload data block"},
		hint: "free some space and run the command again; what was committed is kept"},
	{kind: ErrAccess, errors: []error{fs.ErrPermission, syscall.EROFS}, texts: []string{"Permission denied", "Read-only file system"},
		hint: "the file and its folder must be writable for a pull, readable for a query"},
	{kind: ErrMemory, texts: memoryTexts,
		hint: "free some memory and run the command again; what was committed is kept"},
	{kind: ErrLimit, errors: []error{syscall.EFBIG, syscall.EMFILE}, texts: []string{"File too large", "Too many open files"},
		hint: "raise it (ulimit -a shows the limits) and run the command again; what was committed is kept"},
	{errors: []error{syscall.EIO}, texts: []string{"Input/output error", "fsync failed"},
		hint: "the disk fails, see the system's log; what was committed is kept"},
	{kind: ErrForeign, texts: []string{"not a valid DuckDB database"}, plain: true,
		hint: "name another file with --db"},
	{kind: ErrNewer, texts: []string{"version number"},
		hint: "update datasync"},
	{kind: ErrLog, texts: []string{"replaying WAL"},
		hint: restoreLogHint},
	{kind: ErrDamaged, texts: []string{"Corrupt", "checksum", "Could not read enough bytes", "Serialization Error"},
		hint: RestoreHint},
}

// interrupted is DuckDB's text for a statement whose context ended while it ran. The driver returns it in
// place of the context's error.
const interrupted = "INTERRUPT Error"

// lockHolder finds the process that DuckDB names in its lock error.
var lockHolder = regexp.MustCompile(`(?:held in (.+) \()?PID (\d+)`)

// Translate turns an error of DuckDB or the system about the file at path into a
// *model.FileError. It returns nil, a *model.FileError and ErrZone unchanged, and context.Canceled for a
// statement that was interrupted. No other function classifies errors by the driver's texts.
func Translate(path string, err error) error {
	var known *model.FileError
	if err == nil || errors.As(err, &known) || errors.Is(err, ErrZone) {
		return err
	}
	text := err.Error()
	if strings.Contains(text, interrupted) {
		return context.Canceled
	}
	if strings.Contains(text, "Could not set lock") || strings.Contains(text, "Conflicting lock") {
		return locked(path, text)
	}
	for _, c := range causes {
		if !c.of(err, text) {
			continue
		}
		e := &model.FileError{Kind: c.kind, Path: path, Cause: err, Hint: c.hint}
		if c.plain {
			e.Cause = nil
		}
		return e
	}
	return &model.FileError{Path: path, Cause: err}
}

// of reports whether the error with that text has the cause.
func (c *cause) of(err error, text string) bool {
	return slices.ContainsFunc(c.errors, func(e error) bool { return errors.Is(err, e) }) || containsAny(text, c.texts)
}

// locked is the error for a file that another process has open.
func locked(path, text string) error {
	detail := "another process has it open"
	if m := lockHolder.FindStringSubmatch(text); m != nil {
		pid, _ := strconv.Atoi(m[2])
		detail = (&Holder{PID: pid, Command: m[1]}).Name() + " has it open"
	}
	return &model.FileError{Kind: ErrLocked, Path: path, Detail: detail, Hint: "wait for it to end"}
}

// IsOutOfMemory reports whether DuckDB's text says that memory ran out.
func IsOutOfMemory(text string) bool { return containsAny(text, memoryTexts) }

func containsAny(text string, parts []string) bool {
	return slices.ContainsFunc(parts, func(part string) bool { return strings.Contains(text, part) })
}

// OneLine returns the first line of an error text: DuckDB writes hints and traces below it.
func OneLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	return strings.TrimSpace(s)
}
