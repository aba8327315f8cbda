package walk

import (
	"database/sql"
	"errors"
	"fmt"
	"time"

	"datasync/ingest/api"
	"datasync/internal/human"
	"datasync/internal/model"
)

const (
	// maxFailures is how many ways on may fail in a row before the walk has got further down than before.
	maxFailures = 3
	// maxRestarts is how often a walk restarts because events may have moved past it.
	maxRestarts = 2
)

// recover finds another way to resume after the last one has failed: by the time of the last event, then by a
// renewed cursor if that is allowed, then from the window's newest event.
func (w *Walk) recover(cause error) error {
	w.discard()
	if w.scope.isShard && !w.low.Valid {
		return fmt.Errorf("%w: %w", ErrUnreachable, cause)
	}
	r, failed := &w.recovery, w.next.request.Cursor
	if r.deeper {
		// A way that failed further up may work here.
		r.failures, r.timeTried, r.renewed = 0, false, ""
	}
	if errors.Is(cause, errMoved) {
		return w.restart(cause)
	}
	if r.failures++; r.failures > maxFailures {
		return fmt.Errorf("%w: %d ways on in a row have failed (%w)", ErrNoProgress, r.failures, cause)
	}
	if w.state.afterTime && errors.Is(cause, ErrNotProven) {
		r.timeTried = true
	}
	if failed != "" && r.renewed != failed {
		r.expired = failed
	}
	r.deeper = false
	// A cursor that counts from the newest event may shift again after a page by time. A walk from
	// the newest event is always right.
	ordered := w.low.Valid && !w.unordered && !w.last.mayCount
	anonymous := w.anonymous
	w.leavePage()
	if ordered && !r.timeTried && !w.Dispatcher.FeedAbandoned() {
		r.timeTried = true // until it has been proven
		w.state = state{mode: searching, proof: ProofByTime(w.low.V)}
		w.next.request = ByTime(w.low.V.Timestamp)
		w.Observer.Resumed(ByLastEvent, fmt.Sprintf("%v: resuming by the time of the last event, %s", cause, w.low.V.Timestamp.Time().Format(time.RFC3339Nano)))
		return nil
	}
	if renewed, ok := api.RenewCursor(r.expired, time.Now()); ok && ordered && w.RenewCursors && r.renewed == "" {
		r.renewed = renewed
		w.state, w.anonymous = w.confirm(), anonymous // its position is unchanged
		w.next.request = api.Request{Cursor: renewed}
		w.Observer.Resumed(ByRenewedCursor, fmt.Sprintf("%v: resuming by a renewed cursor", cause))
		return nil
	}
	return w.restart(cause)
}

// leavePage forgets the last page, as the walk does not continue from it.
func (w *Walk) leavePage() {
	w.next = nextRequest{request: w.next.request, resumed: true, received: w.next.received}
	w.state, w.last, w.loop, w.anonymous.Counts = state{}, reading{}, newLoopDetector(), nil
}

// restart resumes at the window's newest event.
func (w *Walk) restart(cause error) error {
	if w.scope.isShard {
		return fmt.Errorf("%w: %w", ErrUnreachable, cause)
	}
	if errors.Is(cause, errMoved) {
		if w.recovery.restarts++; w.recovery.restarts > maxRestarts {
			return fmt.Errorf("%w: %w", ErrMissing, cause)
		}
	}
	w.leavePage()
	again := ""
	if each := w.Dispatcher.PageTime(); each > 0 {
		again = fmt.Sprintf(" (about %s)", human.Span((each * time.Duration(w.pages)).Round(time.Second)))
	}
	w.Observer.Resumed(FromNewestEvent, fmt.Sprintf("%v: restarting from the newest event, %s again%s, skipping stored events", cause, human.Counted(w.pages, "page"), again))
	w.next.request, w.pages, w.low = api.Request{}, 0, sql.Null[model.Position]{}
	return nil
}

// ByTime returns the request for the newest page whose events are of the instant's millisecond or older.
func ByTime(at model.Instant) api.Request {
	return api.Request{Until: at.Millisecond() + 1, Bounded: true}
}
