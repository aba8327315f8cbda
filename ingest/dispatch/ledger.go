package dispatch

import (
	"errors"
	"slices"
	"strconv"
	"time"

	"datasync/ingest/api"
	"datasync/ingest/pacer"
	"datasync/internal/model"
)

const (
	// shortestWait is how long a wait is that is kept apart. A shorter one counts together with the last one of its kind, so that a pull with many pauses has few rows.
	shortestWait = time.Second
	// maxFacts is how many waits, and how many refusals, are kept apart between two batches. After that those of a
	// kind count together.
	maxFacts = 32
)

// ledger records waits and refusals until a batch takes them. The dispatcher's lock guards it.
type ledger struct {
	waits    []model.Wait // that have ended
	refusals []model.Refusal
	// holds has the waits of the endpoints that are closed.
	holds map[string]*openWait
	// idling has the waits for which a walk sends no request, the first one first. Time without a request in
	// flight counts for that one.
	idling []*openWait
	idle   time.Duration // that is counted
}

// openWait is a wait that has not ended.
type openWait struct {
	model.Wait
	// until is when it ends; zero if that is not known.
	until time.Time
	users int // walks that idle because of it
}

// newWait returns a wait that begins now.
func newWait(endpoint, reason, answer string, now time.Time) *openWait {
	return &openWait{Wait: model.Wait{Endpoint: endpoint, Reason: reason, Answer: answer, Began: now, Count: 1}}
}

// hold records that the endpoint is closed until then. Ordered is the wait that it named, or 0. A second
// answer that asks for the same extends the wait.
func (l *ledger) hold(endpoint, reason, answer string, ordered time.Duration, now, until time.Time) {
	l.endHolds(now)
	h := l.holds[endpoint]
	if h == nil || h.Reason != reason || h.Answer != answer {
		l.release(endpoint, now)
		h = newWait(endpoint, reason, answer, now)
		if l.holds == nil {
			l.holds = map[string]*openWait{}
		}
		l.holds[endpoint] = h
	}
	h.until = until
	if ordered > 0 {
		h.Ordered = max(h.Ordered, now.Sub(h.Began)+ordered)
	}
}

// release ends the endpoint's hold, if it has one. A walk that idles because of it goes on until it looks again.
func (l *ledger) release(endpoint string, now time.Time) {
	if h := l.holds[endpoint]; h != nil {
		delete(l.holds, endpoint)
		h.until = now
		l.settle(h)
	}
}

// endHolds ends the holds that are over.
func (l *ledger) endHolds(now time.Time) {
	for _, endpoint := range []string{api.Events, api.Feed, api.StreamAccess} {
		if h := l.holds[endpoint]; h != nil && !h.until.After(now) && h.users == 0 {
			l.release(endpoint, h.until)
		}
	}
}

// settle keeps a wait that has ended, unless a walk still idles because of it.
func (l *ledger) settle(w *openWait) {
	if w.users > 0 {
		return
	}
	w.Ended = w.until
	w.Actual = w.Ended.Sub(w.Began)
	l.add(w.Wait)
}

// add keeps a wait that has ended.
func (l *ledger) add(w model.Wait) {
	for i := len(l.waits) - 1; i >= 0; i-- {
		v := &l.waits[i]
		if v.Same(&w) && (w.Actual < shortestWait && v.Actual < time.Duration(v.Count)*shortestWait || len(l.waits) >= maxFacts) {
			v.Add(w)
			return
		}
	}
	l.waits = append(l.waits, w)
}

// refuse keeps a refusal.
func (l *ledger) refuse(endpoint, what, answer string, now time.Time) {
	r := model.Refusal{Endpoint: endpoint, Refused: what, Answer: answer, First: now, Last: now, Count: 1}
	for i := len(l.refusals) - 1; i >= 0; i-- {
		if s := &l.refusals[i]; s.Same(&r) && (len(l.refusals) >= maxFacts || now.Sub(s.Last) < shortestWait) {
			s.Add(r)
			return
		}
	}
	l.refusals = append(l.refusals, r)
}

// count adds the time without a request in flight since the last call to the wait that began first. Waiting is the
// clock's sum of such time.
func (l *ledger) count(waiting time.Duration) {
	if len(l.idling) > 0 {
		l.idling[0].Idle += waiting - l.idle
	}
	l.idle = waiting
}

// take returns the facts that have ended, and forgets them.
func (l *ledger) take() (waits []model.Wait, refusals []model.Refusal) {
	waits, refusals = l.waits, l.refusals
	l.waits, l.refusals = nil, nil
	return waits, refusals
}

