package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"datasync/internal/failpoint"
	"datasync/internal/model"

	_ "github.com/duckdb/duckdb-go/v2" // registers the driver
)

// SchemaVersion is the newest schema that this program knows: the number of
// embedded migrations, each of which brings a file from the schema before to its
// own.
const SchemaVersion = 5

// application is what meta says of a file that is ours.
const application = "datasync"

type setting struct{ name, value string }

// closedWorld keeps an instance from anything but its own file: no other file,
// no extension from elsewhere, no network.
var closedWorld = []setting{
	{"enable_external_access", "false"},
	{"autoinstall_known_extensions", "false"},
	{"autoload_known_extensions", "false"},
	{"allow_community_extensions", "false"},
	{"allow_persistent_secrets", "false"},
}

// storageFormat is that of a new file: DuckDB 1.3 and later read it. Only since then
// has it one way of compression that fits both texts which repeat and texts which do not.
var storageFormat = setting{"storage_compatibility_version", "v1.3.0"}

// Options says which file to open and for whom.
type Options struct {
	// Path is the database file.
	Path string
	// Origin is the API origin whose events the file holds, in small letters, such as
	// "http://example.com:80". A new file takes it on; an old one must agree.
	Origin string
	// ToolVersion goes into meta and runs.
	ToolVersion string
	// MemoryLimit bounds DuckDB's buffers in bytes, as long as no text is long; 0 leaves
	// DuckDB's default.
	MemoryLimit int64
	// ForgetWaits drops all waits that endpoints asked for in earlier runs.
	ForgetWaits bool
}

// Store is a database file that is open for writing. Its methods may be called
// from one goroutine at a time, but for SetNotBefore, Snapshot, Changes and Status,
// which may be called from any.
type Store struct {
	path    string
	version string
	file    os.FileInfo // as it was opened
	lock    *fileLock
	db      *sql.DB
	// writer is the first of the writers that batches share; all but batches use it alone.
	writer  *writer
	writers []*writer
	idle    chan *writer // those that no batch has
	// beside is held by what writes beside batches: two that change one row would fail.
	beside sync.Mutex
	// turn is shared by batches, which order themselves, and by what writes beside them, and
	// held by whatever else writes, and between two writes by Snapshot and Status: a
	// transaction that reads would keep DuckDB from the checkpoint of a commit, too. It
	// guards what follows.
	turn   sync.RWMutex
	batch  int64       // the last one committed
	failed atomic.Bool // something was not written: nobody knows what the file holds now
	// removed is how many events of a batch that was not committed were found and removed.
	removed int64
	// implausible and forgotten are waits that were dropped when it was opened.
	implausible, forgotten []Wait
	// begun is the number of the batch that was started last, and latest what became of it.
	begun  int64
	latest *flight
	// changes counts what was written.
	changes atomic.Int64
	// free says how many bytes a folder's file system has left.
	free   func(folder string) (int64, error)
	memory memory
	// search bounds what the closing check keeps.
	search searchLimits
}

// write keeps Snapshot and Status off until the function that it returns is called, with
// the error of what was written in *err.
func (s *Store) write(err *error) (done func()) {
	s.turn.Lock()
	return func() {
		s.wrote(*err)
		s.turn.Unlock()
	}
}

// wrote notes that something was written, or not.
func (s *Store) wrote(err error) {
	s.changes.Add(1)
	if err != nil {
		s.failed.Store(true)
	}
}

// inPlace fails where the path does not lead any more to the file that is open: what is
// written to that would be gone, or lie elsewhere.
func (s *Store) inPlace() error {
	if now, err := os.Stat(s.path); err == nil && os.SameFile(s.file, now) {
		return nil
	}
	return &model.FileError{Kind: ErrMissing, Path: s.path, Detail: "it was removed, renamed or replaced while the pull wrote to it",
		Hint: "put it back with its .wal file, if there is one, and run the command again"}
}

