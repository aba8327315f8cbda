package dryrun

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"datasync/ingest"
	"datasync/ingest/api"
	"datasync/ingest/decode"
	"datasync/ingest/dispatch"
	"datasync/ingest/pacer"
	"datasync/ingest/shard"
	"datasync/ingest/walk"
	"datasync/internal/model"
)

// ErrNotNow says that no page came because each endpoint that serves pages asked for a wait.
var ErrNotNow = model.NewFailure(model.ExitAPI, "api-wait", "the API asked for a wait")

const (
	// MaxRequests is how many requests a dry run sends at most.
	MaxRequests = 10
	// firstTries is how many of them may go into the first page.
	firstTries = 4
	// leastDecoded is the smallest number of elements on a page that shows how fast this machine
	// is.
	leastDecoded = 1000
)

// File is the file that a pull would write to. The dry run reads its checkpoints, and stores the waits that
// endpoints ask for. A file that does not exist has no windows and no waits.
type File interface {
	Windows(ctx context.Context) ([]model.Checkpoint, error)
	Held(ctx context.Context) (int64, error)
	SetNotBefore(ctx context.Context, endpoint string, wait time.Duration) error
	NotBefore(ctx context.Context) (map[string]time.Time, error)
}

var _ File = ingest.Store(nil)

// Findings has the results of a dry run.
type Findings struct {
	// Requests is how many were sent, to all endpoints.
	Requests int64
	// Total is the API's total.
	Total sql.Null[int64]
	// Newest is the instant of the newest event, Oldest about that of the oldest one.
	Newest, Oldest sql.Null[model.Instant]
	// Events and Feed are the endpoints that serve pages.
	Events, Feed EndpointFindings
	// Until says whether the feed serves the pages before an instant, by the proof that a pull demands. It is
	// not valid if that was not found out.
	Until sql.Null[bool]
	// CursorLife and TokenLife are the lives that the API states; 0 if it does not.
	CursorLife, TokenLife time.Duration
	// NotBefore is until when endpoints asked for a wait, now or in earlier runs.
	NotBefore map[string]time.Time
	// Held is how many elements the file has, events and rejects.
	Held int64
	// Slower is the slowdown of a page for each other request in flight; 0 if it was not measured.
	Slower time.Duration
	// RowBytes is the size of an event in the file, by the newest page; 0 without events.
	RowBytes float64
	// probe is the time of a request for a few events. gap is the time between two requests to an endpoint
	// while the first is in flight.
	probe, gap time.Duration
	// decoding is the time that this machine takes to decode an element; 0 if it was not measured.
	decoding time.Duration
	// Forecast says how long the pull takes; nil if that is not known.
	Forecast *Forecast
}

// EndpointFindings has the results about one endpoint.
type EndpointFindings struct {
	// Usable says that a page came. If none did, Why has the reason.
	Usable bool
	Why    string
	// Page is how many elements the page had. Last says that no more follow, so that a full page may have
	// more. Bytes is the size of the page's text, Took the response time.
	Page  int
	Last  bool
	Bytes int
	Took  time.Duration
	// Cached says that the page came from a cache, so that others may take longer.
	Cached bool
	// Limit is how many requests the headers allow in a Window; 0 if they do not say.
	Limit  int
	Window time.Duration
	// Limited counts 429s.
	Limited int64

	budget pacer.Budget
	opens  time.Time
	sent   int // requests
}

// Run estimates a pull with the same options by at most MaxRequests requests. RowBytes estimates the
// size of an event like these in the file. It stores nothing but waits. It does not ask an endpoint that
// is held off: that is a finding, like a 429. Without any page it fails with ErrNotNow, or as a pull
// would, and returns its findings as well.
func Run(ctx context.Context, opts ingest.Options, file File, rowBytes func([]model.Event) float64) (Findings, error) {
	opts = opts.WithDefaults()
	windows, err := file.Windows(ctx)
	if err != nil {
		return Findings{}, err
	}
	if err := ingest.CheckFrom(windows, opts); err != nil {
		return Findings{}, err
	}
	held, err := file.Held(ctx)
	if err != nil {
		return Findings{}, err
	}
	opens, err := file.NotBefore(ctx)
	if err != nil {
		return Findings{}, err
	}
	s := newSurvey(ctx, opts, file, opens)
	s.found.Held, s.rowBytes = held, rowBytes
	newest, err := s.run(ctx)
	s.conclude()
	if err == nil {
		s.found.Forecast = s.found.forecast(opts, windows, newest, time.Now())
	}
	return s.found, err
}

// survey is one dry run.
type survey struct {
	dispatcher   *dispatch.Dispatcher
	client       *api.Client
	maxRetryTime time.Duration
	notice       func(string)
	cache        *cacheWatch
	workers      int // walks, as in ingest.Options
	rowBytes     func([]model.Event) float64
	found        Findings
	// fatal is an error that would end a pull.
	fatal error
}

