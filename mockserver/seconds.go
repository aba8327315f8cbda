package mockserver

import (
	"math"
	"strconv"
	"time"
)

// wholeSeconds rounds up, so that a client that keeps the wait is not early.
func wholeSeconds(d time.Duration) int64 {
	return int64((d + time.Second - 1) / time.Second)
}

// waitSeconds returns a wait as JSON: whole seconds like the service's, or decimals (rounded up to
// a millisecond) if the time scale is not 1.
func (s *Server) waitSeconds(d time.Duration) string {
	if s.opts.TimeScale == 1 {
		return strconv.FormatInt(wholeSeconds(d), 10)
	}
	ms := (d + time.Millisecond - 1) / time.Millisecond
	return strconv.FormatFloat(float64(ms)/1000, 'f', -1, 64)
}

// lifeSeconds returns a lifetime as JSON, rounded down.
func lifeSeconds(d time.Duration) string {
	return strconv.FormatFloat(float64(d.Milliseconds())/1000, 'f', -1, 64)
}

func durationOf(seconds string) time.Duration {
	f, err := strconv.ParseFloat(seconds, 64)
	if err != nil {
		return 0
	}
	return time.Duration(math.Round(f * 1e9))
}
