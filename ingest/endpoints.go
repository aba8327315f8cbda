package ingest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"strconv"
	"time"
)

// The names of the endpoints, as the page log, runs and messages have them.
const (
	eventsEndpoint = "events"
	feedEndpoint   = "feed"
	streamAccess   = "stream-access"
)

const (
	// unnamedWait is how long an endpoint is left alone that asks for a wait
	// without naming one; it doubles up to longestUnnamed while that goes on.
	unnamedWait    = 5 * time.Second
	longestUnnamed = time.Minute
	// accessPause is how long the feed counts as closed when access fails.
	accessPause = 30 * time.Second
	// manyLimited is how many 429s in a row, with no page between, may be the last
	// ones.
	manyLimited = 10
)

// endpoints knows when each endpoint may be asked again and which serves the
// next page: the events endpoint where it is open, else the feed, else the first
// to open. It is used by one goroutine at a time.
type endpoints struct {
	client                *client
	tokens                *tokens
	maxWait, maxRetryTime time.Duration
	// remember is told of each wait that was asked for, before anything else
	// happens, so that the next run keeps it too.
	remember func(endpoint string, wait time.Duration) error
	notice   func(string)
	progress *Progress

	// avoid is the endpoint that is asked only where the other one is closed.
	avoid string

	opens    map[string]time.Time
	why      map[string]string // an endpoint was closed last
	unnamed  map[string]int
	feedGone bool
	refused  int       // tokens in a row that the feed refused
	streak   int       // 429s since the last page
	since    time.Time // the first of them

	pages             int64 // that came
	waited, fetching  time.Duration
	limited, requests map[string]int64
}

func newEndpoints(c *client, opts Options, opens map[string]time.Time, remember func(string, time.Duration) error) *endpoints {
	e := &endpoints{
		client: c, tokens: &tokens{client: c}, maxWait: opts.MaxWait, maxRetryTime: opts.MaxRetryTime,
		remember: remember, notice: opts.Notice, progress: opts.Progress,
		opens: maps.Clone(opens), why: map[string]string{}, unnamed: map[string]int{},
		limited: map[string]int64{}, requests: map[string]int64{},
	}
	for endpoint := range opens {
		e.why[endpoint] = "asked in an earlier run"
	}
	// The feed's token may have to be fetched first.
	if access := e.opens[streamAccess]; access.After(e.opens[feedEndpoint]) {
		e.opens[feedEndpoint] = access
	}
	return e
}

func (e *endpoints) timeWaited() time.Duration { return e.waited }

// pageTime returns how long a page took on average, waits included; 0 where none
// has come yet.
func (e *endpoints) pageTime() time.Duration {
	if e.pages == 0 {
		return 0
	}
	return (e.fetching + e.waited) / time.Duration(e.pages)
}

// ask says which page is wanted: the one that the cursor leads to, or, bounded,
// the newest page before until in epoch milliseconds, or the newest of all.
type ask struct {
	cursor  string
	until   int64
	bounded bool
}

// errNoBound: the page that a bounded ask wants cannot be had.
var errNoBound = errors.New("the feed gives no pages by time")

// maxClosed is how often the feed may let nobody in before a bounded page is given
// up.
const maxClosed = 2

// page asks whichever endpoint may be asked for the page, until one answers
// something else than that it wants to be left alone. Only the feed is asked for a
// bounded page; it fails with errNoBound where the feed does not give it. The body lies
// in the memory of into.
func (e *endpoints) page(ctx context.Context, a ask, into *sheet) (body, endpoint string, err error) {
	for closed := 0; ; {
		if a.bounded && (e.feedGone || closed > maxClosed) {
			return "", feedEndpoint, errNoBound
		}
		if endpoint, err = e.next(ctx, a.bounded); err != nil {
			return "", "", err
		}
		if endpoint == feedEndpoint {
			body, err = e.feed(ctx, a, into)
		} else {
			body, err = e.get(ctx, endpoint, a, nil, into)
		}
		var answer *APIError
		switch {
		case err == nil:
			e.unnamed[endpoint], e.streak = 0, 0
			e.pages++
			return body, endpoint, nil
		case errors.Is(err, errFeedClosed):
			closed++
		case errors.As(err, &answer) && answer.Status == 429:
			err := e.limit(endpoint, answer)
			if a.bounded && errors.Is(err, ErrLimited) {
				e.streak, err = 0, fmt.Errorf("%w: %w", errNoBound, err)
			}
			if err != nil {
				return "", endpoint, err
			}
		case errors.As(err, &answer) && answer.Named:
			return "", endpoint, errors.Join(err, e.close(endpoint, answer))
		default:
			return "", endpoint, err
		}
	}
}

// get sends one request for a page.
func (e *endpoints) get(ctx context.Context, endpoint string, a ask, token *access, into *sheet) (string, error) {
	e.progress.asking(endpoint)
	e.requests[endpoint]++
	began := time.Now()
	defer func() { e.fetching += time.Since(began) }()
	return e.client.page(ctx, endpoint, a, token, into)
}

// errFeedClosed: the feed was closed for a while, or for the run; the page is to
// be had elsewhere or later.
var errFeedClosed = errors.New("the feed is closed")

