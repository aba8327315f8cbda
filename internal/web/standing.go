package web

import (
	"encoding/json"
	"math"
	"time"

	"datasync/internal/report"
)

// State is what a pull does, in a word.
type State string

// The states of a page.
const (
	Idle    State = "idle"    // no pull runs
	Pulling State = "pulling" // pages arrive
	Waiting State = "waiting" // no endpoint may be asked now, or requests fail
	Ended   State = "ended"   // the server is about to end
)

// The states of an endpoint.
const (
	EndpointOpen    = "open"
	EndpointWaiting = "waiting"
	EndpointFailing = "failing"
)

// Standing is what a pull does at one moment. The zero value says that no pull runs.
type Standing struct {
	State State
	// Batch is the last one that is committed, Events how many events are stored; -1 if a pull of an earlier version
	// does not say.
	Batch, Events int64
	// Walked counts the elements of the current window. Total is how many the API has, 0 if that is not known.
	Walked, Total int64
	// Left estimates the remaining time, 0 if there is no estimate.
	Left      time.Duration
	Endpoints []Endpoint
	Parts     []Part
}

// Endpoint is an endpoint of the API.
type Endpoint struct {
	Name string
	// State is one of the constants, Reason says why it is not open. Until is when it opens, or zero.
	State, Reason string
	Until         time.Time
	// Read is how many elements the pull has read from it.
	Read int64
}

// Part is the current window, or a shard of it.
type Part struct {
	Number, Walked int64
	// At is the instant of the last event read, or zero.
	At   time.Time
	Done bool
	// Share is the part of its time that is read, 0 to 1; negative if that is not known.
	Share float64
}

// stateLine is the line of a stream that says what goes on.
type stateLine struct {
	Kind  string `json:"kind"`
	State State  `json:"state"`
	// Exit is the exit code of a pull that has ended.
	Exit  *int   `json:"exit"`
	Badge badge  `json:"badge"`
	File  string `json:"file"`
	// Batch and Events are null where they are not known.
	Batch     *int64     `json:"batch"`
	Clock     string     `json:"clock"`
	Events    *int64     `json:"events"`
	Total     *int64     `json:"total"`
	Percent   *int64     `json:"percent"`
	Rate      *float64   `json:"rate"`
	Left      *float64   `json:"left_s"`
	DoneAt    string     `json:"done_at,omitempty"`
	Endpoints []endpoint `json:"endpoints"`
	Shards    []shard    `json:"shards"`
	// Trouble says why the file, or the pull, could not be read; "" if it could.
	Trouble string `json:"trouble,omitempty"`
	// Zone is the time zone of all days and hours.
	Zone string `json:"zone"`
}

type badge struct {
	Tone report.Tone `json:"tone"`
	Text string      `json:"text"`
}

type endpoint struct {
	Name   string   `json:"name"`
	State  string   `json:"state"`
	Reason string   `json:"reason"`
	Events int64    `json:"events"`
	Left   *float64 `json:"left_s"`
}

type shard struct {
	Number  int64  `json:"number"`
	Events  int64  `json:"events"`
	Percent *int64 `json:"percent"`
	At      string `json:"at,omitempty"`
	Done    bool   `json:"done"`
}

// endpointName is the name of an endpoint for people.
func endpointName(name string) string {
	if name == "events" {
		return "events endpoint"
	}
	return name
}

// clock writes an instant for the page.
func clock(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// line returns the line of a standing.
func (s *Standing) line(now time.Time) stateLine {
	l := stateLine{Kind: "state", State: s.State, Clock: clock(now), Endpoints: []endpoint{}, Shards: []shard{}}
	if l.State == "" {
		l.State = Idle
	}
	if s.Batch >= 0 {
		l.Batch = &s.Batch
	}
	if s.Events >= 0 {
		l.Events = &s.Events
	}
	if s.Total > 0 {
		percent := min(100, 100*s.Walked/s.Total)
		l.Total, l.Percent = &s.Total, &percent
	}
	if s.Left > 0 {
		left := math.Ceil(s.Left.Seconds())
		l.Left, l.DoneAt = &left, clock(now.Add(s.Left))
	}
	for _, e := range s.Endpoints {
		out := endpoint{Name: endpointName(e.Name), State: e.State, Reason: e.Reason, Events: e.Read}
		if left := e.Until.Sub(now); !e.Until.IsZero() && left > 0 {
			seconds := math.Ceil(left.Seconds())
			out.Left = &seconds
		}
		l.Endpoints = append(l.Endpoints, out)
	}
	for _, p := range s.Parts {
		out := shard{Number: p.Number, Events: p.Walked, Done: p.Done}
		if p.Done {
			p.Share = 1
		}
		if p.Share >= 0 {
			percent := int64(100 * min(1, p.Share))
			out.Percent = &percent
		}
		if !p.At.IsZero() {
			out.At = clock(p.At)
		}
		l.Shards = append(l.Shards, out)
	}
	return l
}

// sectionLine is the line of a stream that has a section.
type sectionLine struct {
	Kind string `json:"kind"`
	ID   string `json:"id"`
	// Order is the place of the section on the page, from 0.
	Order int    `json:"order"`
	HTML  string `json:"html"`
	Chip  string `json:"chip"`
	// Batch is the one that the section is as of, At when it was read, and Live says that it follows each batch.
	Batch int64  `json:"batch"`
	At    string `json:"at,omitempty"`
	Live  bool   `json:"live"`
	// Stale says that the section could not be drawn again.
	Stale bool `json:"stale"`
}

// chipLine is the line of a stream that has the new chip of a section. The other members are as in sectionLine: a
// section that a newer reading does not change is of the newer batch.
type chipLine struct {
	Kind  string `json:"kind"`
	ID    string `json:"id"`
	Chip  string `json:"chip"`
	Batch int64  `json:"batch"`
	At    string `json:"at,omitempty"`
	Live  bool   `json:"live"`
	// Stale is that of sectionLine.
	Stale bool `json:"stale"`
}

// encoded returns a value as a line of JSON.
func encoded(v any) []byte {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err) // its types have no such value
	}
	return append(b, '\n')
}
