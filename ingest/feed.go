package ingest

import (
	"context"
	"errors"
	"fmt"
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
func (e *endpoints) readFeed(at place, a ask, err error) error {
	var answer *APIError
	switch {
	case err == nil:
		e.admitted()
		return nil
	case !errors.As(err, &answer), answer.Status >= 500, answer.Status == 408, answer.Status == 429,
		errors.Is(err, ErrKeyRefused), errors.Is(err, ErrCursorDead):
		return err
	case a.bounded && (answer.Status == 400 || answer.Status == 422):
		return fmt.Errorf("%w: %w", errNoBound, err)
	case answer.Code == dashboardRequired:
		e.leaveFeed(err)
		return feedClosed(err)
	}
	if answer.Named {
		if err := e.close(at.gate, answer); err != nil {
			return err
		}
	}
	// The token is refused, or the path has moved: a new access, once, and then
	// none for a while.
	if e.tokens.invalidate(at.token) && e.refuse() > 1 {
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
	e.refused, e.denied = 0, 0
}

// deny closes the feed, which lets nobody in, for a while. Where nothing of the API has ever
// answered, it is not the feed that is at fault, and each try may take long.
func (e *endpoints) deny(why string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.refused = 0
	pause := longestPause
	if e.client.answered.Load() {
		pause = min(firstPause<<min(e.denied, 8), longestPause)
		e.denied++
	}
	e.closeFeed(pause, why)
}

// token returns an access to the feed, or closes the feed and fails with
// errFeedClosed. One renewal is in flight at a time, for all who need it.
func (e *endpoints) token(ctx context.Context) (*access, error) {
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
	g := e.gates[streamAccess]
	at, ok := e.mayAsk(g)
	if !ok {
		e.pauseFeed(time.Until(g.opens), g.why)
		return nil, errFeedClosed
	}
	e.progress.asking(streamAccess)
	token, err := e.tokens.renew(ctx)
	e.answered(at, statedLimit{}, err)
	var answer *APIError
	switch {
	case err == nil:
		g.vain = 0 // nobody else asks
		return token, nil
	case ctx.Err() != nil, errors.Is(err, ErrKeyRefused):
		return nil, err
	case errors.Is(err, errFeedUnusable), errors.As(err, &answer) && answer.Status == 403:
		e.leaveFeed(err)
		return nil, feedClosed(err)
	case errors.As(err, &answer) && (answer.Named || answer.Status == 429):
		if err := e.close(g, answer); err != nil {
			return nil, err
		}
		e.pauseFeed(time.Until(g.opens), g.why)
		return nil, feedClosed(err)
	}
	e.deny("no access")
	return nil, feedClosed(err)
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
	if g, until := e.gates[feedEndpoint], time.Now().Add(wait); until.After(g.opens) {
		g.opens, g.why = until, why
	}
}