// Open locks the file and opens it for writing, and makes it where there is none.
// Nothing is changed before it is certain that the file is ours and of opts.Origin.
// It fails with an *Error of kind ErrPath, ErrLocked, ErrForeign, ErrOrigin,
// ErrNewer, ErrFull, ErrDamaged or ErrUnsound.
func Open(ctx context.Context, opts Options) (_ *Store, err error) {
	path, exists, err := Resolve(opts.Path)
	if err != nil {
		return nil, err
	}
	s := &Store{path: path, version: opts.ToolVersion, free: freeBytes, search: usualLimits()}
	if s.lock, err = patiently(ctx, path, func() (*fileLock, error) { return acquireLock(path) }); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(translate(path, err), s.Close())
		}
	}()
	if err = removeLeftovers(path); err != nil {
		return nil, err
	}
	if exists {
		err = update(ctx, path, opts)
	} else {
		err = create(ctx, path, opts)
	}
	if err != nil {
		return nil, err
	}
	if s.db, err = openToWrite(ctx, path); err != nil {
		return nil, err
	}
	if s.file, err = os.Stat(path); err != nil {
		return nil, err
	}
	return s, s.prepare(ctx, opts)
}

// prepare sets the instance up and reads where it stands.
func (s *Store) prepare(ctx context.Context, opts Options) error {
	// Rows are inserted by the threads of the writers alone. Other ones would have no work
	// but to spin, but with two threads in all DuckDB compresses whole row groups while they
	// are inserted, if they need not stay in order; with one it does so during the commit.
	_, err := s.db.ExecContext(ctx, fmt.Sprintf("SET GLOBAL threads = %d; SET GLOBAL external_threads = %d; SET GLOBAL preserve_insertion_order = false", model.Writers, model.Writers))
	if err != nil {
		return err
	}
	if err := setTimeZone(ctx, s.db, "UTC"); err != nil {
		return err
	}
	meta, err := s.takeOrigin(ctx, opts.Origin)
	if err != nil {
		return err
	}
	if meta["origin"] == opts.Origin {
		if err := s.takeOver(ctx, meta, opts.ForgetWaits); err != nil {
			return err
		}
	}
	s.lock.left = ""
	if err := s.removeUncommitted(ctx); err != nil {
		return err
	}
	if err := s.limitMemory(ctx, opts.MemoryLimit, meta); err != nil {
		return err
	}
	s.idle = make(chan *writer, model.Writers)
	for n := range model.Writers {
		w, err := newWriter(s.path, n)
		if w != nil {
			s.writers = append(s.writers, w)
		}
		if err != nil {
			return err
		}
		s.idle <- w
	}
	s.writer = s.writers[0]
	if _, err := s.writer.exec("CREATE TEMP TABLE copies (copy BIGINT, batch BIGINT, checksum BIGINT)"); err != nil {
		return err
	}
	err = s.db.QueryRowContext(ctx, "SELECT coalesce(max(batch), 0) FROM page_log").Scan(&s.batch)
	s.begun = s.batch
	return err
}

// takeOrigin gives a file in which nothing is stored yet to another origin; what
// the old one asked for does not concern it. It returns what meta had before.
func (s *Store) takeOrigin(ctx context.Context, origin string) (map[string]string, error) {
	meta, err := readMeta(ctx, s.db)
	if err != nil || meta["origin"] == origin {
		return meta, err
	}
	return meta, s.inTransaction(ctx, func(tx *sql.Tx) error {
		_, err1 := tx.ExecContext(ctx, "UPDATE meta SET value = ? WHERE key = 'origin'", origin)
		_, err2 := tx.ExecContext(ctx, "DELETE FROM meta WHERE starts_with(key, ?)", notBeforeKey)
		return errors.Join(err1, err2)
	})
}

// Path returns the file's absolute path.
func (s *Store) Path() string { return s.path }

