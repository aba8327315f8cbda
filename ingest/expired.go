package ingest

import (
	"context"
	"datasync/ingest/api"
	"datasync/ingest/decode"
	"datasync/ingest/dispatch"
	"datasync/internal/model"
	"errors"
	"time"
)

// An API may answer an expired cursor with an error that does not name it. Then a request without
// the cursor shows whether it is the cursor.

// isStuck reports whether runs in a row have failed at the cursor with which this one began, this one
// among them, although the API answers a request without it.
func (w *walk) isStuck(ctx context.Context, err error) bool {
	var file *model.FileError
	switch {
	case err == nil, w.tried == "", w.at != api.Request{Cursor: w.tried}, w.failedRuns+1 < mostFailedRuns, ctx.Err() != nil,
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
func (w *walk) countBroken(before int, err error) int {
	var answer *api.APIError
	switch {
	case err == nil, errors.As(err, &answer) && answer.Means != api.MeansFailed:
		return 0
	}
	return before + 1
}

// isDead reports whether it is the cursor that an answer refuses which does not say so: a 4xx, or,
// once the cursor's own end has passed, a second failure in a row, where a request without it succeeds.
func (w *walk) isDead(ctx context.Context, endpoint string, err error, broken int) bool {
	var answer *api.APIError
	if w.at.Cursor == "" || err == nil || ctx.Err() != nil {
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
func (w *walk) outlived() bool {
	switch {
	case !w.dies.IsZero():
		return !time.Now().Before(w.dies)
	case w.at.Cursor == w.tried:
		return true
	}
	return time.Since(w.got) > usualLife
}

// answersWithout reports whether the endpoint, or any where that is empty, gives a page to a request
// without a cursor.
func (w *walk) answersWithout(ctx context.Context, endpoint string) bool {
	w.discard()
	for _, limit := range []int{1, 0} { // some want more than one event, or refuse to send a few
		f := w.ask(ctx, api.Request{Limit: limit, Only: endpoint})
		err := f.err
		if err == nil {
			_, err = f.sheet.Decode(decode.New())
		}
		w.sheets.Release(f.sheet)
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
