package app

import (
	"testing"
	"time"

	"datasync/ingest"
	"datasync/ingest/dispatch"
	"datasync/internal/web"

	"github.com/google/go-cmp/cmp"
)

// TestStandingOf: a page shows of each endpoint whether it may be asked, why not, and when it opens.
func TestStandingOf(t *testing.T) {
	now := time.Date(2026, 1, 27, 19, 24, 58, 0, time.UTC)
	later := now.Add(12 * time.Second)
	read := []ingest.Source{{Endpoint: "events", Read: 300}, {Endpoint: "feed", Read: 100}}
	open := []web.Endpoint{{Name: "events", State: web.EndpointOpen, Read: 300}, {Name: "feed", State: web.EndpointOpen, Read: 100}}
	with := func(at int, e web.Endpoint) []web.Endpoint {
		all := append([]web.Endpoint(nil), open...)
		if at == len(all) {
			return append(all, e)
		}
		all[at] = e
		return all
	}
	for what, c := range map[string]struct {
		snapshot ingest.Snapshot
		state    web.State
		want     []web.Endpoint
	}{
		"pages arrive": {ingest.Snapshot{Sources: read}, web.Pulling, open},
		"one endpoint waits": {ingest.Snapshot{Sources: read, Waits: []dispatch.Wait{{Endpoint: "events", Why: "429", Until: later}}}, web.Pulling,
			with(0, web.Endpoint{Name: "events", State: web.EndpointWaiting, Reason: "answered 429, opens 19:25:10 UTC", Until: later, Read: 300})},
		"the pull waits": {ingest.Snapshot{Sources: read, Waiting: "feed", Why: "budget", Until: later}, web.Waiting,
			with(1, web.Endpoint{Name: "feed", State: web.EndpointWaiting, Reason: "(budget), opens 19:25:10 UTC", Until: later, Read: 100})},
		"a request fails": {ingest.Snapshot{Sources: read, Stalled: true, Retries: []ingest.Retry{{Endpoint: "events", Number: 2, Why: "502", Error: "answered 502", Next: later}}}, web.Waiting,
			with(0, web.Endpoint{Name: "events", State: web.EndpointFailing, Reason: "retry 2, answered 502", Until: later, Read: 300})},
		"an unreachable API": {ingest.Snapshot{Sources: read, Retries: []ingest.Retry{{Endpoint: "events", Number: 1, Why: "reset", Error: "connection reset", Next: later}}}, web.Pulling,
			with(0, web.Endpoint{Name: "events", State: web.EndpointFailing, Reason: "retry 1: connection reset", Until: later, Read: 300})},
		"the token": {ingest.Snapshot{Sources: read, Waits: []dispatch.Wait{{Endpoint: "stream-access", Why: "429", Until: later}}}, web.Pulling,
			with(2, web.Endpoint{Name: "stream-access", State: web.EndpointWaiting, Reason: "answered 429, opens 19:25:10 UTC", Until: later})},
	} {
		got := standingOf(c.snapshot, now)
		if got.State != c.state {
			t.Errorf("%s: %s, want %s", what, got.State, c.state)
		}
		if diff := cmp.Diff(c.want, got.Endpoints); diff != "" {
			t.Errorf("%s: %s", what, diff)
		}
	}
	s := ingest.Snapshot{Walked: 5, Total: 10, Left: time.Minute, Parts: []ingest.Part{{Number: 3, Walked: 5, At: now, Done: true, Share: 0.5}}}
	want := []web.Part{{Number: 3, Walked: 5, At: now, Done: true, Share: 0.5}}
	if got := standingOf(s, now); got.Walked != 5 || got.Total != 10 || got.Left != time.Minute || cmp.Diff(want, got.Parts) != "" {
		t.Errorf("%+v", got)
	}
}
