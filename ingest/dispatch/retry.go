package dispatch

import (
	"context"
	"errors"
	"time"

	"datasync/ingest/api"
	"datasync/ingest/decode"
	"datasync/internal/model"

	"github.com/cenkalti/backoff/v4"
)

// FirstConnect is how long a run tries to reach the API before anything has answered.
const FirstConnect = 30 * time.Second

// Patience limits how long a request may keep failing.
type Patience struct {
	// Limit returns the longest time from the first failure on. Waited returns the time so far in waits that
	// the API asked for, which does not count; nil means none.
	Limit, Waited func() time.Duration
}

// Retry runs op until it succeeds, fails with a Permanent error, or has failed for longer than patience allows.
// Op also returns the endpoint that failed. Pauses have full jitter. Each request has a backoff of its own: a
// shared one would count the time of the whole pull.
func (d *Dispatcher) Retry(ctx context.Context, patience Patience, op func() (endpoint string, err error)) error {
	limit, waited := patience.Limit, patience.Waited
	if waited == nil {
		waited = func() time.Duration { return 0 }
	}
	pauses := backoff.NewExponentialBackOff(
		backoff.WithInitialInterval(250*time.Millisecond), backoff.WithMultiplier(2),
		backoff.WithRandomizationFactor(1), backoff.WithMaxInterval(15*time.Second), backoff.WithMaxElapsedTime(0))
	var first time.Time
	var waitedBefore time.Duration
	refusals := 0
	failing := &Retrying{}
	defer d.retried(failing)
	endPause := func() {}
	defer func() { endPause() }()
	left := func() time.Duration { return limit() - (time.Since(first) - (waited() - waitedBefore)) }
	return backoff.RetryNotify(func() error {
		endPause()
		endPause = func() {}
		endpoint, err := op()
		switch {
		case err == nil:
			failing.Err = nil
			return nil
		case ctx.Err() != nil:
			return backoff.Permanent(ctx.Err())
		case Permanent(err):
			return backoff.Permanent(err)
		}
		if refused(err) {
			if refusals++; refusals == fewTries {
				return backoff.Permanent(err)
			}
		}
		if first.IsZero() {
			first, waitedBefore = time.Now(), waited()
		}
		failing.Endpoint, failing.Failures, failing.Err = endpoint, failing.Failures+1, err
		if left() <= 0 {
			return backoff.Permanent(&GaveUpError{Err: err, Failures: failing.Failures, After: time.Since(first)})
		}
		return err
	}, backoff.WithContext(bounded{pauses, left}, ctx), func(_ error, pause time.Duration) {
		d.retrying(failing, time.Now().Add(pause), left())
		endPause = d.beginPause(failing.Endpoint, failing.Err)
	})
}

// GaveUpError is the last error of a request that has failed for as long as patience allows. Its text is
// that of Err.
type GaveUpError struct {
	Err error
	// Failures counts the attempts. After is the time from the first failure to the last, including
	// waits.
	Failures int
	After    time.Duration
}

func (e *GaveUpError) Error() string { return e.Err.Error() }

// Unwrap returns Err.
func (e *GaveUpError) Unwrap() error { return e.Err }

// bounded cuts the last pause short, so that the last try comes when the time is over and not long after.
type bounded struct {
	backoff.BackOff
	left func() time.Duration
}

// NextBackOff returns the next pause, or backoff.Stop.
func (b bounded) NextBackOff() time.Duration {
	left := b.left()
	if left <= 0 {
		return backoff.Stop
	}
	return min(b.BackOff.NextBackOff(), left)
}

// fewTries is how often a request is sent that the API refuses without a known reason: it may have accepted
// the same request a minute ago.
const fewTries = 4

// refused reports whether the failure hardly passes: the API refuses the request, or sends a page that is
// too large and cannot be divided.
func refused(err error) bool {
	var answer *api.Error
	var page *decode.TooLarge
	if errors.As(err, &page) && page.Final {
		return true
	}
	return errors.As(err, &answer) && (answer.Means == api.MeansRefused || answer.Means == api.MeansCursorSuspect || answer.Means == api.MeansPageTooLarge)
}

// Permanent reports whether sending the request again cannot help.
func Permanent(err error) bool {
	var file *model.FileError
	return api.Permanent(err) || errors.Is(err, ErrWaitTooLong) || errors.Is(err, ErrLimited) || errors.Is(err, ErrNoPageByTime) || errors.As(err, &file)
}
