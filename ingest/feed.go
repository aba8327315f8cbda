package ingest

import (
	"context"
	"datasync/ingest/api"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// errFeedClosed: the feed was closed for a while, or for the run; the page is to
// be had elsewhere or later.
var errFeedClosed = errors.New("the feed is closed")

// feedClosed is errFeedClosed with what closed it.
func feedClosed(why error) error { return fmt.Errorf("%w: %w", errFeedClosed, why) }

// readFeed reads what became of a request to the feed. That it lets nobody in is no failure
// of the page: it counts as closed then.
func (e *endpoints) readFeed(at place, a api.Request, err error) error {
	var answer *api.APIError
	switch {
	case err == nil:
		e.admitted()
		return nil
	case !errors.As(err, &answer):
		return err
	}
	switch answer.Means {
	case api.MeansBrowserRequired:
		e.leaveFeed(err)
		return feedClosed(err)
	case api.MeansBoundRefused:
		if a.Bounded {
			err = fmt.Errorf("%w: %w", errRefusedBound, err)
		}
		return err
	case api.MeansTokenRefused, api.MeansRefused:
	case api.MeansCursorSuspect:
		// The path may have moved.
		if answer.Status != 404 && answer.Status != 405 && answer.Status != 410 {
			return err
		}
	default:
		return err
	}
	// A new access, once, and then none for a while.
	if e.tokens.invalidate(at.token) && e.refuse() > 1 {
		if answer.Means == api.MeansCursorSuspect {
			return err
		}
		e.deny(strconv.Itoa(answer.Status))
	}
	return feedClosed(err)
}

// refuse counts tokens in a row that the feed refused.
func (e *endpoints) refuse() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.refused++
	return e.refused
}

// admitted says that the feed has sent a page.
func (e *endpoints) admitted() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.refused, e.denied, e.had, e.accessWaits = 0, 0, true, 0
}

// deny closes the feed, which lets nobody in, for a while. Where nothing of the API has ever
// answered, it is not the feed that is at fault, and each try may take long.
func (e *endpoints) deny(why string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.refused = 0
	if e.deniedSince.IsZero() || e.denied == 0 {
		e.deniedSince = time.Now()
	}
	pause := longestPause
	if e.client.HasAnswered() {
		pause = min(firstPause<<min(e.denied, 8), longestPause)
	}
	e.denied++
	e.closeFeed(pause, why)
}

// token returns an access to the feed, or closes the feed and fails with
// errFeedClosed. One renewal is in flight at a time, for all who need it.
func (e *endpoints) token(ctx context.Context) (*api.Access, error) {
	if err := e.tokens.line.enter(ctx); err != nil {
		return nil, err
	}
	defer e.tokens.line.leave()
	if pause := e.tokens.pause(); pause > 0 {
		e.pauseFeed(pause, "new token")
		return nil, errFeedClosed
	}
	if token := e.tokens.fresh(); token != nil {
		return token, nil
	}
	g := e.gates[api.StreamAccess]
	at, ok := e.mayAsk(g)
	if !ok {
		e.pauseFeed(time.Until(g.opens), g.why)
		return nil, errFeedClosed
	}
	e.progress.asking(api.StreamAccess)
	token, err := e.tokens.renew(ctx)
	e.answered(at, api.RateLimit{}, err)
	var answer *api.APIError
	switch {
	case err == nil:
		g.vain = 0 // nobody else asks
		return token, nil
	case ctx.Err() != nil:
		return nil, err
	case errors.As(err, &answer) && (answer.Named || answer.Means == api.MeansRateLimited):
		if err := e.close(g); err != nil {
			return nil, err
		}
		e.waitForAccess(answer)
		return nil, feedClosed(err)
	case errors.Is(err, api.ErrKeyRefused) && answer.Status == http.StatusUnauthorized:
		return nil, err
	case errors.Is(err, api.ErrFeedUnusable), errors.As(err, &answer) && answer.Status == http.StatusForbidden:
		e.leaveFeed(err)
		return nil, feedClosed(err)
	}
	e.deny("no access")
	return nil, feedClosed(err)
}

// waitForAccess closes the feed for as long as stream-access wants to be left alone. Where it
// failed otherwise than by a rate limit, that counts as a denial.
func (e *endpoints) waitForAccess(answer *api.APIError) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.accessWaits++
	if answer.Means != api.MeansRateLimited {
		if e.denied == 0 {
			e.deniedSince = time.Now()
		}
		e.denied++
	}
	g := e.gates[api.StreamAccess]
	e.closeFeed(time.Until(g.opens), g.why)
}

// fewAccesses is how often stream-access may fail before a feed that was never had counts as no
// endpoint to wait for.
const fewAccesses = 3

// feedIsHopeless reports whether the pull should not wait for the feed. Either the feed has
// sent no page in this run and access to it failed fewAccesses times, or access has failed for longer
// than maxRetryTime. The pull still asks the feed whenever its gate is open. The caller holds the lock.
func (e *endpoints) feedIsHopeless(now time.Time) bool {
	switch {
	case e.feedGone:
		return true
	case !e.had:
		return e.denied >= fewAccesses || e.accessWaits >= fewAccesses
	}
	return e.denied > 0 && now.Sub(e.deniedSince) > e.maxRetryTime
}

// mayAsk takes a place at an endpoint that may be asked now.
func (e *endpoints) mayAsk(g *gate) (place, bool) {
	e.mu.Lock()
	defer e.mu.Unlock()
	now := time.Now()
	if g.opens.After(now) {
		return place{}, false
	}
	return e.take(g, nil, false, now), true
}

// leaveFeed goes on without the feed for the rest of the run.
func (e *endpoints) leaveFeed(why error) {
	e.mu.Lock()
	gone := e.feedGone
	e.feedGone = true
	e.mu.Unlock()
	if !gone {
		e.notice(fmt.Sprintf("going on without the feed: %v", why))
	}
}

func (e *endpoints) pauseFeed(wait time.Duration, why string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.closeFeed(wait, why)
}

// closeFeed is pauseFeed for who holds the mutex.
func (e *endpoints) closeFeed(wait time.Duration, why string) {
	if g, until := e.gates[api.Feed], time.Now().Add(wait); until.After(g.opens) {
		g.opens, g.why = until, why
	}
}
