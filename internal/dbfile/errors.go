package dbfile

import "datasync/internal/model"

// The kinds of errors about a database file, to be tested with errors.Is.
var (
	// ErrPath: the path cannot name a database file.
	ErrPath = model.NewFailure(model.ExitUsage, "", "unusable database path")
	// ErrMissing: there is no file at the path.
	ErrMissing = model.NewFailure(model.ExitFile, "no-file", "database does not exist")
	// ErrLocked: another process has the file open.
	ErrLocked = model.NewFailure(model.ExitFile, "locked", "database is locked")
	// ErrForeign: the file is not a database of datasync.
	ErrForeign = model.NewFailure(model.ExitFile, "not-ours", "not a datasync database")
	// ErrOrigin: the file holds the events of another API.
	ErrOrigin = model.NewFailure(model.ExitFile, "other-api", "database of another API origin")
	// ErrNewer: the file's schema is newer than this program.
	ErrNewer = model.NewFailure(model.ExitFile, "other-version", "database of a newer version")
	// ErrOlder: the file's schema is too old for the report.
	ErrOlder = model.NewFailure(model.ExitFile, "other-version", "database of an older version")
	// ErrFull: the disk is full.
	ErrFull = model.NewFailure(model.ExitFile, "disk-full", "disk is full")
	// ErrNoRoomForCopy: there is too little disk space for a copy of the file.
	ErrNoRoomForCopy = model.NewFailure(model.ExitFile, "disk-full", "too little disk space for a copy")
	// ErrNoRoomForExport: there is too little disk space for the files of an export to another machine.
	ErrNoRoomForExport = model.NewFailure(model.ExitFile, "disk-full", "too little disk space beside it for the files of an export")
	// ErrUnreplayed: the file cannot be read before its write-ahead log is replayed, which
	// writes to the file.
	ErrUnreplayed = model.NewFailure(model.ExitFile, "damaged-log", "database has a write-ahead log that must be replayed first")
	// ErrDamaged: the file or its write-ahead log cannot be read.
	ErrDamaged = model.NewFailure(model.ExitFile, "damaged", "database is damaged")
	// ErrLog is ErrDamaged for a write-ahead log that cannot be replayed.
	ErrLog = model.SubFailure(ErrDamaged, model.ExitFile, "damaged-log", "its write-ahead log cannot be replayed")
	// ErrAccess: this user may not read or write the file, or its file system is read-only.
	ErrAccess = model.NewFailure(model.ExitFile, "no-access", "no access")
	// ErrUntrustedNeighbour: a file beside the database is neither of this user nor of the database's owner.
	ErrUntrustedNeighbour = model.NewFailure(model.ExitFile, "untrusted", "a file beside it is not trusted")
	// ErrMemory: DuckDB has too little memory.
	ErrMemory = model.NewFailure(model.ExitError, "memory", "too little memory")
	// ErrLimit: a limit of the process is reached, such as that of the size of files.
	ErrLimit = model.NewFailure(model.ExitFile, "limits", "a limit of this process is reached")
	// ErrZone: DuckDB does not know the time zone.
	ErrZone = model.NewFailure(model.ExitUsage, "", "unknown time zone")
	// ErrUnsound: the file can be read, but its tables contradict each other.
	ErrUnsound = model.NewFailure(model.ExitData, "unsound", "database does not agree with its own records")
)

// RestoreHint is the hint for a damaged file, and restoreLogHint for a damaged log: without its
// log the file has the events of some commits ago.
const (
	RestoreHint    = "restore a copy, or move the file away and pull again"
	restoreLogHint = "restore a copy, or move its .wal file away and pull again: the next pull fetches its events"
)
