package web

import (
	"context"
	"net"
	"net/http"
	"sync"
	"time"

	"datasync/internal/web/guard"
	"datasync/internal/web/tally"
)

// Options describe a page.
type Options struct {
	// Listener is where the page is served; its address is on the loopback.
	Listener net.Listener
	// Document is the page, and Policy its content security policy.
	Document []byte
	Policy   string
	// File is the name of the database for people, Version that of the program.
	File, Version string
	// Timezone is the IANA name of Zone: days and hours are those of this time zone.
	Timezone string
	Zone     *time.Location
	Source   Source
	// Counters are kept by a pull of this process; nil if there is none. Stored is the last batch that the file had
	// before it; 0 if there was none.
	Counters *tally.Counters
	Stored   int64
	// Scratch is a folder that only this user can enter, for downloads.
	Scratch string
	// Authorised, if not nil, is called at the first request with the token.
	Authorised func()
	// Explain returns the line that tells a person of an error.
	Explain func(error) string
	// Notice, if not nil, logs a line about the page itself.
	Notice func(string)
}

// Server serves a page. New makes one; Serve runs it.
type Server struct {
	Options
	guard *guard.Guard
	http  *http.Server
	// slot is held while the file, or a copy, is open: DuckDB opens a path once in a process.
	slot    chan struct{}
	box     box
	view    view
	faults  faults
	clients clients
	// drawing is held while sections are drawn: an older drawing never replaces a newer one.
	drawing sync.Mutex
	// wake has the loops look now.
	wake [3]chan struct{}
	// nextLook and nextWindows are the earliest next calls of Source.Standing and Source.Windows, and windowsAt the
	// batch of the last call of the latter. Only follow uses them. Only draw uses nextDraw, the earliest next drawing.
	nextLook, nextWindows, nextDraw time.Time
	windowsAt                       int64
	// ended is closed at the end of the page. Streams then send the last lines.
	ended chan struct{}
	end   sync.Once
}

// New returns a server of the page.
func New(opts Options) *Server {
	s := &Server{Options: opts, slot: make(chan struct{}, 1), ended: make(chan struct{}), windowsAt: -1}
	for i := range s.wake {
		s.wake[i] = make(chan struct{}, 1)
	}
	s.view.sections = map[string]*drawn{}
	s.guard = guard.New(opts.Listener.Addr().String())
	s.guard.Authorised = opts.Authorised
	data := http.NewServeMux()
	for pattern, handle := range map[string]http.HandlerFunc{
		"GET /stream": s.stream, "POST /query": s.query, "POST /complete": s.complete, "POST /download": s.download,
	} {
		data.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			if s.try("answer "+pattern, func() error { handle(w, r); return nil }) != nil {
				panic(http.ErrAbortHandler) // the client sees that its connection breaks
			}
		})
	}
	s.http = guard.NewServer(s.guard.Handler(http.HandlerFunc(s.document), data, opts.Policy))
	return s
}

// URL is the address of the page with its token, which is a secret.
func (s *Server) URL() string { return "http://" + s.Listener.Addr().String() + "/#" + s.guard.Token() }

// Address is the address of the page without its token.
func (s *Server) Address() string { return s.Listener.Addr().String() }

// Seen returns a channel that is closed when the first page is open.
func (s *Server) Seen() <-chan struct{} { return s.clients.first() }

func (s *Server) document(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = guard.NewWriter(w).Write(s.Document)
}

// lastLines is how long the end of the page waits for clients to take the last lines.
const lastLines = 2 * time.Second

// Serve serves the page until ctx ends, and then ends it as End does. It closes the listener.
func (s *Server) Serve(ctx context.Context) error {
	return s.try("be served", func() error { return s.serve(ctx) })
}

func (s *Server) serve(ctx context.Context) error {
	requests, cancel := context.WithCancel(context.WithoutCancel(ctx)) // they outlive ctx, to take the last lines
	defer cancel()
	s.http.BaseContext = func(net.Listener) context.Context { return requests }
	var loops sync.WaitGroup
	loops.Go(func() { s.loop(ctx, s.wake[0], "look at the pull", s.follow) })
	loops.Go(func() { s.loop(ctx, s.wake[1], "draw its figures", s.draw) })
	loops.Go(func() { s.loop(ctx, s.wake[2], "read its figures", s.read) })
	failed := make(chan error, 1)
	go func() { failed <- s.try("take connections", func() error { return s.http.Serve(s.Listener) }) }()
	var err error
	select {
	case err = <-failed:
	case <-ctx.Done():
	case <-s.ended:
	}
	s.finish(nil)
	timer := time.NewTimer(lastLines)
	defer timer.Stop()
	select {
	case <-s.clients.gone():
	case <-timer.C:
	}
	cancel()
	shutdown, done := context.WithTimeout(context.WithoutCancel(ctx), lastLines)
	defer done()
	if s.http.Shutdown(shutdown) != nil {
		_ = s.http.Close()
	}
	loops.Wait()
	s.guard.Close()
	s.box.close()
	return err
}

// finish ends the page, with the exit code of its pull if it has one.
func (s *Server) finish(exit *int) {
	s.end.Do(func() {
		defer close(s.ended)
		s.view.finish(exit)
		_ = s.try("draw its figures", func() error { s.redraw(); return nil })
	})
}

// End ends the page of a pull: clients see that it ended with this exit code. If the figures of the file can be read
// within the budget, they are as of the end; otherwise they stay.
func (s *Server) End(ctx context.Context, exit int, budget time.Duration) {
	defer s.finish(&exit)
	_ = s.try("read its figures", func() error {
		if s.clients.any() {
			s.readLast(ctx, budget)
		}
		return nil
	})
	_ = s.try("look at the pull", func() error { s.lookLast(ctx); return nil })
}

// loop does a job once a second, and when it is woken, until ctx or the page ends.
func (s *Server) loop(ctx context.Context, wake <-chan struct{}, job string, do func(context.Context)) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stop := make(chan struct{})
	defer close(stop)
	go func() {
		select {
		case <-s.ended:
			cancel()
		case <-stop:
		}
	}()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		_ = s.try(job, func() error { do(ctx); return nil })
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-wake:
		}
	}
}

// look wakes the loops.
func (s *Server) look() {
	for _, c := range s.wake {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}

// use opens the file or a copy for a job, one at a time. It fails with errBusy if that takes too long.
func (s *Server) use(ctx context.Context, job string, do func(ctx context.Context, path string) error) error {
	wait := time.NewTimer(slotPatience)
	defer wait.Stop()
	select {
	case s.slot <- struct{}{}:
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-wait.C:
		return errBusy
	}
	defer func() { <-s.slot }()
	return s.try("open its file", func() error {
		return s.Source.Use(ctx, func(ctx context.Context, path string) error {
			// The source has to get the file back, whatever happens.
			return s.try(job, func() error { return do(ctx, path) })
		})
	})
}

// slotPatience is how long a request waits for the one before it.
const slotPatience = 15 * time.Second
