package dispatch

import (
	"errors"
	"fmt"

	"datasync/internal/model"
)

// Errors that callers test for with errors.Is.
var (
	// ErrWaitTooLong: each endpoint asks for a longer wait than Options.MaxWait.
	ErrWaitTooLong = model.NewFailure(model.ExitAPI, "api-wait", "the API asks for a longer wait than allowed")
	// ErrLimited: every request is answered with a 429.
	ErrLimited = model.NewFailure(model.ExitAPI, "api-wait", "the API answers every request with 429 Too Many Requests")
	// ErrNoPageByTime: no endpoint returns the page before the time that a request names.
	ErrNoPageByTime = errors.New("the feed gives no pages by time")
	// ErrBoundRefused is an ErrNoPageByTime: the feed refuses this bound. If it has accepted others, the bound
	// is most likely outside the range of the API's events.
	ErrBoundRefused = fmt.Errorf("%w: it refuses this one", ErrNoPageByTime)
	// ErrHeldOff: Once does not send the request because the endpoint asked for a wait.
	ErrHeldOff = errors.New("it asked for a wait")
	// ErrBudgetSpent: Once does not send the request because the endpoint's rate limit is used up.
	ErrBudgetSpent = errors.New("its limit is used up")
)

// errFeedClosed: the feed is closed for a while or for the run, so the page has to come from the events
// endpoint, or later.
var errFeedClosed = errors.New("the feed is closed")

// feedClosed returns an errFeedClosed with its cause.
func feedClosed(cause error) error { return fmt.Errorf("%w: %w", errFeedClosed, cause) }
