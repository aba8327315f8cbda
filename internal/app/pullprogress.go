package app

import (
	"fmt"
	"strings"
	"time"

	"datasync/ingest"
	"datasync/internal/term"
)

// pullProgress describes a pull on stderr: as a bar on a terminal, else as lines.
func pullProgress(progress *ingest.Progress) term.Progress {
	return term.Progress{
		Count: func() (done, total int64) {
			s := progress.Now()
			return s.Walked, max(s.Total, s.Walked+1) // the total may be unknown
		},
		Before: func(time.Time) string { return eventsRead(progress.Now()) + " " },
		After:  func(now time.Time) string { return " " + activity(progress.Now(), now) },
		Line: func(now time.Time) string {
			s := progress.Now()
			return eventsRead(s) + ", " + activity(s, now)
		},
	}
}

// eventsRead says how many events were read, as in "1,200,000 of 3,000,000 events (40 %)".
func eventsRead(s ingest.Snapshot) string {
	if s.Total <= 0 {
		return term.Thousands(s.Walked) + " events"
	}
	return fmt.Sprintf("%s of %s events (%d %%)", term.Thousands(s.Walked), term.Thousands(s.Total), min(100, 100*s.Walked/s.Total))
}

// activity says how fast the pull is, what it does, and how long it still takes.
func activity(s ingest.Snapshot, now time.Time) string {
	var parts []string
	if took := now.Sub(s.Began); s.Read > 0 && took > 0 {
		parts = append(parts, term.Thousands(int64(float64(s.Read)/took.Seconds()))+" events/s")
	}
	switch {
	case s.Waiting != "":
		parts = append(parts, fmt.Sprintf("waiting %d s (%s endpoint: %s)", max(0, int(s.Until.Sub(now).Seconds()+0.999)), s.Waiting, s.Why))
	case s.Endpoint != "":
		parts = append(parts, "from "+s.Endpoint)
	}
	if left := s.Left; left > 0 {
		parts = append(parts, left.Round(time.Second).String()+" left")
	}
	return strings.Join(parts, ", ")
}
