package walk

import (
	"context"
	"errors"
	"time"

	"datasync/ingest/api"
	"datasync/ingest/decode"
	"datasync/ingest/dispatch"
	"datasync/internal/model"
)

// An API may answer an expired cursor with an error that does not name it. Then a request without
// the cursor shows whether it is the cursor.

// isStuck reports whether runs in a row have failed at the cursor with which this one began, this one
// among them, although the API answers a request without it.
func (w *Walk) isStuck(ctx context.Context, err error) bool {
	var file *model.FileError
	switch {
	case err == nil, w.recovery.startCursor == "", w.at.request != api.Request{Cursor: w.recovery.startCursor}, w.recovery.failedRuns+1 < mostFailedRuns, ctx.Err() != nil,
		errors.Is(err, dispatch.ErrClosed), errors.As(err, &file):
		return false
	}
	return w.answersWithout(ctx, "")
}

// mostFailedRuns is how many runs in a row may fail at the same cursor before another way is
// tried.
const mostFailedRuns = 3

// countBroken counts failures in a row that may be the cursor's: 5xx, or no page and no answer at
// all. Only an answer makes them anything.
func (w *Walk) countBroken(before int, err error) int {
	var answer *api.APIError
	switch {
	case err == nil, errors.As(err, &answer) && answer.Means != api.MeansFailed:
		return 0
	}
	return before + 1
}

// isDead reports whether it is the cursor that an answer refuses which does not say so: a 4xx, or,
// once the cursor's own end has passed, a second failure in a row, where a request without it succeeds.
func (w *Walk) isDead(ctx context.Context, endpoint string, err error, broken int) bool {
	var answer *api.APIError
	if w.at.request.Cursor == "" || err == nil || ctx.Err() != nil {
		return false
	}
	switch {
	case errors.As(err, &answer) && answer.Means == api.MeansCursorSuspect:
	case broken >= 2 && broken%2 == 0 && w.outlived():
	default:
		return false
	}
	return w.answersWithout(ctx, endpoint)
}

// usualLife is how long a cursor counts as alive that does not say so. The service's own live for
// two minutes.
const usualLife = 2 * time.Minute

// outlived reports whether the cursor's own end has passed. Of one from an earlier run that did
// not say it is not known.
func (w *Walk) outlived() bool {
	switch {
	case !w.at.expires.IsZero():
		return !time.Now().Before(w.at.expires)
	case w.at.request.Cursor == w.recovery.startCursor:
		return true
	}
	return time.Since(w.at.received) > usualLife
}

// answersWithout reports whether the endpoint, or any where that is empty, gives a page to a request
// without a cursor.
func (w *Walk) answersWithout(ctx context.Context, endpoint string) bool {
	w.discard()
	for _, limit := range []int{1, 0} { // some want more than one event, or refuse to send a few
		f := w.request(ctx, api.Request{Limit: limit, Only: endpoint})
		err := f.err
		if err == nil {
			_, err = f.Buffer.Decode(decode.New())
		}
		w.Buffers.Release(f.Buffer)
		if err == nil {
			return true
		}
		var answer *api.APIError
		if !errors.As(err, &answer) || answer.Means != api.MeansBoundRefused {
			return false
		}
	}
	return false
}
