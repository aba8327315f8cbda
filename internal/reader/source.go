package reader

import (
	"context"
	"errors"

	"datasync/internal/dbfile"
	"datasync/internal/live"
)

// maxTries bounds how often a reader looks for something to read. The file may be locked, or
// the copy removed, between finding and opening it.
const maxTries = 3

// Source is an open database: the file itself, or a copy of a running pull.
type Source struct {
	// Copy describes the copy; it is nil for the file itself.
	Copy *live.Snapshot

	path string
	// unanswered says that the pull was asked for a copy and did not answer.
	unanswered bool
	release    func()
}

// Release tells the pull that the copy is no longer read. It must be called once, when the
// database is closed.
func (s Source) Release() { s.release() }

// Open finds the database that db names, and calls open with the path of the file or of the
// copy. Where a pull begins or ends at that moment, it calls open again with another path. It
// fails with the error of open or of Ask, except live.ErrNoPull.
func Open(ctx context.Context, db string, open func(path string) error) (Source, error) {
	for tries := 1; ; tries++ {
		src, err := find(ctx, db)
		if err != nil {
			return Source{}, err
		}
		if err = open(src.path); err == nil {
			return src, nil
		}
		src.release()
		if tries == maxTries || !src.removed(err) && !src.taken(err) {
			return Source{}, err
		}
	}
}

// Status asks the running pull for the status of the database that db names, and stores the answer
// in the value that status points to. If no pull runs, it calls read, which reads the file. asked
// reports which of the two happened.
func Status(ctx context.Context, db string, status any, read func() error) (asked bool, err error) {
	path, exists, err := dbfile.Resolve(db)
	if err != nil {
		return false, err
	}
	for tries := 1; ; tries++ {
		src := Source{path: path}
		if exists {
			err := ask(ctx, path, func() error { return live.Status(ctx, path, status) })
			if !errors.Is(err, live.ErrNoPull) {
				return true, err
			}
			src.unanswered = errors.Is(err, errUnanswered)
		}
		if err := read(); tries == maxTries || !src.taken(err) {
			return false, err
		}
	}
}

// find returns the copy of a running pull, or the file itself.
func find(ctx context.Context, db string) (Source, error) {
	file := Source{path: db, release: func() {}}
	path, exists, err := dbfile.Resolve(db)
	if err != nil || !exists {
		return file, nil // opening it gives the better error
	}
	file.path = path
	var lease *live.Lease
	err = ask(ctx, path, func() (err error) {
		lease, err = live.Borrow(ctx, path, dbfile.IsSnapshot)
		return err
	})
	switch {
	case errors.Is(err, live.ErrNoPull):
		file.unanswered = errors.Is(err, errUnanswered)
		return file, nil
	case err != nil:
		return Source{}, err
	}
	return Source{path: lease.Path, Copy: &lease.Snapshot, release: lease.Release}, nil
}

// removed reports whether a copy could not be opened because the pull had ended and removed it.
func (s Source) removed(err error) bool { return s.Copy != nil && errors.Is(err, dbfile.ErrMissing) }

// taken reports whether the file could not be opened because a pull had just locked it.
func (s Source) taken(err error) bool {
	if s.Copy != nil || s.unanswered || !errors.Is(err, dbfile.ErrLocked) {
		return false
	}
	pulling, err := dbfile.Pulling(s.path)
	return pulling && err == nil
}
