package dispatch

import (
	"cmp"
	"slices"
	"time"

	"datasync/ingest/api"
	"datasync/ingest/pacer"
)

// Trouble is why no pages arrive at one moment. Its zero value means no trouble.
type Trouble struct {
	// Waits has the endpoints that may not be asked yet because an answer said so, by name.
	Waits []Wait
	// Retries has, for each endpoint, the request that has failed for longest, ordered by failures,
	// most first.
	Retries []Retrying
	// Stalled says that no page has arrived since the failure of the first of Retries.
	Stalled bool
	// SilentSince is when the last byte arrived, or the first request was sent, while requests are in flight;
	// otherwise zero.
	SilentSince time.Time
}

// Wait is the wait that an endpoint asked for.
type Wait struct {
	Endpoint string
	// Why is an HTTP status such as "429", or another reason.
	Why   string
	Until time.Time
}

// Retrying is a failed request that will be sent again.
type Retrying struct {
	// Endpoint is the one that failed last.
	Endpoint string
	// Failures counts the failures in a row, and so numbers the next retry.
	Failures int
	// Err is the last failure.
	Err error
	// Next is when the request is sent again; afterwards it is in the past. From GivesUp on, another failure ends
	// the pull, unless the API asks for a wait meanwhile.
	Next, GivesUp time.Time
	pages         int64 // that had arrived before the failure
}

// retrying records a request that is about to be sent again.
func (d *Dispatcher) retrying(r *Retrying, next time.Time, left time.Duration) {
	d.mu.Lock()
	defer d.mu.Unlock()
	r.Next, r.GivesUp, r.pages = next, time.Now().Add(left), d.load.pages
	if d.retries == nil {
		d.retries = map[*Retrying]Retrying{}
	}
	d.retries[r] = *r
}

// retried records that a request has ended.
func (d *Dispatcher) retried(r *Retrying) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if last, ok := d.retries[r]; ok && r.Err != nil {
		d.gaveUp = last
	}
	delete(d.retries, r)
}

// Unanswered returns the last failure of the request that was retried when the walks ended. It returns nil if a page
// has arrived since, or if the endpoint has asked for a wait.
func (d *Dispatcher) Unanswered() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if p := d.endpoints[d.gaveUp.Endpoint]; p == nil || p.opensAt.After(time.Now()) || d.gaveUp.pages != d.load.pages {
		return nil
	}
	return d.gaveUp.Err
}

// Trouble returns why no pages arrive now.
func (d *Dispatcher) Trouble() Trouble {
	d.mu.Lock()
	defer d.mu.Unlock()
	var t Trouble
	now := time.Now()
	for _, name := range []string{api.Events, api.Feed, api.StreamAccess} {
		if p := d.endpoints[name]; p.opensAt.After(now) && (name != api.Feed || !d.feed.abandoned) {
			t.Waits = append(t.Waits, Wait{name, p.reason, p.opensAt})
		}
	}
	for _, r := range d.retries {
		i := slices.IndexFunc(t.Retries, func(other Retrying) bool { return other.Endpoint == r.Endpoint })
		switch {
		case i < 0:
			t.Retries = append(t.Retries, r)
		case r.Failures > t.Retries[i].Failures:
			t.Retries[i] = r
		}
	}
	slices.SortFunc(t.Retries, func(a, b Retrying) int {
		return cmp.Or(b.Failures-a.Failures, cmp.Compare(a.Endpoint, b.Endpoint))
	})
	t.Stalled = len(t.Retries) > 0 && t.Retries[0].pages == d.load.pages
	if d.load.clock.Now(pacer.Fetching) > 0 {
		t.SilentSince = Later(d.load.busySince, d.client.HeardAt())
	}
	return t
}
