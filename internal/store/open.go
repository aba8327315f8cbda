package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"time"

	"datasync/internal/dbfile"
	"datasync/internal/duck"
	"datasync/internal/failpoint"
	"datasync/internal/inspect"
	"datasync/internal/model"
)

// Options says which file to open and for whom.
type Options struct {
	// Path is the database file.
	Path string
	// Origin is the API origin whose events the file holds, in lower case, such as
	// "http://example.com:80". A file with another origin is refused.
	Origin string
	// ToolVersion is stored in meta and runs.
	ToolVersion string
	// MemoryLimit bounds DuckDB's buffers in bytes, as long as no text is long; 0 is DuckDB's
	// default.
	MemoryLimit int64
	// ForgetWaits drops all waits that endpoints asked for in earlier runs.
	ForgetWaits bool
	// Tally, if not nil, is called for each batch; the result gets the events that the batch stores. Two batches
	// may be added up concurrently.
	Tally func() model.Tally
}

// Open locks the file and opens it for writing. It creates the file if there is none. It changes
// nothing before it has checked that the file is ours and of opts.Origin. It fails with a
// *model.FileError of dbfile's kinds ErrPath, ErrLocked, ErrForeign, ErrOrigin, ErrNewer, ErrFull,
// ErrUntrustedNeighbour, ErrDamaged or ErrUnsound. The caller closes the store.
func Open(ctx context.Context, opts Options) (_ *Store, err error) {
	path, exists, err := dbfile.Resolve(opts.Path)
	if err != nil {
		return nil, err
	}
	s := &Store{path: path, version: opts.ToolVersion, free: dbfile.FreeBytes, search: defaultLimits(), tally: opts.Tally}
	if s.lock, err = dbfile.WithLockRetry(ctx, path, func() (*dbfile.Lock, error) { return dbfile.AcquireLock(path) }); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(dbfile.Translate(path, err), s.Close())
		}
	}()
	if err = dbfile.RemoveLeftovers(path); err != nil {
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
	if s.db, err = duck.OpenToWrite(ctx, path); err != nil {
		return nil, err
	}
	if s.opened.file, err = os.Stat(path); err != nil {
		return nil, err
	}
	return s, s.prepare(ctx, opts)
}

// prepare configures the instance and reads the state of the file.
func (s *Store) prepare(ctx context.Context, opts Options) error {
	// Only the threads of the writers insert rows: DuckDB's own would only spin. With two threads
	// DuckDB compresses whole row groups while it inserts them, if they need not stay in order.
	// With one it compresses them during the commit.
	_, err := s.db.ExecContext(ctx, fmt.Sprintf("SET GLOBAL threads = %d; SET GLOBAL external_threads = %d; SET GLOBAL preserve_insertion_order = false", model.Writers, model.Writers))
	if err != nil {
		return err
	}
	if err := duck.SetTimeZone(ctx, s.db, "UTC"); err != nil {
		return err
	}
	meta, err := s.takeOrigin(ctx, opts.Origin)
	if err != nil {
		return err
	}
	if meta["origin"] == opts.Origin {
		w, err := inspect.ReadWaits(s.path, meta, s.lock.Left(), time.Now())
		if err != nil {
			return err
		}
		s.opened.implausible = w.Implausible
		if opts.ForgetWaits {
			err = s.forgetWaits(ctx, &w)
		} else {
			err = s.adoptWaits(ctx, &w)
		}
		if err != nil {
			return err
		}
	}
	for _, ended := range inspect.ReadEndings(s.lock.Left()) {
		if err := s.endRun(ctx, ended); err != nil {
			return err
		}
	}
	if err := s.lock.Forget(); err != nil {
		return err
	}
	if err := s.removeUncommitted(ctx); err != nil {
		return err
	}
	if err := s.memory.start(ctx, s.db, opts.MemoryLimit, meta); err != nil {
		return err
	}
	if err := s.openWriters(); err != nil {
		return err
	}
	err = s.db.QueryRowContext(ctx, "SELECT coalesce(max(batch), 0) FROM page_log").Scan(&s.batch)
	s.batches.begun, s.opened.batch = s.batch, s.batch
	return err
}

// openWriters connects the writers. Close closes them, even after an error.
func (s *Store) openWriters() error {
	s.batches.idle = make(chan *writer, model.Writers)
	for n := range model.Writers {
		w, err := newWriter(s.path, n)
		if w != nil {
			s.writers = append(s.writers, w)
		}
		if err != nil {
			return err
		}
		s.batches.idle <- w
	}
	s.writer = s.writers[0]
	_, err := s.writer.exec("CREATE TEMP TABLE copies (copy BIGINT, batch BIGINT, checksum BIGINT)")
	return err
}

// takeOrigin sets the origin of a file in which nothing is stored yet, and drops the waits that the
// old origin asked for. It returns meta as it was before.
func (s *Store) takeOrigin(ctx context.Context, origin string) (map[string]string, error) {
	meta, err := inspect.ReadMeta(ctx, s.db)
	if err != nil || meta["origin"] == origin {
		return meta, err
	}
	return meta, s.inTransaction(ctx, func(tx *sql.Tx) error {
		_, err1 := tx.ExecContext(ctx, "UPDATE meta SET value = ? WHERE key = 'origin'", origin)
		_, err2 := tx.ExecContext(ctx, "DELETE FROM meta WHERE starts_with(key, ?)", inspect.NotBeforeKey)
		return errors.Join(err1, err2)
	})
}

// Close closes the file, which replays its log into it, and releases the lock. It waits for batches
// that were started.
func (s *Store) Close() error {
	s.writeGate.Lock()
	defer s.writeGate.Unlock()
	return errors.Join(s.closeInstance(), s.unlock())
}

// closeInstance closes the file and keeps the lock. The write gate is held.
func (s *Store) closeInstance() error {
	for _, w := range s.writers {
		w.close()
	}
	var err error
	if s.db != nil {
		failpoint.Hit("f12")
		failpoint.Soon("f11") // the last one to close an instance checkpoints
		err = s.db.Close()
		failpoint.Hit("f12")
		s.db = nil
	}
	for _, w := range s.writers {
		w.forget()
	}
	s.writers, s.writer = nil, nil
	return err
}

// unlock releases the lock. The write gate is held.
func (s *Store) unlock() error {
	if s.lock == nil {
		return nil
	}
	lock := s.lock
	s.lock = nil
	return lock.Release()
}
