package mockserver

import (
	"time"
)

// window counts the requests of an endpoint in fixed windows.
type window struct {
	ends time.Time
	used int
}

// take counts a request. It reports whether that is within the budget, how many requests remain,
// and how long the window lasts.
func (w *window) take(now time.Time, requests int, length time.Duration) (ok bool, remaining int, left time.Duration) {
	if !now.Before(w.ends) {
		w.ends, w.used = now.Add(length), 0
	}
	ok = w.used < requests
	if ok {
		w.used++
	}
	return ok, max(0, requests-w.used), w.ends.Sub(now)
}