func newSurvey(ctx context.Context, opts ingest.Options, file File, opens map[string]time.Time) *survey {
	s := &survey{
		maxRetryTime: opts.MaxRetryTime, notice: opts.Notice, workers: opts.Workers, cache: &cacheWatch{next: opts.Transport},
		found: Findings{NotBefore: map[string]time.Time{}},
	}
	for name, until := range opens {
		s.holdOff(name, until)
	}
	s.client = api.New(s.cache, opts.BaseURL, opts.Key, opts.PageSize)
	s.client.Trace(opts.Trace)
	s.dispatcher = dispatch.New(s.client, dispatch.Options{
		MaxWait: opts.MaxWait, MaxRetryTime: opts.MaxRetryTime, NotBefore: opens, Notice: func(string) {}, // it is among the findings
		Persist: func(endpoint string, wait time.Duration) error {
			s.holdOff(endpoint, time.Now().Add(wait))
			return file.SetNotBefore(context.WithoutCancel(ctx), endpoint, wait)
		},
	}, opts.Progress)
	opts.Progress.Follow(s.dispatcher)
	return s
}

// holdOff notes until when an endpoint asked for a wait.
func (s *survey) holdOff(endpoint string, until time.Time) {
	if until.After(time.Now()) {
		s.found.NotBefore[endpoint] = until
	}
}

// cacheWatch notes whether the last answer came from a cache.
type cacheWatch struct {
	next   http.RoundTripper
	cached atomic.Bool
}

func (c *cacheWatch) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := c.next.RoundTrip(req)
	c.cached.Store(err == nil && strings.HasPrefix(strings.ToUpper(resp.Header.Get("X-Cache")), "HIT"))
	return resp, err
}

// run requests the newest page, one of the feed, and some by time, and returns the newest page.
func (s *survey) run(ctx context.Context) (newest decode.Page, err error) {
	newest, err = s.first(ctx)
	if s.fatal != nil {
		return decode.Page{}, s.fatal
	}
	if err != nil && !s.client.HasAnswered() && s.dispatcher.Requests() > 0 {
		return decode.Page{}, err // nothing answers
	}
	if s.found.Events.Cached && newest.NextCursor != "" {
		// The next page shows the response time and the headers of an answer without a cache.
		_, _ = s.page(ctx, api.Events, api.Request{Cursor: newest.NextCursor})
	}
	// A pull would continue there.
	feed, errFeed := s.page(ctx, api.Feed, api.Request{Cursor: newest.NextCursor})
	switch {
	case s.fatal != nil:
		return decode.Page{}, s.fatal
	case err != nil && errFeed != nil:
		return decode.Page{}, s.nothing(err)
	case err != nil:
		newest = feed
	}
	s.take(&newest)
	if errFeed == nil {
		s.byTime(ctx, &newest)
	}
	return newest, s.fatal
}

// first requests the newest page from the events endpoint. It does not wait if that endpoint asks to be left
// alone.
func (s *survey) first(ctx context.Context) (newest decode.Page, err error) {
	var asked error // for a wait
	patience := func() time.Duration {
		switch {
		case s.dispatcher.Requests() >= firstTries:
			return 0
		case !s.client.HasAnswered():
			return min(s.maxRetryTime, dispatch.FirstConnect)
		}
		return s.maxRetryTime
	}
	err = s.dispatcher.Retry(ctx, dispatch.Patience{Limit: patience}, func() (endpoint string, err error) {
		newest, err = s.page(ctx, api.Events, api.Request{})
		if err != nil && s.fatal == nil && s.closed(api.Events) {
			asked, err = err, nil
		}
		return api.Events, err
	})
	if err != nil && (dispatch.Permanent(err) || ctx.Err() != nil) {
		s.fatal = err
	}
	return newest, errors.Join(err, asked)
}

// closed reports whether the endpoint asked for a wait until later than now.
func (s *survey) closed(endpoint string) bool { return s.found.NotBefore[endpoint].After(time.Now()) }

// nothing returns the error if no page came, and none from the events endpoint because of err.
func (s *survey) nothing(err error) error {
	if !s.closed(api.Events) {
		return err
	}
	until := s.found.NotBefore[api.Events]
	if feed := dispatch.Later(s.found.NotBefore[api.Feed], s.found.NotBefore[api.StreamAccess]); feed.After(time.Now()) && feed.Before(until) {
		until = feed
	}
	return fmt.Errorf("%w: come back at %s", ErrNotNow, until.UTC().Format(time.RFC3339))
}

// take notes the findings of the newest page.
func (s *survey) take(p *decode.Page) {
	f := &s.found
	f.Total, f.CursorLife = p.Total, p.CursorLife
	if len(p.Events) == 0 {
		return
	}
	f.Newest = sql.Null[model.Instant]{V: p.Newest.Timestamp, Valid: true}
	if !p.HasMore {
		f.Oldest = sql.Null[model.Instant]{V: p.Oldest.Timestamp, Valid: true}
	}
}

