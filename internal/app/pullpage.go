package app

import (
	"context"
	"database/sql"
	"errors"
	"sync/atomic"
	"time"

	"datasync/ingest"
	"datasync/internal/dbfile"
	"datasync/internal/live"
	"datasync/internal/model"
	"datasync/internal/report/figures"
	"datasync/internal/store"
	"datasync/internal/web"
	"datasync/internal/web/tally"
)

// pullPage is the page of pull --serve. A nil one does nothing.
type pullPage struct {
	*livePage
	counters *tally.Counters
	source   *pullSource
	began    time.Time
	// served is closed when the server has ended.
	served chan struct{}
	cancel func()
}

// openPage takes the address of the page of pull --serve, and tells the user where it is; nil without --serve.
func (o *pullOptions) openPage(ctx context.Context, progress *ingest.Progress) (*pullPage, error) {
	if o.page == nil {
		return nil, nil
	}
	live, err := listenForPage(o.io, *o.page)
	if err != nil {
		return nil, err
	}
	p := &pullPage{livePage: live, counters: tally.New(o.page.zone), source: &pullSource{database: o.database, progress: progress}, began: time.Now()}
	server := p.options(o.database)
	server.Source, server.Counters = p.source, p.counters
	p.Server = web.New(server)
	if err := p.tell(ctx, o.database, "until the pull ends"); err != nil {
		p.close()
		return nil, err
	}
	return p, nil
}

// tally returns the store's function of that name.
func (p *pullPage) tally() func() model.Tally {
	if p == nil {
		return nil
	}
	return p.counters.Batch
}

// begin serves the page of a pull that has opened its file. Without the page, the pull goes on.
func (p *pullPage) begin(ctx context.Context, s *store.Store, notice func(string)) {
	if p == nil {
		return
	}
	p.source.store, p.Notice = s, notice
	if p.Stored = s.OpenedAt(); p.Stored == 0 {
		p.counters.Seed(&figures.Counts{}, time.Time{}, time.Time{}, 0)
	}
	p.served = make(chan struct{})
	ctx, p.cancel = context.WithCancel(context.WithoutCancel(ctx)) // the page outlives a signal, to show the end
	go func() {
		defer close(p.served)
		if err := p.Serve(ctx); err != nil {
			notice("the page has ended before the pull: " + errorLine(err))
		}
	}()
}

// closed says that the file is closed. The page reads it as others do from then on.
func (p *pullPage) closed() {
	if p != nil {
		p.source.closed.Store(true)
	}
}

// The page's last reading of figures may take this share of the pull's time, or leastEnd.
const (
	endShare = 25
	leastEnd = 500 * time.Millisecond
)

// end shows the end of the pull, and ends the page.
func (p *pullPage) end(ctx context.Context, err error) {
	if p == nil {
		return
	}
	defer p.close()
	if p.served == nil { // the file could not be opened
		return
	}
	p.closed()
	exit := 0
	if err != nil {
		exit = exitOf(err).Code
	}
	budget := max(leastEnd, time.Since(p.began)/endShare)
	if ctx.Err() != nil {
		budget = 0
	}
	if p.opts.open && p.awaitBrowser(ctx) {
		budget = browserPatience
	}
	p.End(ctx, exit, budget)
	<-p.served
	p.cancel()
}

// browserPatience is how long the end of a pull waits for the browser that --open has started: a short pull is over
// before it.
const browserPatience = 10 * time.Second

// awaitBrowser waits for the page of a pull that is over. It returns false if the page was open before.
func (p *pullPage) awaitBrowser(ctx context.Context) (waited bool) {
	select {
	case <-p.Seen():
		return false
	default:
	}
	timer := time.NewTimer(browserPatience)
	defer timer.Stop()
	select {
	case <-p.Seen():
	case <-p.unopened:
	case <-timer.C:
	case <-ctx.Done():
	}
	return ctx.Err() == nil
}

// pullSource is the file of a pull of this process: the copies that it lends, and after its end the file. It
// implements web.Source.
type pullSource struct {
	database string
	store    *store.Store
	progress *ingest.Progress
	closed   atomic.Bool
}

// errEnding: the pull lends no copies, because it ends or has no socket.
var errEnding = errors.New("this pull lends no copy of its file now: ask again when it has ended")

// Use borrows a copy as other processes do, and so shares it with them. It never opens the file while the pull has
// it: DuckDB would wait without end.
func (s *pullSource) Use(ctx context.Context, do func(context.Context, string) error) error {
	if s.closed.Load() {
		return web.UseFile(ctx, s.database, do)
	}
	lease, err := live.Borrow(ctx, s.store.Path(), dbfile.IsSnapshot)
	if errors.Is(err, live.ErrNoPull) {
		return errEnding
	}
	if err != nil {
		return err
	}
	defer lease.Release()
	return do(ctx, lease.Path)
}

func (s *pullSource) Standing(context.Context) (web.Standing, error) {
	return standingOf(s.progress.Now(), time.Now()), nil
}

func (s *pullSource) Windows(ctx context.Context) (windows []figures.Window, err error) {
	err = s.store.Read(ctx, func(ctx context.Context, db *sql.DB) (err error) {
		windows, err = figures.ReadWindows(ctx, db)
		return err
	})
	return windows, err
}

func (s *pullSource) Edition() string { return web.EditionOf(s.database) }
