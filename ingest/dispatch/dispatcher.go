package dispatch

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"datasync/ingest/api"
	"datasync/ingest/pacer"
	"datasync/internal/human"
)

const (
	// MaxWorkers is how many walks there may be at a time.
	MaxWorkers = 64
	// manyLimited is how many 429s in a row, with no page between them, end the pull after
	// Options.MaxRetryTime.
	manyLimited = 10
	// maxFeedClosed is how often the feed may refuse this client before a request by time fails.
	maxFeedClosed = 5
)

// Options says how long a Dispatcher waits and retries.
type Options struct {
	// MaxWait is the longest wait that an endpoint may ask for before the request fails, MaxRetryTime how
	// long one request may go on failing.
	MaxWait, MaxRetryTime time.Duration
	// NotBefore is until when endpoints asked for a wait in earlier runs.
	NotBefore map[string]time.Time
	// Persist stores each wait that an endpoint asked for, before anything else happens, so that the next
	// run keeps it too.
	Persist func(endpoint string, wait time.Duration) error
	// Notice gets messages for the user.
	Notice func(string)
}

// Observer follows the requests. Any goroutine calls it; it must not call the Dispatcher.
type Observer interface {
	// Asking says that a request is sent to the endpoint.
	Asking(endpoint string)
	// Waiting says that no endpoint may be asked before until. The endpoint is the one that is asked
	// then; why is an HTTP status such as "429", or another reason.
	Waiting(endpoint, why string, until time.Time)
}

// Dispatcher knows when each endpoint may be asked again, and which one serves the next page: the events
// endpoint if it is open, else the feed, else the first one to open. All walks share it.
type Dispatcher struct {
	client   *api.Client
	tokens   *tokens
	options  Options
	observer Observer
	// anyQueue has the requesters that take any endpoint, feedQueue those that need the feed.
	anyQueue, feedQueue queue

	mu        sync.Mutex
	endpoints map[string]*endpoint
	// changed is closed when an endpoint may be asked sooner than it seemed.
	changed     chan struct{}
	demand      Demand
	feed        feedState
	load        load
	limited     limitedStreak
	heldOffTold bool // that the feed serves because the events endpoint is closed for long
	// retries has the failed requests that will be sent again, as of their last failure. gaveUp is the one that
	// ended last without an answer.
	retries map[*Retrying]Retrying
	gaveUp  Retrying
}

// limitedStreak counts 429s since the last page, and when the first of them came.
type limitedStreak struct {
	count int
	since time.Time
}

// Requester is one walk, as the dispatcher sees it. One request at a time uses it.
type Requester struct {
	// AvoidEndpoint is the endpoint that is asked only if the other one is closed.
	AvoidEndpoint string
	// WaitedForLimits is how long the walk has waited because endpoints were closed.
	WaitedForLimits time.Duration
}

// New returns a Dispatcher for the client's requests. It sends one request at a time until SetDemand.
func New(client *api.Client, options Options, observer Observer) *Dispatcher {
	d := &Dispatcher{
		client: client, tokens: newTokens(client), options: options, observer: observer,
		anyQueue: newQueue(), feedQueue: newQueue(), endpoints: map[string]*endpoint{}, changed: make(chan struct{}),
		demand: Demand{MaxInFlight: func(int) int { return 1 }, Pages: func() int { return 0 }},
		load:   load{workers: pacer.NewWorkers(MaxWorkers)},
	}
	for _, name := range []string{api.Events, api.Feed, api.StreamAccess} {
		d.endpoints[name] = &endpoint{name: name, opensAt: options.NotBefore[name]}
		if !options.NotBefore[name].IsZero() {
			d.endpoints[name].reason = "asked in an earlier run"
		}
	}
	// The feed's token may have to be fetched first.
	if access := d.endpoints[api.StreamAccess]; !access.opensAt.IsZero() {
		d.endpoints[api.Feed].close(access.opensAt, access.reason)
	}
	return d
}

// Page requests a page from an endpoint that may be asked, until one answers with anything but a
// wait. Only the feed is asked for a page by time: if it does not return one, Page fails with
// ErrNoPageByTime. Other errors are ErrWaitTooLong, ErrLimited, and those of api.Client. The body is in the
// memory of into.
func (d *Dispatcher) Page(ctx context.Context, r *Requester, req api.Request, into *api.Buffer) (body, from string, err error) {
	for closed := 0; ; {
		if needsFeed(req) && (closed > maxFeedClosed || d.FeedAbandoned() || closed > 0 && d.FeedHopeless()) {
			return "", api.Feed, ErrNoPageByTime
		}
		p, err := d.choose(ctx, r, req)
		if errors.Is(err, errFeedClosed) {
			closed++
			continue
		}
		if err != nil {
			return "", "", err
		}
		body, err = d.send(ctx, p, req, into)
		if err == nil {
			if note := d.Succeeded(p.name); note != "" {
				d.options.Notice(note)
			}
			return body, p.name, nil
		}
		if errors.Is(err, errFeedClosed) {
			closed++
			continue
		}
		if err := d.onFailure(p, &req, err); err != nil {
			return "", p.name, err
		}
	}
}

