package shell

import (
	"context"
	"errors"

	"datasync/query"
)

// interruptible returns a context that Ctrl-C ends too.
func (s *shell) interruptible(ctx context.Context) (_ context.Context, stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	select {
	case <-s.interrupts: // from before the statement
	default:
	}
	go func() {
		defer close(ended)
		select {
		case <-s.interrupts:
			cancel()
		case <-ctx.Done():
		}
	}()
	// Without the wait, the goroutine could take the Ctrl-C of the next statement.
	return ctx, func() { cancel(); <-ended }
}

// interrupted calls do with a context that Ctrl-C ends too.
func (s *shell) interrupted(ctx context.Context, do func(context.Context) error) error {
	ctx, stop := s.interruptible(ctx)
	defer stop()
	return do(ctx)
}

// run runs statements until they end or the user presses Ctrl-C.
func (s *shell) run(ctx context.Context, r request) {
	s.last = r
	s.runWith(ctx, r, s.Query)
}

// runWith is run with other options of query.
func (s *shell) runWith(ctx context.Context, r request, opts query.Options) {
	err := s.interrupted(ctx, func(ctx context.Context) error {
		err := s.execute(ctx, r, opts)
		if err != nil && ctx.Err() != nil {
			return errInterrupted
		}
		return err
	})
	switch {
	case err == nil:
	case errors.Is(err, errInterrupted):
		s.complain("interrupted")
	default:
		s.complain(s.Explain(err))
		s.IO.Quote(query.Excerpt(err, s.IO.ErrorWidth()))
	}
}

// errInterrupted: Ctrl-C ended a statement.
var errInterrupted = errors.New("interrupted")

// execute runs statements on the file, and writes their results to the terminal or to the file that
// .once or .output names.
func (s *shell) execute(ctx context.Context, r request, opts query.Options) error {
	opts.SQL, opts.Params = r.text, query.UsedParams(r.text, s.Query.Params)
	if r.bound != nil {
		r.bound.Into(&opts)
	}
	s.file.mu.Lock()
	defer s.file.mu.Unlock()
	f, err := s.open(ctx)
	if err != nil {
		return err
	}
	// The session may have state to lose even after Ctrl-C.
	defer s.settle(context.WithoutCancel(ctx), r.text)
	out := s.output(&opts)
	return s.Run(ctx, f.Session, opts, s.Timing, out)
}
