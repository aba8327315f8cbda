package ingest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
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
)

// endpoints knows when each endpoint may be asked again and which serves the
// next page: the events endpoint where it is open, else the feed, else the first
// to open.
type endpoints struct {
	client  *client
	tokens  *tokens
	maxWait time.Duration
	// remember is told of each wait that was asked for, before anything else
	// happens, so that the next run keeps it too.
	remember func(endpoint string, until time.Time) error
	notice   func(string)

	opens    map[string]time.Time
	unnamed  map[string]int
	feedGone bool
	waited   time.Duration
	limited  map[string]int64
	requests map[string]int64
}

// page asks whichever endpoint may be asked for the page at cursor, until one
// answers something else than that it wants to be left alone.
func (e *endpoints) page(ctx context.Context, cursor string) (body, endpoint string, err error) {
	renewed := false
	for {
		endpoint, err := e.next(ctx)
		if err != nil {
			return "", "", err
		}
		body, err := e.ask(ctx, endpoint, cursor)
		var answer *APIError
		switch {
		case err == nil:
			e.unnamed[endpoint] = 0
			return body, endpoint, nil
		case errors.As(err, &answer) && answer.Status == 429:
			if err := e.close(endpoint, answer); err != nil {
				return "", "", err
			}
		case errors.Is(err, ErrTokenRejected):
			e.tokens.invalidate()
			if renewed {
				e.opens[feedEndpoint] = time.Now().Add(accessPause)
			}
			renewed = true
		case errors.As(err, &answer) && answer.Named:
			if errClose := e.close(endpoint, answer); errClose != nil {
				return "", "", errClose
			}
			return "", endpoint, err
		default:
			return "", endpoint, err
		}
	}
}

// ask sends one request. A failure to get access closes the feed for a while and
// is no failure of the page.
func (e *endpoints) ask(ctx context.Context, endpoint, cursor string) (string, error) {
	if endpoint == eventsEndpoint {
		e.requests[endpoint]++
		return e.client.page(ctx, endpoint, cursor, nil)
	}
	token, err := e.tokens.get(ctx)
	var answer *APIError
	switch {
	case err == nil:
		e.requests[endpoint]++
		return e.client.page(ctx, endpoint, cursor, token)
	case ctx.Err() != nil, errors.Is(err, ErrKeyRefused):
		return "", err
	case errors.Is(err, errFeedUnusable), errors.As(err, &answer) && answer.Status == 403:
		e.feedGone = true
		e.notice(fmt.Sprintf("going on without the feed: %v", err))
		return "", &APIError{Endpoint: endpoint, Status: 429, Wait: 0, Named: true}
	case errors.As(err, &answer) && answer.Named:
		return "", &APIError{Endpoint: endpoint, Status: 429, Wait: max(answer.Wait, time.Second), Named: true}
	}
	return "", &APIError{Endpoint: endpoint, Status: 429, Wait: accessPause, Named: true}
}

// close leaves the endpoint alone for as long as it asked, and a little longer,
// so that clients that were told the same do not come back together.
func (e *endpoints) close(endpoint string, answer *APIError) error {
	e.limited[endpoint]++
	wait := answer.Wait
	if !answer.Named {
		wait = min(unnamedWait<<min(e.unnamed[endpoint], 8), longestUnnamed)
		e.unnamed[endpoint]++
	}
	wait += time.Duration(rand.Float64() * float64(min(wait/10, time.Second)))
	until := time.Now().Add(wait)
	if until.After(e.opens[endpoint]) {
		e.opens[endpoint] = until
	}
	return e.remember(endpoint, e.opens[endpoint])
}

// next waits until an endpoint is open and returns it.
func (e *endpoints) next(ctx context.Context) (string, error) {
	for {
		now := time.Now()
		events, feed := e.opens[eventsEndpoint].Sub(now), e.opens[feedEndpoint].Sub(now)
		if events <= 0 {
			return eventsEndpoint, ctx.Err()
		}
		if feed <= 0 && !e.feedGone {
			return feedEndpoint, ctx.Err()
		}
		wait := events
		if !e.feedGone {
			wait = min(wait, feed)
		}
		if wait > e.maxWait {
			return "", fmt.Errorf("%w: come back at %s", ErrClosed, now.Add(wait).UTC().Format(time.RFC3339))
		}
		if err := sleep(ctx, wait); err != nil {
			return "", err
		}
		e.waited += wait
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
