package store

import (
	"context"
	"errors"
	"os"
	"time"

	"datasync/internal/dbfile"
	"datasync/internal/duck"
	"datasync/internal/inspect"
	"datasync/internal/model"
)

// Preflight is a database file as a pull would find it, or the path of one that does not exist yet. As
// long as it is open no pull begins, but other processes may read the file. Only SetNotBefore
// changes the file.
type Preflight struct {
	path, origin string
	exists       bool
	lock         *dbfile.SharedLock // nil if there is no file, and after Close

	windows []model.Checkpoint
	held    int64
	opens   map[string]time.Time
	bytes   int64

	forget                 bool
	implausible, forgotten []inspect.Wait
}

// OpenPreflight reads the file that Open would open with the options. It fails as Open would, and with
// dbfile.ErrOlder for a file of an older schema. It creates no file. The caller closes it.
func OpenPreflight(ctx context.Context, opts Options) (_ *Preflight, err error) {
	path, exists, err := dbfile.Resolve(opts.Path)
	if err != nil {
		return nil, err
	}
	p := &Preflight{path: path, origin: opts.Origin, exists: exists, forget: opts.ForgetWaits}
	if !exists {
		return p, nil
	}
	p.lock, err = dbfile.WithLockRetry(ctx, path, func() (*dbfile.SharedLock, error) { return dbfile.ShareLock(path) })
	if err != nil {
		return nil, err
	}
	if err := p.read(ctx); err != nil {
		return nil, errors.Join(dbfile.Translate(path, err), p.Close())
	}
	return p, nil
}

func (p *Preflight) read(ctx context.Context) (err error) {
	if _, err := inspect.CheckOurs(ctx, p.path, p.origin); err != nil {
		return err
	}
	db, err := inspect.OpenReadOnly(ctx, p.path, "UTC")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	meta, err := inspect.ReadCurrentMeta(ctx, db, p.path)
	if err != nil {
		return err
	}
	if p.windows, err = inspect.ReadWindows(ctx, db); err != nil {
		return err
	}
	if p.held, err = inspect.CountHeld(ctx, db); err != nil {
		return err
	}
	if meta["origin"] == p.origin {
		// Waits that another API asked for do not apply.
		noted, err := p.lock.ReadNotes()
		if err != nil {
			return err
		}
		now := time.Now()
		w, err := inspect.ReadWaits(p.path, meta, noted, now)
		if err != nil {
			return err
		}
		p.opens, p.implausible = w.Opens, w.Implausible
		if p.forget {
			p.opens, p.forgotten = nil, inspect.SortedWaits(inspect.StillOpen(w.Opens, now))
		}
	}
	for _, name := range []string{p.path, p.path + ".wal"} {
		if info, err := os.Stat(name); err == nil {
			p.bytes += info.Size()
		}
	}
	return nil
}

// Exists reports whether there is a file.
func (p *Preflight) Exists() bool { return p.exists }

// Bytes is the size of the file and its write-ahead log.
func (p *Preflight) Bytes() int64 { return p.bytes }

// Windows is Store.Windows as of when it was opened.
func (p *Preflight) Windows(context.Context) ([]model.Checkpoint, error) { return p.windows, nil }

// Held is Store.Held as of when it was opened.
func (p *Preflight) Held(context.Context) (int64, error) { return p.held, nil }

// ImplausibleWaits returns the waits in the file that are ignored because no endpoint can have asked
// for them. The next pull drops them.
func (p *Preflight) ImplausibleWaits() []inspect.Wait { return p.implausible }

// ForgottenWaits returns the waits that are not over and are ignored because of Options.ForgetWaits.
// They stay in the file.
func (p *Preflight) ForgottenWaits() []inspect.Wait { return p.forgotten }

// NotBefore is Store.NotBefore as of when it was opened.
func (p *Preflight) NotBefore(context.Context) (map[string]time.Time, error) { return p.opens, nil }

// SetNotBefore is Store.SetNotBefore, for which it opens the file. Without a file it stores nothing.
func (p *Preflight) SetNotBefore(ctx context.Context, endpoint string, wait time.Duration) error {
	if !p.exists {
		return nil
	}
	asked := time.Now()
	db, err := duck.OpenToWrite(ctx, p.path)
	if err != nil {
		return dbfile.Translate(p.path, err)
	}
	s := &Store{path: p.path, db: db}
	_, err = s.takeOrigin(ctx, p.origin)
	if err == nil {
		err = s.SetNotBefore(ctx, endpoint, wait-time.Since(asked))
	}
	return errors.Join(err, dbfile.Translate(p.path, s.Close()))
}

// Close releases the lock, so that pulls may begin.
func (p *Preflight) Close() error {
	if p.lock == nil {
		return nil
	}
	lock := p.lock
	p.lock = nil
	return lock.Release()
}
