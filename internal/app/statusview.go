package app

import (
	"fmt"
	"time"

	"datasync/internal/inspect"
	"datasync/internal/term"
)

// statusView is a status for display.
type statusView struct {
	inspect.Status
	// pull is the running pull; it is nil where none answered.
	pull    *runningPull
	samples []inspect.RejectSample
	now     time.Time
}

// statusJSON is the output of status --json.
type statusJSON struct {
	inspect.Status
	Pull    *pullStatusJSON        `json:"pull"`
	Samples []inspect.RejectSample `json:"rejected_samples,omitempty"`
}

// pullStatusJSON is a running pull in the JSON of a status.
type pullStatusJSON struct {
	PID   int       `json:"pid"`
	Began time.Time `json:"began"`
	// Read counts the elements that this run has read, Walked those of its current window.
	// Total is nil where the API does not say how many there are.
	Read     int64   `json:"read"`
	Walked   int64   `json:"walked"`
	Total    *int64  `json:"total"`
	Rate     float64 `json:"events_per_second"`
	Left     float64 `json:"left_s"`
	Endpoint string  `json:"endpoint"`
	// Waiting is the endpoint that the pull waits for, Why the reason, Until the end.
	Waiting string     `json:"waiting_for,omitempty"`
	Why     string     `json:"why,omitempty"`
	Until   *time.Time `json:"until,omitempty"`
}

// text returns the status for a person.
func (v statusView) text(opts statusOptions) string {
	t := opts.statusText(v.now)
	t.writeFacts(v)
	if opts.verbose {
		t.writeDetails(v)
	}
	for _, sample := range v.samples {
		t.line("reject", "%s", term.Visible(fmt.Sprintf("%s: %.200s", sample.Reason, sample.Raw)))
	}
	return t.String()
}

func (v statusView) json() statusJSON { return statusJSON{v.Status, v.pull.json(v.now), v.samples} }

func (r *runningPull) json(now time.Time) *pullStatusJSON {
	if r == nil {
		return nil
	}
	s := r.Standing
	out := &pullStatusJSON{PID: r.PID, Began: s.Began, Read: s.Read, Walked: s.Walked, Endpoint: s.Endpoint, Left: s.Left.Seconds()}
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