// byTime finds out whether the feed serves the pages before an instant, and by such pages where the events
// end.
func (s *survey) byTime(ctx context.Context, newest *decode.Page) {
	known := shard.SampleOf(newest)
	if !known.Known.Valid {
		return
	}
	probe := func(at model.Instant) (decode.Page, error) {
		req := walk.ByTime(at)
		req.Limit = shard.ProbeLimit
		return s.page(ctx, api.Feed, req)
	}
	began := time.Now()
	p, err := probe(known.Known.V.Timestamp)
	s.found.probe = time.Since(began)
	switch verdict := known.Proof().Check(&p); {
	case err != nil && !errors.Is(err, dispatch.ErrNoPageByTime), err == nil && verdict == walk.Undecided:
		return
	default:
		s.found.Until = sql.Null[bool]{V: err == nil && verdict == walk.Proven, Valid: true}
	}
	if !s.found.Until.V || s.found.Oldest.Valid {
		return
	}
	s.inParallel(ctx, newest)
	span := model.Instant(float64(known.Span) * float64(newest.Total.V) / float64(known.Elements))
	s.found.Oldest = shard.SearchOldest(known.Newest, span, MaxRequests, probe)
}

// page requests a page from an endpoint, and a smaller one if that is too large. It notes the findings of a
// whole page.
func (s *survey) page(ctx context.Context, endpoint string, a api.Request) (decode.Page, error) {
	for {
		p, err := s.once(ctx, endpoint, a)
		if s.fatal != nil || !s.dispatcher.ReducePageSize(endpoint, &a, err) {
			return p, err
		}
	}
}

// once requests a page from an endpoint once.
func (s *survey) once(ctx context.Context, endpoint string, a api.Request) (decode.Page, error) {
	if s.fatal != nil {
		return decode.Page{}, s.fatal
	}
	cost := int64(1)
	if endpoint == api.Feed && s.dispatcher.NeedsToken() {
		cost++
	}
	if s.dispatcher.Requests()+cost > MaxRequests {
		return decode.Page{}, s.failed(ctx, endpoint, errEnough)
	}
	memory := &api.Buffer{}
	defer memory.ReleaseLargeSlot()
	body, err := s.dispatcher.TryPage(ctx, endpoint, a, memory)
	if err != nil {
		return decode.Page{}, s.failed(ctx, endpoint, err)
	}
	began := time.Now()
	p, err := memory.Decode(decode.New())
	s.noteDecoding(p.Elements, time.Since(began))
	if err != nil {
		return decode.Page{}, s.failed(ctx, endpoint, s.client.DecodeError(endpoint, memory, err))
	}
	if note := s.dispatcher.Succeeded(endpoint); note != "" {
		s.notice(note)
	}
	if a.Limit == 0 {
		if s.found.RowBytes == 0 && s.rowBytes != nil && len(p.Events) > 0 {
			s.found.RowBytes = s.rowBytes(p.Events)
		}
		f := s.about(endpoint)
		f.Usable, f.Page, f.Bytes = true, p.Elements, len(body)
		f.Last = !p.HasMore
		f.Cached = s.cache.cached.Load()
		f.Took = s.dispatcher.LastPage()
	}
	return p, nil
}

// noteDecoding records how long this machine took to decode the elements of a page.
func (s *survey) noteDecoding(elements int, took time.Duration) {
	if elements < leastDecoded {
		return
	}
	if each := took / time.Duration(elements); s.found.decoding == 0 || each < s.found.decoding {
		s.found.decoding = each
	}
}

// about returns the findings about an endpoint.
func (s *survey) about(endpoint string) *EndpointFindings {
	if endpoint == api.Feed {
		return &s.found.Feed
	}
	return &s.found.Events
}

// failed notes why an endpoint sent no page, and whether that ends the dry run.
func (s *survey) failed(ctx context.Context, endpoint string, err error) error {
	if f := s.about(endpoint); !f.Usable {
		f.Why = err.Error()
	}
	var file *model.FileError
	if ctx.Err() != nil || errors.Is(err, api.ErrKeyRefused) || errors.As(err, &file) {
		s.fatal = err
	}
	return err
}

// errEnough: the dry run has sent as many requests as it may.
var errEnough = errors.New("no request was left for it")

// conclude notes the state of the endpoints.
func (s *survey) conclude() {
	s.found.Requests, s.found.TokenLife, s.found.gap = s.dispatcher.Requests(), s.dispatcher.TokenLife(), s.dispatcher.Gap(api.Feed)
	for _, name := range []string{api.Events, api.Feed} {
		f, now := s.about(name), s.dispatcher.State(name)
		f.Limited, f.budget, f.opens, f.sent = now.Limited, now.Budget, now.OpensAt, int(now.Requests)
		if f.budget.Known() {
			f.Limit, f.Window = f.budget.Limit(), f.budget.Window()
		}
	}
	maps.DeleteFunc(s.found.NotBefore, func(_ string, until time.Time) bool { return !until.After(time.Now()) })
}
