package dispatch

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"datasync/ingest/api"
	"datasync/internal/model"
)

const (
	// firstPause is how long the feed counts as closed after it refuses this client. It doubles
	// with each further refusal, up to longestPause.
	firstPause, longestPause = time.Second, 30 * time.Second
	// fewAccesses is how often stream-access may fail before the pull no longer waits for a feed that
	// never sent a page.
	fewAccesses = 3
)

// feedState says whether the feed admits this client. The dispatcher's lock guards it.
type feedState struct {
	// abandoned says that the run continues without the feed.
	abandoned bool
	// served says that the feed has sent a page in this run.
	served bool
	// tokensRefused counts tokens in a row that the feed refused.
	tokensRefused int
	// denials counts the pauses since its last page in which the feed refused this client. The first of
	// them began at deniedSince.
	denials     int
	deniedSince time.Time
	// accessWaits counts the waits that stream-access has asked for since the last page.
	accessWaits int
}

// hopeless reports whether the pull should not wait for the feed. Either the feed has sent no page in
// this run and access to it failed fewAccesses times, or access has failed for longer than patience. The
// pull still asks the feed whenever it is open.
func (f *feedState) hopeless(now time.Time, patience time.Duration) bool {
	switch {
	case f.abandoned:
		return true
	case !f.served:
		return f.denials >= fewAccesses || f.accessWaits >= fewAccesses
	}
	return f.denials > 0 && now.Sub(f.deniedSince) > patience
}

// unknown reports whether access to the feed has failed, and the feed has sent no page in this run.
func (f *feedState) unknown() bool { return !f.served && f.denials+f.accessWaits > 0 }

// deny counts a pause after the feed refused this client.
func (f *feedState) deny(now time.Time) {
	if f.denials == 0 {
		f.deniedSince = now
	}
	f.denials++
}

// FeedHopeless reports whether the pull should not wait for the feed.
func (d *Dispatcher) FeedHopeless() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.feed.hopeless(time.Now(), d.options.MaxRetryTime)
}

// FeedAbandoned reports whether the run continues without the feed.
func (d *Dispatcher) FeedAbandoned() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.feed.abandoned
}

// onFeedResponse records how a request to the feed ended. A feed that refuses this client counts as
// closed: the page itself has not failed then.
func (d *Dispatcher) onFeedResponse(p permit, req api.Request, err error) error {
	var answer *api.Error
	switch {
	case err == nil:
		d.admitted()
		return nil
	case !errors.As(err, &answer):
		return err
	}
	switch answer.Means {
	case api.MeansBrowserRequired:
		d.abandonFeed(err)
		return feedClosed(err)
	case api.MeansBoundRefused:
		if req.Bounded {
			err = fmt.Errorf("%w: %w", ErrBoundRefused, err)
		}
		return err
	case api.MeansTokenRefused, api.MeansRefused:
	case api.MeansCursorSuspect:
		// The path may have moved.
		if answer.Status != http.StatusNotFound && answer.Status != http.StatusMethodNotAllowed && answer.Status != http.StatusGone {
			return err
		}
	default:
		return err
	}
	// A new token is tried once, and then none for a while.
	if d.tokens.invalidate(p.token) && d.countRefusal() > 1 {
		if answer.Means == api.MeansCursorSuspect {
			return err
		}
		d.denyFeed(strconv.Itoa(answer.Status))
	}
	return feedClosed(err)
}

// countRefusal counts tokens in a row that the feed refused.
func (d *Dispatcher) countRefusal() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.feed.tokensRefused++
	return d.feed.tokensRefused
}

// admitted says that the feed has sent a page.
func (d *Dispatcher) admitted() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.feed = feedState{abandoned: d.feed.abandoned, served: true, deniedSince: d.feed.deniedSince}
}

// denyFeed closes the feed for a while, because it refuses this client. If nothing has answered in
// this run, the feed is not at fault, and each try may take long.
func (d *Dispatcher) denyFeed(reason string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	now, pause := time.Now(), longestPause
	if d.client.HasAnswered() {
		pause = min(firstPause<<min(d.feed.denials, 8), longestPause)
	}
	d.feed.tokensRefused = 0
	d.feed.deny(now)
	d.closeForToken(now.Add(pause), reason)
}

// closeForToken closes the feed until there may be a token. The lock is held.
func (d *Dispatcher) closeForToken(until time.Time, reason string) {
	if now := time.Now(); d.endpoints[api.Feed].close(until, reason) && until.After(now) {
		answer := ""
		if _, err := strconv.Atoi(reason); err == nil {
			answer = reason
		}
		d.ledger.hold(api.Feed, model.WaitToken, answer, 0, now, until)
	}
}

// waitForAccess closes the feed for as long as stream-access asked for a wait. An answer other
// than a 429 counts as a denial.
func (d *Dispatcher) waitForAccess(answer *api.Error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.feed.accessWaits++
	if answer.Means != api.MeansRateLimited {
		d.feed.deny(time.Now())
	}
	access := d.endpoints[api.StreamAccess]
	d.closeForToken(access.opensAt, access.reason)
}

// abandonFeed stops using the feed for the rest of the run.
func (d *Dispatcher) abandonFeed(why error) {
	d.mu.Lock()
	before := d.feed.abandoned
	d.feed.abandoned = true
	d.mu.Unlock()
	if !before {
		d.options.Notice(fmt.Sprintf("continuing without the feed: %v", why))
	}
}

// token returns an access to the feed, or closes the feed and fails with errFeedClosed. One renewal is in
// flight at a time, for all who need it.
func (d *Dispatcher) token(ctx context.Context) (*api.Access, error) {
	if err := d.tokens.queue.enter(ctx); err != nil {
		return nil, err
	}
	defer d.tokens.queue.leave()
	if pause := d.tokens.pause(); pause > 0 {
		d.closeFeed(time.Now().Add(pause), "new token")
		return nil, errFeedClosed
	}
	if token := d.tokens.fresh(); token != nil {
		return token, nil
	}
	p, ok := d.takeAccess()
	if !ok {
		return nil, errFeedClosed
	}
	d.observer.Asking(api.StreamAccess)
	token, err := d.tokens.renew(ctx)
	d.onResponse(p, api.RateLimit{}, err)
	var answer *api.Error
	switch {
	case err == nil:
		p.unnamedStreak = 0 // no other goroutine asks
		return token, nil
	case ctx.Err() != nil:
		return nil, err
	case errors.As(err, &answer) && (answer.Named || answer.Means == api.MeansRateLimited):
		if err := d.persistHold(p.endpoint); err != nil {
			return nil, err
		}
		d.waitForAccess(answer)
		return nil, feedClosed(err)
	case errors.Is(err, api.ErrKeyRefused) && answer.Status == http.StatusUnauthorized:
		return nil, err
	case errors.Is(err, api.ErrFeedUnusable), errors.As(err, &answer) && answer.Status == http.StatusForbidden:
		d.abandonFeed(err)
		return nil, feedClosed(err)
	}
	d.denyFeed("no access")
	return nil, feedClosed(err)
}

// takeAccess returns the permit for a request to stream-access. If that endpoint is closed, it closes the
// feed for as long.
func (d *Dispatcher) takeAccess() (permit, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	access, now := d.endpoints[api.StreamAccess], time.Now()
	if access.opensAt.After(now) {
		d.closeForToken(access.opensAt, access.reason)
		return permit{}, false
	}
	return d.take(access, nil, api.Request{}, now), true
}

func (d *Dispatcher) closeFeed(until time.Time, reason string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closeForToken(until, reason)
}
