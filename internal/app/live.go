package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"datasync/ingest"
	"datasync/internal/dbfile"
	"datasync/internal/live"
	"datasync/internal/store"
)

const (
	// beginPatience is how long a reader waits for a pull that has the lock, and does
	// not answer yet or not any more: it may have a log to replay, or to write into the
	// file. beginPause is how long it waits in between.
	beginPatience = 10 * time.Second
	beginPause    = 20 * time.Millisecond
	// sourceTries is how often a reader looks for something to read, where what it was
	// given was gone or locked when it came to open it.
	sourceTries = 3
)

// answers is what a pull answers readers from.
type answers struct {
	*store.Store
	progress *ingest.Progress
}

var _ live.Database = answers{}

func (a answers) Status(ctx context.Context) (any, error) {
	s, samples, err := a.Store.Status(ctx, rejectSamples)
	return liveStatus{s, samples, running{os.Getpid(), a.progress.Now()}}, err
}

func (a answers) Snapshot(ctx context.Context) (live.Snapshot, error) {
	s, err := a.Store.Snapshot(ctx)
	return live.Snapshot{Path: s.Path, Batch: s.Batch, Events: s.Events, Change: s.Change}, err
}

// answer answers those who want to read the database, until stop is called. A pull that
// cannot do so goes on all the same.
func (p *program) answer(ctx context.Context, s *store.Store, progress *ingest.Progress, notice func(string)) (stop func()) {
	server, err := live.Listen(s.Path(), live.Folders(p.getenv("XDG_RUNTIME_DIR"), p.or("TMPDIR", "/tmp")))
	if err != nil {
		notice(fmt.Sprintf("nobody can read the file while this pull is running, as there is no socket to ask it by: %v%s", err, see(topicNoSocket)))
		return func() {}
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		server.Serve(ctx, answers{s, progress})
	}()
	return func() { cancel(); <-ended }
}

// errUnanswered: a pull has the file, and does not answer.
var errUnanswered = errors.New("the pull that has the file does not answer")

// source is what there is to read of a database: the file itself, or a copy that a
// running pull has made of it.
type source struct {
	path string
	// asOf says up to where a copy goes; it is nil for the file itself.
	asOf *live.Snapshot
	// unanswered says that a pull was asked for a copy, and did not answer.
	unanswered bool
	// release must be called when nobody reads it any more.
	release func()
}

// openSource finds something to read of the database that db names and has it opened, by
// its path; where that is a copy, it says as of when. Where a pull began or ended just then, so that it could not be opened, that
// is done again. The caller releases the source when it has closed what was opened.
func (p *program) openSource(ctx context.Context, db string, open func(path string) error) (source, error) {
	for tries := 1; ; tries++ {
		src, err := p.source(ctx, db)
		if err != nil {
			return source{}, err
		}
		if err = open(src.path); err == nil {
			if at := src.asOf; at != nil {
				p.say(fmt.Sprintf("a pull is running: this is the file as of batch %d (%s)", at.Batch, counted(at.Events, "event")))
			}
			return src, nil
		}
		src.release()
		if tries == sourceTries || !src.gone(err) && !src.taken(err) {
			return source{}, err
		}
	}
}

// gone reports whether a copy could not be opened as it was not there any more: the pull
// that made it has ended.
func (s source) gone(err error) bool { return s.asOf != nil && errors.Is(err, dbfile.ErrMissing) }

// taken reports whether the file itself could not be opened as a pull had it by then.
func (s source) taken(err error) bool {
	if s.asOf != nil || s.unanswered || !errors.Is(err, dbfile.ErrLocked) {
		return false
	}
	pulling, err := dbfile.Pulling(s.path)
	return pulling && err == nil
}

// source finds what to read of the database that db names: what a running pull gives, or
// the file itself.
func (p *program) source(ctx context.Context, db string) (source, error) {
	itself := source{path: db, release: func() {}}
	path, exists, err := dbfile.Resolve(db)
	if err != nil || !exists {
		return itself, nil // whoever opens it says what is wrong
	}
	itself.path = path
	var loan *live.Loan
	err = p.asking(ctx, path, func() (err error) {
		loan, err = live.Borrow(ctx, path, dbfile.IsSnapshot)
		return err
	})
	switch {
	case errors.Is(err, live.ErrNone):
		itself.unanswered = errors.Is(err, errUnanswered)
		return itself, nil
	case err != nil:
		return source{}, err
	}
	return source{path: loan.Path, asOf: &loan.Snapshot, release: loan.GiveBack}, nil
}

// asking calls ask until the pull that has the lock of the file at path answers. It fails
// with live.ErrNone where there is no pull, and with errUnanswered as well where there is
// one that does not answer for beginPatience; with live.ErrSilent where it gives no sign of
// life, or has not answered when --timeout is over.
func (p *program) asking(ctx context.Context, path string, ask func() error) error {
	for began := time.Now(); ; {
		err := ask()
		late := time.Since(began) > beginPatience
		switch {
		case err == nil:
			return nil
		case errors.Is(err, live.ErrSilent), errors.Is(context.Cause(ctx), errTimeout):
			return silent(ctx, path)
		case ctx.Err() != nil:
			return err
		case errors.Is(err, live.ErrNone):
			if pulling, errLock := dbfile.Pulling(path); errLock != nil || !pulling {
				return err
			}
			if late {
				return errors.Join(err, errUnanswered)
			}
		case !errors.Is(err, live.ErrBusy) || late:
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(beginPause):
		}
	}
}

// silent says which pull does not answer, and what to do.
func silent(ctx context.Context, path string) error {
	process, hint := "", "see whether it was stopped"
	if h, err := dbfile.LockHolder(path); err == nil && h != nil {
		process = fmt.Sprintf(" (process %d)", h.PID)
		hint = fmt.Sprintf("if it was stopped, kill -CONT %d has it go on, and kill %d too has it end", h.PID, h.PID)
	}
	if ctx.Err() != nil {
		hint += "; or give it more time with a longer --timeout"
	}
	return fmt.Errorf("%w%s: %s", live.ErrSilent, process, hint)
}
