package dispatch

import (
	"context"
	"errors"
	"fmt"
	"time"

	"datasync/ingest/api"
	"datasync/ingest/decode"
	"datasync/internal/model"

	"github.com/cenkalti/backoff/v4"
)

// FirstConnect is how long a run tries to reach the API before anything has answered.
const FirstConnect = 30 * time.Second

// Retry runs op until it succeeds, fails with a Permanent error, or has failed for longer than limit. The time
// that waited returns was spent in waits that the API asked for, and is not counted. Pauses have full jitter.
// Each request has a backoff of its own: a shared one would count the time of the whole pull.
func Retry(ctx context.Context, limit, waited func() time.Duration, notice func(string), op func() error) error {
	pauses := backoff.NewExponentialBackOff(
		backoff.WithInitialInterval(250*time.Millisecond), backoff.WithMultiplier(2),
		backoff.WithRandomizationFactor(1), backoff.WithMaxInterval(15*time.Second), backoff.WithMaxElapsedTime(0))
	var first time.Time
	var waitedBefore time.Duration
	failures, refusals := 0, 0
	return backoff.Retry(func() error {
		err := op()
		switch {
		case err == nil:
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
		if failures++; failures == noticedFailure {
			notice(fmt.Sprintf("%v; trying again for up to %s", err, limit()))
		}
		return err
	}, backoff.WithContext(bounded{pauses, func() time.Duration {
		return limit() - (time.Since(first) - (waited() - waitedBefore))
	}}, ctx))
}

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

// noticedFailure is the number of failures in a row at which the user is told: one or two are common.
const noticedFailure = 3

// Permanent reports whether sending the request again cannot help.
func Permanent(err error) bool {
	var file *model.FileError
	return api.Permanent(err) || errors.Is(err, ErrWaitTooLong) || errors.Is(err, ErrLimited) || errors.Is(err, ErrNoPageByTime) || errors.As(err, &file)
}