// Close closes the file, which writes its log into it, and lets go of the lock.
func (s *Store) Close() error {
	s.turn.Lock()
	defer s.turn.Unlock()
	for _, w := range s.writers {
		w.close()
	}
	var errs []error
	if s.db != nil {
		failpoint.Hit("f12")
		failpoint.Soon("f11") // the last one to close an instance checkpoints
		errs = append(errs, s.db.Close())
		failpoint.Hit("f12")
		s.db = nil
	}
	for _, w := range s.writers {
		w.forget()
	}
	s.writers, s.writer = nil, nil
	if s.lock != nil {
		errs = append(errs, s.lock.release())
		s.lock = nil
	}
	return errors.Join(errs...)
}

// ReadOptions says how a file is opened for reading.
type ReadOptions struct {
	// Timezone is that in which times show and days begin, an IANA name; empty is UTC.
	Timezone string
	// Writable are files, and WritableFolder is a folder, that statements may write, as
	// absolute paths; TempFolder is where what does not fit into memory may go. Without
	// them nothing on disk is written.
	Writable                   []string
	WritableFolder, TempFolder string
	// MemoryLimit bounds DuckDB's buffers, as DuckDB writes sizes; empty leaves its default.
	MemoryLimit string
}

// OpenReadOnly opens the file for reading and for nothing else: no writing, no
// other file, no network, no change of settings. All times show in timezone, an
// IANA name. The caller closes it.
func OpenReadOnly(ctx context.Context, name, timezone string) (*sql.DB, error) {
	_, db, err := openToRead(ctx, name, ReadOptions{Timezone: timezone}, func(string) error { return nil })
	return db, err
}

// openToRead also returns the file's absolute path. It calls prepare with it while
// settings can still be changed.
func openToRead(ctx context.Context, name string, opts ReadOptions, prepare func(path string) error) (string, *sql.DB, error) {
	path, exists, err := Resolve(name)
	if err != nil {
		return "", nil, err
	}
	if !exists {
		return "", nil, missing(name)
	}
	if err := checkHeader(path); err != nil {
		return "", nil, whyUnreadable(path, err)
	}
	db, err := patiently(ctx, path, func() (*sql.DB, error) { return openInstance(ctx, path, openToBeClosed()) })
	if err != nil {
		return "", nil, whyUnreadable(path, err)
	}
	_, errMeta := checkMeta(ctx, db, path, "")
	if err := errors.Join(closeWorld(ctx, db, opts), errMeta, prepare(path), lockDown(ctx, db, cmp.Or(opts.Timezone, "UTC"))); err != nil {
		return "", nil, errors.Join(translate(path, err), db.Close())
	}
	return path, db, nil
}

// openToBeClosed is closedWorld, read-only, but for the setting that keeps
// closeWorld from what it does.
func openToBeClosed() []setting {
	return append([]setting{{"access_mode", "read_only"}}, closedWorld[1:]...)
}

