package app

import (
	"context"
	"time"

	"datasync/ingest"
	"datasync/internal/dbfile"
	"datasync/internal/inspect"
	"datasync/internal/live"
)

// running is a pull that is under way, as it says itself.
type running struct {
	PID      int
	Standing ingest.Snapshot
}

// liveStatus is what a pull answers when it is asked for its status.
type liveStatus struct {
	Status  inspect.Status
	Samples []inspect.RejectSample
	Pull    running
}

// askStatus asks the pull that works on the file at path. It fails with live.ErrNone
// where there is none that answers.
func (p *program) askStatus(ctx context.Context, path string) (seen, error) {
	var answer liveStatus
	if err := p.asking(ctx, path, func() error { return live.Status(ctx, path, &answer) }); err != nil {
		return seen{}, err
	}
	s := seen{Status: answer.Status, samples: answer.Samples, pull: &answer.Pull, now: time.Now()}
	var err error
	s.LockHolder, err = dbfile.LockHolder(path)
	return s, err
}

// pullStatus is a running pull in the JSON of a status.
type pullStatus struct {
	PID   int       `json:"pid"`
	Began time.Time `json:"began"`
	// Read counts the elements that this run has read, Walked those of the window that
	// it walks, Total how many there are; it is nil where that is not known.
	Read     int64   `json:"read"`
	Walked   int64   `json:"walked"`
	Total    *int64  `json:"total"`
	Rate     float64 `json:"events_per_second"`
	Left     float64 `json:"left_s"`
	Endpoint string  `json:"endpoint"`
	// Waiting is the endpoint that is waited for, Why what closed it, Until when it
	// opens.
	Waiting string     `json:"waiting_for,omitempty"`
	Why     string     `json:"why,omitempty"`
	Until   *time.Time `json:"until,omitempty"`
}

func (r *running) status(now time.Time) *pullStatus {
	if r == nil {
		return nil
	}
	s := r.Standing
	out := &pullStatus{PID: r.PID, Began: s.Began, Read: s.Read, Walked: s.Walked, Endpoint: s.Endpoint, Left: s.Left.Seconds()}
	if took := now.Sub(s.Began).Seconds(); took > 0 {
		out.Rate = float64(s.Read) / took
	}
	if s.Total > 0 {
		out.Total = &s.Total
	}
	if s.Waiting != "" {
		out.Waiting, out.Why, out.Until = s.Waiting, s.Why, &s.Until
	}
	return out
}
