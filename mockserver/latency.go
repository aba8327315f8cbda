package mockserver

import (
	"time"
)

// PageLatency returns the latency of a page with that many events and inFlight requests in flight,
// itself included. It is not scaled.
func (p Pages) PageLatency(inFlight, events int) time.Duration {
	return p.Latency + load(p.Load, inFlight, events)
}

// load interpolates a load curve.
func load(curve []LoadPoint, inFlight, events int) time.Duration {
	if len(curve) == 0 || events == 0 {
		return 0
	}
	right := 0
	for right < len(curve)-1 && curve[right].InFlight < inFlight {
		right++
	}
	at := float64(curve[right].Latency)
	if right > 0 && curve[right].InFlight != inFlight {
		a, b := curve[right-1], curve[right]
		slope := float64(b.Latency-a.Latency) / float64(b.InFlight-a.InFlight)
		at = float64(a.Latency) + slope*float64(inFlight-a.InFlight)
	}
	return time.Duration(at * float64(events) / 5000)
}