// beginIdling records that a walk sends no request because of the wait. The lock is held; the returned function,
// which ends that, takes it.
func (d *Dispatcher) beginIdling(w *openWait, now time.Time) (end func()) {
	d.load.clock.Begin(pacer.Waiting, now)
	d.countIdle(now)
	if w.users++; w.users == 1 {
		d.ledger.idling = append(d.ledger.idling, w)
	}
	return func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.endIdling(w, time.Now())
	}
}

// endIdling ends what beginIdling began. A wait that is neither a hold nor pacing has ended then.
func (d *Dispatcher) endIdling(w *openWait, now time.Time) {
	d.load.clock.End(pacer.Waiting, now)
	d.countIdle(now)
	if w.users--; w.users > 0 {
		return
	}
	d.ledger.idling = slices.DeleteFunc(d.ledger.idling, func(v *openWait) bool { return v == w })
	if d.ledger.holds[w.Endpoint] == w && w.until.After(now) {
		return
	}
	if d.ledger.holds[w.Endpoint] == w {
		delete(d.ledger.holds, w.Endpoint)
	}
	if w.until = now; w.Reason != model.WaitPacing {
		d.ledger.settle(w)
	}
}

// countIdle adds the time without a request in flight up to now to the wait that causes it.
func (d *Dispatcher) countIdle(now time.Time) {
	_, waiting := d.load.clock.Spent(now)
	d.ledger.count(waiting)
}

// beginWait records that a request waits until the endpoint may be asked: the endpoint is held off, or its limit is
// used up. The returned function ends that. Pacing is the wait for the limit; each answer interrupts it, so the
// request continues the one before, until endPacing.
func (d *Dispatcher) beginWait(p *endpoint, before *openWait) (pacing *openWait, end func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := time.Now()
	d.ledger.endHolds(now)
	if h := d.ledger.holds[p.name]; h != nil && p.opensAt.After(now) {
		return before, d.beginIdling(h, now)
	}
	if before != nil && before.Endpoint != p.name {
		d.ledger.settle(before)
		before = nil
	}
	if before == nil {
		before = newWait(p.name, model.WaitPacing, "", now)
	}
	return before, d.beginIdling(before, now)
}

// endPacing records the wait of a request for the limit, if there was one.
func (d *Dispatcher) endPacing(w *openWait) {
	if w == nil {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ledger.settle(w)
}

// beginPause records that a walk pauses after a request to the endpoint failed. The returned function ends that.
func (d *Dispatcher) beginPause(endpoint string, failure error) (end func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := time.Now()
	return d.beginIdling(newWait(endpoint, model.WaitRetry, api.Brief(failure), now), now)
}

// recordRefusal records what an answer refuses.
func (l *ledger) recordRefusal(answer *api.Error, now time.Time) {
	what := ""
	switch answer.Means {
	case api.MeansRateLimited:
		what = model.RefusedRate
	case api.MeansTokenRefused:
		what = model.RefusedToken
	case api.MeansKeyRefused:
		what = model.RefusedKey
	case api.MeansCursorExpired:
		what = model.RefusedCursor
	case api.MeansPageTooLarge:
		what = model.RefusedPageSize
	default:
		return
	}
	l.refuse(answer.Endpoint, what, strconv.Itoa(answer.Status), now)
}

// CursorRefused records that the endpoint refuses a cursor, although its answer does not say so.
func (d *Dispatcher) CursorRefused(endpoint string, answer error) {
	var said *api.Error
	if errors.As(answer, &said) && said.Means == api.MeansCursorExpired {
		return // recorded when it arrived
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ledger.refuse(endpoint, model.RefusedCursor, api.Brief(answer), time.Now())
}

// TakeFacts returns the waits and refusals that have ended since the last call.
func (d *Dispatcher) TakeFacts() model.Facts {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.ledger.endHolds(time.Now())
	waits, refusals := d.ledger.take()
	return model.Facts{Waits: waits, Refusals: refusals}
}

// EndFacts is TakeFacts at the end of the pull: waits end with it.
func (d *Dispatcher) EndFacts() model.Facts {
	d.mu.Lock()
	now := time.Now()
	d.countIdle(now)
	d.ledger.endHolds(now)
	for _, endpoint := range []string{api.Events, api.Feed, api.StreamAccess} {
		d.ledger.release(endpoint, now)
	}
	d.mu.Unlock()
	return d.TakeFacts()
}
