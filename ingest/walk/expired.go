package walk

import (
	"context"
	"errors"
	"fmt"
	"time"

	"datasync/ingest/api"
	"datasync/ingest/decode"
	"datasync/ingest/dispatch"
	"datasync/internal/model"
)

// An API may answer an expired cursor with an error that does not name it. Then a request without
// the cursor shows whether it is the cursor.

// doubtedExpiry is an answer by which a cursor has expired, and which does not count as that yet.
type doubtedExpiry struct {
	text   string
	answer *api.Error // as a failure that may pass; nil if the cursor failed by another answer
}

func (e *doubtedExpiry) Error() string { return e.text }

// Unwrap returns the answer.
func (e *doubtedExpiry) Unwrap() error {
	if e.answer == nil {
		return nil
	}
	return e.answer
}

// doubt returns the error of a cursor that should live until expires.
func doubt(err error, expires time.Time) error {
	doubted := &doubtedExpiry{text: fmt.Sprintf("%v, though it should live until %s", err, expires.UTC().Format(time.TimeOnly))}
	var answer *api.Error
	if errors.As(err, &answer) {
		failed := *answer
		failed.Means, failed.Kind = api.MeansFailed, nil
		doubted.answer = &failed
	}
	return doubted
}

// cursorKeepsFailing reports whether maxFailedRuns in a row, this one included, have failed at the cursor with
// which this run began. A request without the cursor must succeed.
func (w *Walk) cursorKeepsFailing(ctx context.Context, err error) bool {
	var file *model.FileError
	switch {
	case err == nil, w.recovery.startCursor == "", w.next.request != api.Request{Cursor: w.recovery.startCursor}, w.recovery.failedRuns+1 < maxFailedRuns, ctx.Err() != nil,
		errors.Is(err, dispatch.ErrWaitTooLong), errors.As(err, &file):
		return false
	}
	return w.answersWithout(ctx, "")
}

// maxFailedRuns is how many runs in a row may fail at the same cursor before the walk tries another way.
const maxFailedRuns = 3

// countBroken counts failures in a row that the cursor may cause: 5xx, no page, or no answer at all.
func (w *Walk) countBroken(before int, err error) int {
	var answer *api.Error
	switch {
	case err == nil, errors.As(err, &answer) && answer.Means != api.MeansFailed:
		return 0
	}
	return before + 1
}

// isExpired reports whether the cursor has expired although the answer does not say so. It has if a request
// without it succeeds after a 4xx or, once the cursor's life is over, after a second failure in a row.
func (w *Walk) isExpired(ctx context.Context, endpoint string, err error, broken int) bool {
	var answer *api.Error
	if w.next.request.Cursor == "" || err == nil || ctx.Err() != nil {
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

// usualLife is how long a cursor lives if the API does not say. The service's cursors live for two minutes.
const usualLife = 2 * time.Minute

// outlived reports whether the cursor's life is over. A cursor of an earlier run without an expiry may be of
// any age.
func (w *Walk) outlived() bool {
	switch {
	case !w.next.expires.IsZero():
		return !time.Now().Before(w.next.expires)
	case w.next.request.Cursor == w.recovery.startCursor:
		return true
	}
	return time.Since(w.next.received) > usualLife
}

// answersWithout reports whether the endpoint, or any if that is empty, answers a request without a cursor
// with a page.
func (w *Walk) answersWithout(ctx context.Context, endpoint string) bool {
	w.discard()
	for _, limit := range []int{1, 0} { // some endpoints refuse a limit of 1
		f := w.request(ctx, api.Request{Limit: limit, Only: endpoint})
		err := f.err
		if err == nil {
			_, err = f.Buffer.Decode(decode.New())
		}
		w.Buffers.Release(f.Buffer)
		if err == nil {
			return true
		}
		var answer *api.Error
		if !errors.As(err, &answer) || answer.Means != api.MeansBoundRefused {
			return false
		}
	}
	return false
}
