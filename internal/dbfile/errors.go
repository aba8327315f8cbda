package dbfile

import (
	"errors"
	"io/fs"
	"regexp"
	"strings"
	"syscall"

	"datasync/internal/model"
)

// The states of a database file that others test for with errors.Is.
var (
	// ErrPath: the path cannot name a database file.
	ErrPath = model.NewFailure(model.ExitUsage, "", "unusable database path")
	// ErrMissing: there is no file at the path.
	ErrMissing = model.NewFailure(model.ExitFile, "no-file", "database does not exist")
	// ErrLocked: another process has the file open.
	ErrLocked = model.NewFailure(model.ExitFile, "locked", "database is locked")
	// ErrForeign: the file is something else than a datasync database.
	ErrForeign = model.NewFailure(model.ExitFile, "not-ours", "not a datasync database")
	// ErrOrigin: the file holds the events of another API.
	ErrOrigin = model.NewFailure(model.ExitFile, "other-api", "database of another API origin")
	// ErrNewer: the file's schema is newer than this program.
	ErrNewer = model.NewFailure(model.ExitFile, "other-version", "database of a newer version")
	// ErrOlder: the file's schema lacks what this program wants to read.
	ErrOlder = model.NewFailure(model.ExitFile, "other-version", "database of an older version")
	// ErrFull: the disk is full.
	ErrFull = model.NewFailure(model.ExitFile, "disk-full", "disk is full")
	// ErrRoom: there is too little disk space for a copy of the file.
	ErrRoom = model.NewFailure(model.ExitFile, "disk-full", "too little disk space for a copy")
	// ErrUnreplayed: the file cannot be read before its write-ahead log is replayed,
	// which writes to it.
	ErrUnreplayed = model.NewFailure(model.ExitFile, "damaged-log", "database has a write-ahead log that must be replayed first")
	// ErrDamaged: the file or its WAL cannot be read as it should.
	ErrDamaged = model.NewFailure(model.ExitFile, "damaged", "database is damaged")
	// ErrLog is ErrDamaged where it is the write-ahead log that cannot be read.
	ErrLog = model.SubFailure(ErrDamaged, model.ExitFile, "damaged-log", "the write-ahead log cannot be replayed")
	// ErrAccess: this user may not do that with the file, or nobody may.
	ErrAccess = model.NewFailure(model.ExitFile, "no-access", "no access")
	// ErrBeside: something beside the file is not what this user, or whoever owns the file,
	// would have put there.
	ErrBeside = model.NewFailure(model.ExitFile, "untrusted", "a file beside it is not to be trusted")
	// ErrMemory: DuckDB has too little memory.
	ErrMemory = model.NewFailure(model.ExitError, "memory", "too little memory")
	// ErrLimit: a limit of the process is reached, such as that of the size of files.
	ErrLimit = model.NewFailure(model.ExitFile, "limits", "a limit of this process is reached")
	// ErrZone: DuckDB does not know the time zone.
	ErrZone = model.NewFailure(model.ExitUsage, "", "DuckDB knows no time zone of that name")
	// ErrUnsound: the file can be read, but its tables contradict each other.
	ErrUnsound = model.NewFailure(model.ExitData, "unsound", "database does not agree with its own records")
)

// RestoreHint is the hint where a file is damaged, and restoreLog where only its log is: what
// stands in the file without the log is what was stored some commits ago.
const (
	RestoreHint    = "restore a copy, or move the file away and pull again"
	restoreLogHint = "restore a copy, or move its .wal file away and pull again: the next pull gets what was in it"
)

// lockHolder finds the process that DuckDB names in its lock error.
var lockHolder = regexp.MustCompile(`PID (\d+)`)

// Translate turns a DuckDB error about the file at path into an *Error; this is
// the only place that reads the driver's texts.
func Translate(path string, err error) error {
	if err == nil {
		return nil
	}
	var known *model.FileError
	if errors.As(err, &known) || errors.Is(err, ErrZone) {
		return err
	}
	text := err.Error()
	switch {
	case strings.Contains(text, "Could not set lock") || strings.Contains(text, "Conflicting lock"):
		detail := "another process has it open"
		if m := lockHolder.FindStringSubmatch(text); m != nil {
			detail = "process " + m[1] + " has it open"
		}
		return &model.FileError{Kind: ErrLocked, Path: path, Detail: detail, Hint: "wait for it to end"}
	case strings.Contains(text, "No space left") || strings.Contains(text, "disk is full") || strings.Contains(text, "failed to offload data block"):
		return &model.FileError{Kind: ErrFull, Path: path, Cause: err, Hint: "free some space and run the command again; what was committed is kept"}
	case errors.Is(err, fs.ErrPermission) || errors.Is(err, syscall.EROFS) || strings.Contains(text, "Permission denied") || strings.Contains(text, "Read-only file system"):
		return &model.FileError{Kind: ErrAccess, Path: path, Cause: err, Hint: "the file and its folder must be writable for a pull, readable for a query"}
	case IsOutOfMemory(text):
		return &model.FileError{Kind: ErrMemory, Path: path, Cause: err, Hint: "have more memory free and run the command again; what was committed is kept"}
	case errors.Is(err, syscall.EFBIG) || errors.Is(err, syscall.EMFILE) || strings.Contains(text, "File too large") || strings.Contains(text, "Too many open files"):
		return &model.FileError{Kind: ErrLimit, Path: path, Cause: err, Hint: "raise it (ulimit -a shows them) and run the command again; what was committed is kept"}
	case errors.Is(err, syscall.EIO) || strings.Contains(text, "Input/output error") || strings.Contains(text, "fsync failed"):
		return &model.FileError{Path: path, Cause: err, Hint: "the disk fails, see the system's log; what was committed is kept"}
	case strings.Contains(text, "not a valid DuckDB database"):
		return &model.FileError{Kind: ErrForeign, Path: path, Hint: "name another file with --db"}
	case strings.Contains(text, "version number"):
		return &model.FileError{Kind: ErrNewer, Path: path, Cause: err, Hint: "update datasync"}
	case strings.Contains(text, "replaying WAL"):
		return &model.FileError{Kind: ErrLog, Path: path, Cause: err, Hint: restoreLogHint}
	case strings.Contains(text, "Corrupt") || strings.Contains(text, "checksum") || strings.Contains(text, "Could not read enough bytes") ||
		strings.Contains(text, "Serialization Error"):
		return &model.FileError{Kind: ErrDamaged, Path: path, Cause: err, Hint: RestoreHint}
	}
	return &model.FileError{Path: path, Cause: err}
}

// IsOutOfMemory reports whether DuckDB, or the system below it, says that memory ran out.
func IsOutOfMemory(text string) bool {
	return strings.Contains(text, "Out of Memory Error") || strings.Contains(text, "std::bad_alloc")
}

// OneLine keeps an error text to its first line: DuckDB adds hints and traces below.
func OneLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	return strings.TrimSpace(s)
}
