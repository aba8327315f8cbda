package dbfile

import (
	"errors"
	"fmt"
)

// The kinds of errors about a database file, to be tested with errors.Is.
var (
	// ErrPath: the path cannot name a database file.
	ErrPath = errors.New("unusable database path")
	// ErrMissing: there is no file at the path.
	ErrMissing = errors.New("database does not exist")
	// ErrLocked: another process has the file open.
	ErrLocked = errors.New("database is locked")
	// ErrForeign: the file is no database of datasync.
	ErrForeign = errors.New("not a datasync database")
	// ErrOrigin: the file holds the events of another API.
	ErrOrigin = errors.New("database of another API origin")
	// ErrNewer: the file's schema is newer than this program.
	ErrNewer = errors.New("database of a newer version")
	// ErrOlder: the file's schema is too old for the report.
	ErrOlder = errors.New("database of an older version")
	// ErrFull: the disk is full.
	ErrFull = errors.New("disk is full")
	// ErrRoom: there is too little disk space for a copy of the file.
	ErrRoom = errors.New("too little disk space for a copy")
	// ErrUnreplayed: the file cannot be read before its write-ahead log is replayed, which
	// writes to the file.
	ErrUnreplayed = errors.New("database has a write-ahead log that must be replayed first")
	// ErrDamaged: the file or its write-ahead log cannot be read.
	ErrDamaged = errors.New("database is damaged")
	// ErrLog is ErrDamaged for a write-ahead log that cannot be replayed.
	ErrLog = fmt.Errorf("%w: its write-ahead log cannot be replayed", ErrDamaged)
	// ErrAccess: this user may not read or write the file, or its file system is read-only.
	ErrAccess = errors.New("no access")
	// ErrBeside: a file beside the database is neither of this user nor of the database's owner.
	ErrBeside = errors.New("a file beside it is not to be trusted")
	// ErrMemory: DuckDB has too little memory.
	ErrMemory = errors.New("too little memory")
	// ErrLimit: a limit of the process is reached, such as that of the size of files.
	ErrLimit = errors.New("a limit of this process is reached")
	// ErrZone: DuckDB does not know the time zone.
	ErrZone = errors.New("unknown time zone")
	// ErrUnsound: the file can be read, but its tables contradict each other.
	ErrUnsound = errors.New("database does not agree with its own records")
)

// RestoreHint is the hint for a damaged file, and restoreLogHint for a damaged log: without its
// log the file has the events of some commits ago.
const (
	RestoreHint    = "restore a copy, or move the file away and pull again"
	restoreLogHint = "restore a copy, or move its .wal file away and pull again: the next pull fetches its events"
)
