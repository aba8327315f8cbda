package app

import (
	"time"

	"datasync/ingest/decode"
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
	// Waits has the endpoints that asked for a wait, Retries the failing requests that are sent again.
	Waits   []waitJSON  `json:"waits"`
	Retries []retryJSON `json:"retries"`
	// Silent is how many seconds no byte has arrived although requests are in flight, if at least
	// ten.
	Silent float64 `json:"no_answer_s,omitempty"`
}

// waitJSON is the wait of an endpoint in the JSON of a status.
type waitJSON struct {
	Endpoint string    `json:"endpoint"`
	Why      string    `json:"why"`
	Until    time.Time `json:"until"`
	Left     float64   `json:"left_s"`
}

// retryJSON is a failing request in the JSON of a status. Next is when it is sent again, or was. From GivesUp
// on, another failure ends the pull.
type retryJSON struct {
	Endpoint string    `json:"endpoint"`
	Number   int       `json:"retry"`
	Why      string    `json:"why"`
	Error    string    `json:"error"`
	Next     time.Time `json:"next_at"`
	NextLeft float64   `json:"next_s"`
	GivesUp  time.Time `json:"gives_up_at"`
}

// excerptBytes is how much of a reject is shown.
const excerptBytes = 200

// text returns the status for a person.
func (v statusView) text(opts statusOptions) string {
	t := opts.statusText(v.now)
	t.writeFacts(v)
	if opts.verbose {
		t.writeDetails(v)
	}
	for _, sample := range v.samples {
		t.line("reject", "%s", term.Visible(sample.Reason+": "+decode.Excerpt(sample.Raw, sample.Reason, excerptBytes)))
	}
	return t.String()
}

func (v statusView) json() statusJSON { return statusJSON{v.Status, v.pull.json(v.now), v.samples} }

func (r *runningPull) json(now time.Time) *pullStatusJSON {
	if r == nil {
		return nil
	}
	s := r.Standing
	out := &pullStatusJSON{PID: r.PID, Began: s.Began, Read: s.Read, Walked: s.Walked, Endpoint: s.Endpoint, Left: s.Left.Seconds(), Silent: s.Silent.Seconds(),
		Waits: []waitJSON{}, Retries: []retryJSON{}}
	for _, w := range s.Waits {
		out.Waits = append(out.Waits, waitJSON{w.Endpoint, w.Why, w.Until.UTC(), secondsUntil(w.Until, now)})
	}
	for _, r := range s.Retries {
		out.Retries = append(out.Retries, retryJSON{r.Endpoint, r.Number, r.Why, r.Error, r.Next.UTC(), secondsUntil(r.Next, now), r.GivesUp.UTC()})
	}
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

// secondsUntil returns the seconds until an instant to the millisecond; 0 if it is over.
func secondsUntil(at, now time.Time) float64 {
	return max(0, at.Sub(now)).Round(time.Millisecond).Seconds()
}