// closeWorld keeps an instance from all files but its own and those of the options.
// Without a folder for it, it keeps nothing else on disk, not even for a moment: a
// query that needs more memory than there is fails.
func closeWorld(ctx context.Context, db *sql.DB, opts ReadOptions) error {
	statements := []string{"SET GLOBAL temp_directory = " + quote(opts.TempFolder)}
	if opts.MemoryLimit != "" {
		statements = append(statements, "SET GLOBAL memory_limit = "+quote(opts.MemoryLimit))
	}
	if len(opts.Writable) > 0 {
		quoted := make([]string, len(opts.Writable))
		for i, path := range opts.Writable {
			quoted[i] = quote(path)
		}
		statements = append(statements, "SET GLOBAL allowed_paths = ["+strings.Join(quoted, ", ")+"]")
	}
	if opts.WritableFolder != "" {
		statements = append(statements, "SET GLOBAL allowed_directories = ["+quote(opts.WritableFolder)+"]")
	}
	statements = append(statements, "SET GLOBAL enable_external_access = false")
	if opts.TempFolder == "" && opts.WritableFolder == "" && len(opts.Writable) == 0 {
		// DuckDB still lets statements write the log of the file that it has open.
		statements = append(statements, "SET GLOBAL disabled_filesystems = 'LocalFileSystem'")
	}
	for _, statement := range statements {
		if _, err := db.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// openToWrite opens the file for writing. Whoever reads it at this moment is waited for:
// those who come later see the lock of the pull, and wait for it.
func openToWrite(ctx context.Context, path string) (*sql.DB, error) {
	return patiently(ctx, path, func() (*sql.DB, error) { return openInstance(ctx, path, closedWorld) })
}

// openInstance opens the file with the settings and sees that it can be used.
func openInstance(ctx context.Context, path string, settings []setting) (*sql.DB, error) {
	if err := checkBeside(path); err != nil {
		return nil, err
	}
	query := url.Values{}
	for _, s := range settings {
		query.Set(s.name, s.value)
	}
	db, err := sql.Open("duckdb", path+"?"+query.Encode())
	if err != nil {
		return nil, err
	}
	if err := db.PingContext(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

// setTimeZone sets that of all connections.
func setTimeZone(ctx context.Context, db *sql.DB, timezone string) error {
	_, err := db.ExecContext(ctx, "SET GLOBAL TimeZone = "+quote(timezone))
	if err != nil && strings.Contains(err.Error(), "Unknown TimeZone") {
		return fmt.Errorf("%w: %q", ErrZone, timezone)
	}
	return err
}

// lockDown sets the time zone of all connections and forbids further settings.
func lockDown(ctx context.Context, db *sql.DB, timezone string) error {
	if err := setTimeZone(ctx, db, timezone); err != nil {
		return err
	}
	_, err := db.ExecContext(ctx, "SET GLOBAL lock_configuration = true")
	return err
}

// checkOurs opens an existing file read-only, so that one that is not ours stays
// as it was to the byte, and closes it again. It returns the file's schema.
func checkOurs(ctx context.Context, path, origin string) (version int, err error) {
	if err := checkHeader(path); err != nil {
		return 0, err
	}
	db, err := patiently(ctx, path, func() (*sql.DB, error) {
		return openInstance(ctx, path, append([]setting{{"access_mode", "read_only"}}, closedWorld...))
	})
	if err != nil {
		return 0, whyUnreadable(path, err)
	}
	if version, err = checkMeta(ctx, db, path, origin); err == nil {
		err = checkWhole(ctx, db, path, version)
	}
	return version, errors.Join(err, db.Close())
}

// checkMeta refuses a file that is not ours, is newer, or is of another origin
// than the one given, if one is. It returns the file's schema.
func checkMeta(ctx context.Context, db *sql.DB, path, origin string) (version int, err error) {
	meta, err := readMeta(ctx, db)
	if err = translate(path, err); errors.Is(err, ErrDamaged) {
		return 0, err
	}
	if err != nil || meta["application"] != application {
		return 0, &model.FileError{Kind: ErrForeign, Path: path, Detail: "it is a DuckDB file of something else", Hint: "name another file with --db"}
	}
	version, err = strconv.Atoi(meta["schema_version"])
	if err != nil || version < 1 {
		return 0, &model.FileError{Kind: ErrDamaged, Path: path, Detail: fmt.Sprintf("schema version %q", meta["schema_version"])}
	}
	if version > SchemaVersion {
		return 0, &model.FileError{Kind: ErrNewer, Path: path, Hint: "update datasync",
			Detail: fmt.Sprintf("it has schema %d, this program knows up to %d", version, SchemaVersion)}
	}
	if origin == "" || meta["origin"] == origin {
		return version, nil
	}
	// What a first pull from a mistyped address left is nobody's.
	var used bool
	if err := db.QueryRowContext(ctx, "SELECT count(*) > 0 FROM page_log").Scan(&used); err != nil || used {
		return 0, &model.FileError{Kind: ErrOrigin, Path: path, Hint: "name another file with --db",
			Detail: fmt.Sprintf("it holds the events of %s, not of %s", meta["origin"], origin)}
	}
	return version, nil
}
