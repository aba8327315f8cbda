package ingest

import (
	"context"
	"database/sql"
	"errors"
	"net/http"
	"net/url"
	"time"

	"datasync/internal/store"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"
)

// Store is where the pull puts what it reads. It is called by one goroutine at a
// time, and not again after an error of CommitBatch.
type Store interface {
	Windows(ctx context.Context) ([]store.Checkpoint, error)
	OpenWindow(ctx context.Context, lower sql.Null[store.Instant]) (store.Checkpoint, error)
	CommitBatch(ctx context.Context, b store.Batch) (store.Committed, error)
	// SetNotBefore is called by another goroutine than the rest.
	SetNotBefore(ctx context.Context, endpoint string, until time.Time) error
	NotBefore(ctx context.Context) (map[string]time.Time, error)
}

var _ Store = (*store.Store)(nil)

// Options says what to pull and how patiently.
type Options struct {
	Store Store
	// Transport carries the requests; nil is the network.
	Transport http.RoundTripper
	BaseURL   *url.URL
	Key       Secret
	// PageSize is the limit sent with each request, in events.
	PageSize int
	// MaxWait is the longest wait that an endpoint may ask for before the pull
	// gives up; MaxRetryTime how long one request may go on failing.
	MaxWait, MaxRetryTime time.Duration
	// Notice is told what a person should know; it may be nil.
	Notice func(string)
}

// Summary is what a pull did.
type Summary struct {
	store.Counts
	Pages    map[string]int64 // an endpoint
	Limited  map[string]int64 // 429s an endpoint
	Waited   time.Duration
	Complete bool
}

// Run walks the window that is under way, or a first one, to its end. The error
// says why it stopped earlier; what was committed by then stays, and the next
// run goes on from there.
func Run(ctx context.Context, opts Options) (Summary, error) {
	windows, err := opts.Store.Windows(ctx)
	if err != nil {
		return Summary{}, err
	}
	var window store.Checkpoint
	if len(windows) > 0 && windows[0].State != store.Done {
		window = windows[0]
	} else if window, err = opts.Store.OpenWindow(ctx, sql.Null[store.Instant]{}); err != nil {
		return Summary{}, err
	}
	if opts.Transport == nil {
		opts.Transport = newTransport()
	}
	if opts.Notice == nil {
		opts.Notice = func(string) {}
	}
	opens, err := opts.Store.NotBefore(ctx)
	if err != nil {
		return Summary{}, err
	}
	c := newClient(opts.Transport, opts.BaseURL, opts.Key, opts.PageSize)
	e := &endpoints{
		client: c, tokens: &tokens{client: c}, maxWait: opts.MaxWait, notice: opts.Notice,
		remember: func(endpoint string, until time.Time) error {
			return opts.Store.SetNotBefore(context.WithoutCancel(ctx), endpoint, until)
		},
		opens: opens, unnamed: map[string]int{}, limited: map[string]int64{}, requests: map[string]int64{},
	}
	w := &walk{endpoints: e, maxRetryTime: opts.MaxRetryTime, notice: opts.Notice, cursor: window.Cursor, resumed: window.State == store.UnderWay}
	run, err := uuid.NewV7()
	if err != nil {
		return Summary{}, err
	}
	writer := &batcher{store: opts.Store, runID: run, checkpoint: window, pages: map[string]int64{}}

	// Two pages may wait for the writer: enough that neither side waits for the
	// other, and few enough to bound memory.
	pages := make(chan walked, 2)
	group, walkCtx := errgroup.WithContext(ctx)
	group.Go(func() error {
		defer close(pages)
		return w.run(walkCtx, pages)
	})
	// The writer does not end with ctx: what was read whole is still committed.
	group.Go(func() error { return writer.run(context.WithoutCancel(ctx), pages) })
	err = group.Wait()
	summary := Summary{Counts: writer.counts, Pages: writer.pages, Limited: e.limited, Waited: e.waited,
		Complete: err == nil && writer.checkpoint.State == store.Done}
	if err == nil && !summary.Complete {
		err = errors.New("the walk ended before the last page")
	}
	return summary, err
}
