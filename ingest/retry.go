package ingest

import (
	"context"
	"errors"
	"time"

	"github.com/cenkalti/backoff/v4"
)

// retry runs op until it succeeds, fails for good, or has failed for longer than
// limit; time that waited reports to have gone by waiting as asked is not
// counted. Pauses have full jitter. A new backoff is made for each request: one
// that is shared counts the time of the whole pull.
func retry(ctx context.Context, limit time.Duration, waited func() time.Duration, op func() error) error {
	pauses := backoff.NewExponentialBackOff(
		backoff.WithInitialInterval(250*time.Millisecond), backoff.WithMultiplier(2),
		backoff.WithRandomizationFactor(1), backoff.WithMaxInterval(15*time.Second), backoff.WithMaxElapsedTime(0))
	var first time.Time
	var waitedBefore time.Duration
	return backoff.Retry(func() error {
		err := op()
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return backoff.Permanent(ctx.Err())
		case permanent(err):
			return backoff.Permanent(err)
		}
		if first.IsZero() {
			first, waitedBefore = time.Now(), waited()
		}
		if time.Since(first)-(waited()-waitedBefore) > limit {
			return backoff.Permanent(err)
		}
		return err
	}, backoff.WithContext(pauses, ctx))
}

// permanent tells the errors that asking again cannot mend.
func permanent(err error) bool {
	for _, kind := range []error{ErrKeyRefused, ErrCursorDead, ErrRedirected, ErrClosed} {
		if errors.Is(err, kind) {
			return true
		}
	}
	var answer *APIError
	return errors.As(err, &answer) && answer.Status >= 400 && answer.Status < 500 &&
		answer.Status != 408 && answer.Status != 429 && answer.Kind == nil && answer.Endpoint == eventsEndpoint
}