// onFailure returns nil if the request is to be sent again because of how it failed: after a wait, or
// for a smaller page, which it changes in req. Else it returns the error of the request.
func (d *Dispatcher) onFailure(p permit, req *api.Request, err error) error {
	var answer *api.Error
	switch {
	case errors.As(err, &answer) && answer.Means == api.MeansRateLimited:
		err := d.onRateLimited(p.endpoint)
		if needsFeed(*req) && errors.Is(err, ErrLimited) {
			d.endStreak()
			err = fmt.Errorf("%w: %w", ErrNoPageByTime, err)
		}
		return err
	case errors.As(err, &answer) && answer.Means == api.MeansPageTooLarge:
		size := d.client.LimitRefused(p.name, p.pageSize, answer)
		if size == 0 {
			return err
		}
		d.options.Notice(fmt.Sprintf("%v: asking for pages of %s from now on", err, human.Thousands(int64(size))))
		return nil
	case errors.As(err, &answer) && answer.Named:
		return errors.Join(err, d.persistHold(p.endpoint))
	case d.ReducePageSize(p.name, req, err):
		return nil
	}
	return err
}

// Succeeded records that the endpoint sent a page. It returns a message for the user about its
// size, or "".
func (d *Dispatcher) Succeeded(from string) (note string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	p := d.endpoints[from]
	note = p.shrinkNote()
	p.unnamedStreak, d.limited.count = 0, 0
	d.load.pages++
	fetching, _ := d.load.clock.Spent(time.Now())
	d.load.speed.Came(d.load.pages, fetching)
	return note
}

func (d *Dispatcher) endStreak() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.limited.count = 0
}

// send sends one request for a page, and records the state of the endpoint by its answer.
func (d *Dispatcher) send(ctx context.Context, p permit, req api.Request, into *api.Buffer) (string, error) {
	d.observer.Asking(p.name)
	body, stated, err := d.client.Page(ctx, p.name, req, p.token, into)
	d.onResponse(p, stated, err)
	var answer *api.Error
	if stated.Wait > 0 && !errors.As(err, &answer) {
		err = errors.Join(err, d.options.Persist(p.name, stated.Wait))
	}
	if p.name == api.Feed {
		err = d.onFeedResponse(p, req, err)
	}
	return body, err
}

// onResponse records the end of a request. A request for a whole page shows how fast the API is.
func (d *Dispatcher) onResponse(p permit, stated api.RateLimit, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	now, load := time.Now(), &d.load
	p.inFlight--
	if p.whole {
		load.whole--
	}
	load.clock.End(pacer.Fetching, now)
	took := now.Sub(p.sent)
	var answer *api.Error
	isAnswer := errors.As(err, &answer)
	switch {
	case isAnswer && (answer.Named || answer.Means == api.MeansRateLimited):
		p.holdOff(answer, now)
	case !isAnswer && stated.Wait > 0:
		p.close(now.Add(stated.Wait), "Retry-After")
	}
	if err == nil || isAnswer {
		if load.fastest == 0 || took < load.fastest {
			load.fastest = max(took, 1)
		}
		d.onRateLimit(p, answer, stated, now)
	}
	if err == nil && p.whole {
		load.lastPage = took
		load.workers.Answered(p.atOnce, took, d.allSpent(now))
	}
	load.clock.Allow(d.allowedRate(), now)
	close(d.changed)
	d.changed = make(chan struct{})
}

// onRateLimit records what an answer shows about the endpoint's limit. The lock is held.
func (d *Dispatcher) onRateLimit(p permit, answer *api.Error, stated api.RateLimit, now time.Time) {
	more := p.learn(answer, stated, p.sent, now)
	if answer != nil {
		return
	}
	rate := d.allowedRate()
	if more || d.load.allowed > 0 && rate > d.load.allowed*1.1 {
		d.load.workers.MoreAllowed()
	}
	if rate > 0 {
		d.load.allowed = rate
	}
}

// onRateLimited stores the wait of a 429. It fails with ErrLimited if nothing but 429s has come for long.
func (d *Dispatcher) onRateLimited(p *endpoint) error {
	if err := d.persistHold(p); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.limited.count++; d.limited.count == 1 {
		d.limited.since = time.Now()
	}
	if since := time.Since(d.limited.since); d.limited.count >= manyLimited && since > d.options.MaxRetryTime {
		return fmt.Errorf("%w: %s in %s", ErrLimited, human.Counted(int64(d.limited.count), "time"), human.Span(since.Round(time.Second)))
	}
	return nil
}

// persistHold stores for how long the endpoint is closed.
func (d *Dispatcher) persistHold(p *endpoint) error {
	d.mu.Lock()
	wait := time.Until(p.opensAt)
	d.mu.Unlock()
	return d.options.Persist(p.name, max(wait, 0))
}

// pageEndpoints returns the endpoints that serve pages in this run. The lock is held.
func (d *Dispatcher) pageEndpoints() []*endpoint {
	if d.feed.abandoned {
		return []*endpoint{d.endpoints[api.Events]}
	}
	return []*endpoint{d.endpoints[api.Events], d.endpoints[api.Feed]}
}

// EventsClosedUntil returns until when the events endpoint asked for a wait, and whether that is
// longer than a pull may wait.
func (d *Dispatcher) EventsClosedUntil() (until time.Time, tooLong bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	until = d.endpoints[api.Events].opensAt
	return until, time.Until(until) > d.options.MaxWait
}
