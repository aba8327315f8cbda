package ingest_test

import (
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"datasync/mockserver"
)

// errInjected is what a request fails with that was let fail.
var errInjected = errors.New("injected")

// failRequests lets requests fail from the nth on, or that one alone, and reports
// whether there was one.
func (b *bench) failRequests(n int, once bool) (met func() bool, restore func()) {
	var count atomic.Int64
	real := b.opts.Transport
	b.opts.Transport = roundTripper(func(r *http.Request) (*http.Response, error) {
		if i := int(count.Add(1)); i == n || i > n && !once {
			return nil, errInjected
		}
		return real.RoundTrip(r)
	})
	return func() bool { return int(count.Load()) >= n }, func() { b.opts.Transport = real }
}

// TestEveryRequestFails lets the Nth request of a pull fail, for each N until there is
// no such request: once, which the pull outlasts, and from then on, which ends it
// within its bounds, and the next one goes on.
func TestEveryRequestFails(t *testing.T) {
	o := mockserver.Options{
		Data:   mockserver.DataOptions{Events: 1500, DirtyEvery: 40},
		Events: mockserver.Pages{RateLimit: mockserver.RateLimit{Requests: 4, Window: 20 * time.Second}},
		Feed:   mockserver.Pages{Until: mockserver.Inclusive},
		Cursor: mockserver.Cursors{Life: time.Minute, Signed: true},
		Access: mockserver.Access{TokenLife: 10 * time.Second},
	}
	for _, once := range []bool{true, false} {
		for n, more := 1, true; more; n++ {
			inBubble(t, fmt.Sprint("request ", n, ", once: ", once), o, func(b *bench) {
				b.stopAfter(400)
				pass(time.Hour)
				met, restore := b.failRequests(n, once)
				summary, err := b.pull()
				more = met()
				switch {
				case (once || !more) && (err != nil || !summary.Complete):
					b.t.Errorf("%v, complete: %v; told %q", err, summary.Complete, b.notes)
				case !once && more && err == nil:
					// Those that failed were probes, or were to read a page again.
					b.exact()
				case summary.Took > 2*b.opts.MaxRetryTime+2*time.Minute: // two ways on, and what is requested beside them
					b.t.Errorf("took %v", summary.Took)
				}
				restore()
				b.mustPull()
			})
		}
	}
}
