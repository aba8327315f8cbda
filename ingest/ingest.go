package ingest

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"sync"
	"time"

	"datasync/ingest/api"
	"datasync/ingest/dispatch"
	"datasync/ingest/shard"
	"datasync/ingest/walk"
	"datasync/internal/model"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"
)

// Store keeps the events, rejects and checkpoints of a pull. One goroutine at a time calls it, except for
// SetNotBefore, Split, Merge, MergeAndRestart and the functions that StartBatch returns. After a batch has
// failed the pull calls only EndRun.
type Store interface {
	// Windows returns the checkpoints of all windows and shards, the newest first.
	Windows(ctx context.Context) ([]model.Checkpoint, error)
	// OpenWindow opens a window above all others.
	OpenWindow(ctx context.Context, lower, floor sql.Null[model.Instant]) (model.Checkpoint, error)
	shard.Store
	// Held returns how many elements the file has, events and rejects.
	Held(ctx context.Context) (int64, error)
	// StartBatch begins to store a batch. Up to model.Writers batches are written at a time. The store commits
	// each exactly once, after the batches before it, and only if those were committed.
	StartBatch(ctx context.Context, b model.Batch) (wait func() (model.Committed, error))
	// Finalize makes the closing check of a pull whose windows are all done.
	Finalize(ctx context.Context, run uuid.UUID, window int64) (model.Finalized, error)
	// Witness returns the API's totals of the newest window. SetDeficit keeps how many events are missing by
	// them, for the next run.
	Witness(ctx context.Context) (model.Witness, error)
	SetDeficit(ctx context.Context, d model.Deficit) error
	Deficit(ctx context.Context) (model.Deficit, error)
	// FailRun counts a run that failed at the cursor of a window.
	FailRun(ctx context.Context, window int64) error

	BeginRun(ctx context.Context, id uuid.UUID, began time.Time) error
	// EndRun keeps how a run ended, also after a batch has failed.
	EndRun(ctx context.Context, r model.Run) error

	// SetNotBefore keeps for how long an endpoint asked for a wait. Any goroutine may call it.
	SetNotBefore(ctx context.Context, endpoint string, wait time.Duration) error
	NotBefore(ctx context.Context) (map[string]time.Time, error)
}

// Options says what to pull, and how long to wait and retry.
type Options struct {
	Store Store
	// Transport carries the requests; nil means the network.
	Transport http.RoundTripper
	BaseURL   *url.URL
	Key       api.Secret
	// PageSize is the limit sent with each request, in events.
	PageSize int
	// Lookback is how far below the newest stored event a later pull reads again, for events that arrived
	// late.
	Lookback time.Duration
	// From is the start bound of the first pull into a file, or of one with Restart. Later pulls keep to it.
	From sql.Null[model.Instant]
	// Restart reads everything again from the newest event down, skipping stored events.
	Restart bool
	// RenewCursors allows the pull to send an expired cursor with a later expiry if it cannot resume by time.
	RenewCursors bool
	// Workers is how many walks there may be at a time, if the API serves pages by time. shard.Auto means as
	// many as bring more; 0 and 1 mean one.
	Workers int
	// MaxWait is the longest wait that an endpoint may ask for before the pull gives up, MaxRetryTime how long
	// one request may go on failing.
	MaxWait, MaxRetryTime time.Duration
	// Now returns the time that events are compared with; nil means time.Now. Waits do not depend on it.
	Now func() time.Time
	// Notice gets messages for the user, from one goroutine at a time; it may be nil.
	Notice func(string)
	// Trace is called after each request, in the goroutine that sent it; it may be nil.
	Trace func(api.Exchange)
	// Progress follows the pull; it may be nil.
	Progress *Progress
}

