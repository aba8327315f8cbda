package app

import (
	"fmt"
	"slices"
	"time"

	"datasync/ingest"
	"datasync/ingest/api"
	"datasync/internal/web"
)

// standingOf returns the progress of a pull as a page shows it.
func standingOf(s ingest.Snapshot, now time.Time) web.Standing {
	out := web.Standing{State: web.Pulling, Walked: s.Walked, Total: s.Total, Left: s.Left}
	t := trouble{s, now}
	if t.barTexts() != nil {
		out.State = web.Waiting
	}
	endpoint := func(name string) *web.Endpoint {
		i := slices.IndexFunc(out.Endpoints, func(e web.Endpoint) bool { return e.Name == name })
		if i < 0 {
			i = len(out.Endpoints)
			out.Endpoints = append(out.Endpoints, web.Endpoint{Name: name, State: web.EndpointOpen})
		}
		return &out.Endpoints[i]
	}
	endpoint(api.Events)
	endpoint(api.Feed)
	for _, read := range s.Sources {
		endpoint(read.Endpoint).Read = read.Read
	}
	for _, r := range s.Retries {
		e := endpoint(r.Endpoint)
		e.State, e.Reason, e.Until = web.EndpointFailing, fmt.Sprintf("retry %d: %s", r.Number, r.Error), r.Next
		if isStatus(r.Why) {
			e.Reason = fmt.Sprintf("retry %d, answered %s", r.Number, r.Why)
		}
	}
	for _, w := range s.Waits {
		e := endpoint(w.Endpoint)
		e.State, e.Reason, e.Until = web.EndpointWaiting, because(w.Why)+", opens "+w.Until.UTC().Format("15:04:05 MST"), w.Until
	}
	if s.Waiting != "" && len(s.Waits) == 0 {
		e := endpoint(s.Waiting)
		e.State, e.Reason, e.Until = web.EndpointWaiting, because(s.Why)+", opens "+s.Until.UTC().Format("15:04:05 MST"), s.Until
	}
	for _, p := range s.Parts {
		out.Parts = append(out.Parts, web.Part{Number: p.Number, Walked: p.Walked, At: p.At, Done: p.Done, Share: p.Share})
	}
	return out
}