// feed asks the feed. That it lets nobody in is no failure of the page: it counts
// as closed then.
func (e *endpoints) feed(ctx context.Context, a ask, into *sheet) (string, error) {
	token, err := e.token(ctx)
	if err != nil {
		return "", err
	}
	body, err := e.get(ctx, feedEndpoint, a, token, into)
	var answer *APIError
	switch {
	case err == nil:
		e.refused = 0
		return body, nil
	case !errors.As(err, &answer), answer.Status >= 500, answer.Status == 408, answer.Status == 429,
		errors.Is(err, ErrKeyRefused), errors.Is(err, ErrCursorDead):
		return "", err
	case a.bounded && (answer.Status == 400 || answer.Status == 422):
		return "", fmt.Errorf("%w: %w", errNoBound, err)
	case answer.Code == dashboardRequired:
		e.leaveFeed(err)
		return "", errFeedClosed
	}
	// The token is refused, or the path has moved: a new access, once, and then
	// none for a while.
	e.tokens.invalidate()
	if e.refused++; e.refused > 1 {
		e.refused = 0
		e.pauseFeed(accessPause, strconv.Itoa(answer.Status))
	}
	return "", errFeedClosed
}

// token returns an access to the feed, or closes the feed and fails with
// errFeedClosed.
func (e *endpoints) token(ctx context.Context) (*access, error) {
	if pause := e.tokens.pause(); pause > 0 {
		e.pauseFeed(pause, "new token")
		return nil, errFeedClosed
	}
	if e.tokens.fresh() {
		return e.tokens.current, nil
	}
	e.progress.asking(streamAccess)
	e.requests[streamAccess]++
	token, err := e.tokens.renew(ctx)
	var answer *APIError
	switch {
	case err == nil:
		e.unnamed[streamAccess] = 0
		return token, nil
	case ctx.Err() != nil, errors.Is(err, ErrKeyRefused):
		return nil, err
	case errors.Is(err, errFeedUnusable), errors.As(err, &answer) && answer.Status == 403:
		e.leaveFeed(err)
		return nil, errFeedClosed
	case errors.As(err, &answer) && (answer.Named || answer.Status == 429):
		if answer.Status == 429 {
			e.limited[streamAccess]++
		}
		if err := e.close(streamAccess, answer); err != nil {
			return nil, err
		}
		e.opens[feedEndpoint], e.why[feedEndpoint] = e.opens[streamAccess], e.why[streamAccess]
		return nil, errFeedClosed
	}
	e.pauseFeed(accessPause, "no access")
	return nil, errFeedClosed
}

// leaveFeed goes on without the feed for the rest of the run.
func (e *endpoints) leaveFeed(why error) {
	if !e.feedGone {
		e.notice(fmt.Sprintf("going on without the feed: %v", why))
	}
	e.feedGone = true
}

func (e *endpoints) pauseFeed(wait time.Duration, why string) {
	if until := time.Now().Add(wait); until.After(e.opens[feedEndpoint]) {
		e.opens[feedEndpoint], e.why[feedEndpoint] = until, why
	}
}

// limit takes a 429 in, and gives up where nothing else has come for long.
func (e *endpoints) limit(endpoint string, answer *APIError) error {
	e.limited[endpoint]++
	if err := e.close(endpoint, answer); err != nil {
		return err
	}
	if e.streak++; e.streak == 1 {
		e.since = time.Now()
	}
	if e.streak >= manyLimited && time.Since(e.since) > e.maxRetryTime {
		return fmt.Errorf("%w: %d times in %s", ErrLimited, e.streak, time.Since(e.since).Round(time.Second))
	}
	return nil
}

// close leaves the endpoint alone for as long as it asked, and a little longer,
// so that clients that were told the same do not come back together.
func (e *endpoints) close(endpoint string, answer *APIError) error {
	wait := answer.Wait
	if !answer.Named {
		wait = min(unnamedWait<<min(e.unnamed[endpoint], 8), longestUnnamed)
		e.unnamed[endpoint]++
	}
	wait += time.Duration(rand.Float64() * float64(min(wait/10, time.Second)))
	e.why[endpoint] = strconv.Itoa(answer.Status)
	until := time.Now().Add(wait)
	if until.After(e.opens[endpoint]) {
		e.opens[endpoint] = until
	}
	return e.remember(endpoint, wait)
}

// next waits until an endpoint, or the feed if that is the one that is wanted, is
// open and returns it.
func (e *endpoints) next(ctx context.Context, feedOnly bool) (string, error) {
	for {
		now := time.Now()
		events, feed := e.opens[eventsEndpoint].Sub(now), e.opens[feedEndpoint].Sub(now)
		if feedOnly {
			events = max(feed, 0) + 1
		}
		feedOpen := feed <= 0 && !e.feedGone
		if events <= 0 && (!feedOpen || e.avoid != eventsEndpoint) {
			return eventsEndpoint, ctx.Err()
		}
		if feedOpen {
			return feedEndpoint, ctx.Err()
		}
		first, wait := eventsEndpoint, events
		if !e.feedGone && feed < events {
			first, wait = feedEndpoint, feed
		}
		if wait > e.maxWait && feedOnly {
			return "", errNoBound
		}
		if wait > e.maxWait {
			return "", fmt.Errorf("%w: come back at %s", ErrClosed, now.Add(wait).UTC().Format(time.RFC3339))
		}
		e.progress.waiting(first, e.why[first], now.Add(wait))
		err := sleep(ctx, wait)
		e.waited += time.Since(now)
		if err != nil {
			return "", err
		}
	}
}

// sleep waits for d or until ctx ends.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