// WithDefaults returns the options with everything set that may be nil.
func (o Options) WithDefaults() Options {
	if o.Transport == nil {
		o.Transport = api.NewTransport()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Notice == nil {
		o.Notice = func(string) {}
	}
	tell, telling := o.Notice, &sync.Mutex{}
	o.Notice = func(text string) {
		telling.Lock()
		defer telling.Unlock()
		tell(text)
	}
	if o.Progress == nil {
		o.Progress = &Progress{}
	}
	return o
}

// Run finishes the windows that earlier runs left unfinished, then reads everything newer. The error says why
// it stopped before the end. Committed batches stay, and the next run resumes there. Run returns the errors
// of this package, of packages walk, dispatch and api, and of the Store.
func Run(ctx context.Context, opts Options) (Summary, error) {
	opts = opts.WithDefaults()
	id, err := uuid.NewV7()
	if err != nil {
		return Summary{}, err
	}
	windows, err := opts.Store.Windows(ctx)
	if err != nil {
		return Summary{}, err
	}
	if err := CheckFrom(windows, opts); err != nil {
		return Summary{}, err
	}
	began := time.Now()
	if err := opts.Store.BeginRun(ctx, id, began); err != nil {
		return Summary{}, err
	}
	opens, err := opts.Store.NotBefore(ctx)
	if err != nil {
		return Summary{}, err
	}
	p := newPull(ctx, opts, id, opens)
	p.began = began
	opts.Progress.begin(began)
	opts.Progress.Follow(p.common.Dispatcher)
	p.common.Begin()
	err = p.run(ctx)
	facts := p.common.Dispatcher.EndFacts()
	p.counters.add(p.common.Dispatcher.Counts())
	p.counters.Complete = err == nil
	if failure := p.common.Dispatcher.Unanswered(); failure != nil && ctx.Err() != nil {
		p.counters.Unanswered = model.Line(failure)
	}
	p.counters.Took = time.Since(began)
	p.counters.Minimum = p.common.Dispatcher.Minimum(p.counters.needed())
	return p.counters.Summary, errors.Join(err, p.end(ctx, facts, err))
}

// pull is one run.
type pull struct {
	Options
	id        uuid.UUID
	began     time.Time
	common    *walk.Shared
	counters  *counters
	starting  sync.Mutex // of batches, one at a time
	unordered func()
	buffers   api.BufferPool

	mu     sync.Mutex
	failed []int64 // windows and shards whose walks failed at a cursor
}

func newPull(ctx context.Context, opts Options, id uuid.UUID, notBefore map[string]time.Time) *pull {
	p := &pull{
		Options: opts, id: id, counters: newCounters(opts.Notice),
		unordered: sync.OnceFunc(func() {
			opts.Notice("events are out of order: each is compared with the stored ones by its id")
		}),
	}
	p.counters.tellAll = opts.Trace != nil
	client := api.New(opts.Transport, opts.BaseURL, opts.Key, opts.PageSize)
	client.Trace(opts.Trace)
	dispatcher := dispatch.New(client, dispatch.Options{
		MaxWait: opts.MaxWait, MaxRetryTime: opts.MaxRetryTime, NotBefore: notBefore, Notice: opts.Notice,
		Persist: func(endpoint string, wait time.Duration) error {
			return opts.Store.SetNotBefore(context.WithoutCancel(ctx), endpoint, wait)
		},
	}, opts.Progress)
	p.common = &walk.Shared{
		Client: client, Dispatcher: dispatcher, Buffers: &p.buffers, MaxRetryTime: opts.MaxRetryTime,
		RenewCursors: opts.RenewCursors, Notice: opts.Notice, Observer: p.counters,
	}
	return p
}

func (p *pull) run(ctx context.Context) error {
	newest, err := p.windows(ctx)
	if err != nil {
		return err
	}
	return p.finish(ctx, newest)
}

// end completes the run's row.
func (p *pull) end(ctx context.Context, facts model.Facts, err error) error {
	outcome, reason := "complete", ""
	var failed *model.FileError
	switch {
	case errors.As(err, &failed) && !errors.Is(err, context.Canceled):
		outcome, reason = "failed", model.Line(err)
	case ctx.Err() != nil:
		outcome, reason = "interrupted", model.Line(context.Cause(ctx))
		if p.counters.Unanswered != "" {
			reason += " while " + p.counters.Unanswered
		}
	case err != nil:
		outcome, reason = "failed", model.Line(err)
	}
	if failed != nil {
		p.failed = nil // the store takes only the ending
	}
	for _, window := range p.failed {
		if err := p.Store.FailRun(context.WithoutCancel(ctx), window); err != nil {
			return err
		}
	}
	s := &p.counters.Summary
	facts.Began = p.began
	return p.Store.EndRun(context.WithoutCancel(ctx), model.Run{
		ID: p.id, Began: p.began, Ended: facts.At(time.Now()), Outcome: outcome, Reason: reason, ResumedFrom: s.ResumedFrom, Counts: s.Counts,
		Requests: s.Requests, Limited: s.Limited, Waiting: s.Waited, Fetching: s.Fetching, Writing: s.Writing,
		Minimum: s.Minimum, Reread: p.common.Reread(), Facts: facts,
	})
}

// walkShard walks a shard to its end, and tells it the checkpoint that is committed.
func (p *pull) walkShard(ctx context.Context, s *shard.Shard) error {
	k := s.Checkpoint()
	reader := walk.New(p.common, s, k, s.Known())
	writer := &batcher{
		store: oneByOne{p.Store, &p.starting, p.common.Dispatcher, p.began}, runID: p.id, checkpoint: k, counters: p.counters, progress: p.Progress, buffers: &p.buffers,
		unordered: p.unordered, walks: s.Walks,
	}
	pages := make(chan walk.Page) // without a buffer: at most one page waits
	group, walkCtx := errgroup.WithContext(ctx)
	gone := make(chan struct{})
	group.Go(func() error {
		defer close(pages)
		return reader.Run(walkCtx, pages, gone)
	})
	// The writer does not end with ctx: it still commits the pages that were read whole.
	group.Go(func() error {
		defer close(gone)
		return writer.run(context.WithoutCancel(ctx), pages)
	})
	err := group.Wait()
	if err == nil && writer.checkpoint.State != model.Done {
		err = fmt.Errorf("the walk of window %d ended before its last page", k.Window)
	}
	s.Committed(writer.checkpoint)
	if ctx.Err() == nil && writer.checkpoint.Cursor != "" && failsAtCursor(err) {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.failed = append(p.failed, k.Window)
	}
	return err
}

// failsAtCursor reports whether the cursor may be the cause of the error with which a walk ended.
func failsAtCursor(err error) bool {
	var file *model.FileError
	return err != nil && !errors.Is(err, dispatch.ErrWaitTooLong) && !errors.Is(err, walk.ErrUnreachable) && !errors.Is(err, context.Canceled) && !errors.As(err, &file)
}

// oneByOne is a Store in which several goroutines start batches. Each batch gets the facts since the one before.
type oneByOne struct {
	Store
	starting   *sync.Mutex
	dispatcher *dispatch.Dispatcher
	began      time.Time
}

func (o oneByOne) StartBatch(ctx context.Context, b model.Batch) (wait func() (model.Committed, error)) {
	facts := o.dispatcher.TakeFacts()
	o.starting.Lock()
	defer o.starting.Unlock()
	facts.Began, facts.Fetched = o.began, b.Facts.Fetched
	b.Facts = facts
	return o.Store.StartBatch(ctx, b)
}
