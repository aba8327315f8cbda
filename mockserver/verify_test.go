package mockserver_test

import (
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"datasync/mockserver"
)

func TestVerify(t *testing.T) {
	limited := func(e mockserver.Endpoint, f mockserver.Fault) mockserver.Options {
		return mockserver.Options{Scripts: []mockserver.Script{{Endpoint: e, Faults: []mockserver.Fault{f}}}}
	}
	const path = mockserver.EventsPath
	tests := []struct {
		name string
		opts mockserver.Options
		do   func(a *api)
		want string // empty: no violation
	}{
		{"nothing wrong", mockserver.Options{}, func(a *api) { a.events("limit", "1") }, ""},
		{"no limit", mockserver.Options{}, func(a *api) { a.events() }, "events request 1: no limit"},
		{"no limit on the feed", mockserver.Options{}, func(a *api) { a.get(a.openFeed()) }, "feed request 1: no limit"},
		{"no header", mockserver.Options{}, func(a *api) {
			r := a.request("GET", path, map[string][]string{"limit": {"1"}})
			r.Header.Del("X-API-Key")
			a.do(r)
		}, "no header X-API-Key"},
		{"no cookie", mockserver.Options{}, func(a *api) {
			r := a.request("POST", mockserver.StreamAccessPath, nil)
			r.Header.Del("Cookie")
			a.do(r)
		}, "stream-access request 1: no cookie dashboard_api_key"},
		{"health without key and cookie", mockserver.Options{}, func(a *api) {
			r := a.request("GET", mockserver.HealthPath, nil)
			r.Header.Del("X-API-Key")
			r.Header.Del("Cookie")
			a.do(r)
		}, "health request 1: GET /health is not part of a pull"},
		{"a path that no pull needs", mockserver.Options{}, func(a *api) { a.get(mockserver.SessionsPath) }, "sessions request 1: GET /api/v1/sessions is not part of a pull"},
		{"HEAD", mockserver.Options{}, func(a *api) {
			a.do(a.request(http.MethodHead, path, map[string][]string{"limit": {"1"}}))
		}, "events request 1: method HEAD"},
		{"two keys", mockserver.Options{}, func(a *api) {
			r := a.request("GET", path, map[string][]string{"limit": {"1"}})
			r.Header.Set("X-API-Key", "another")
			a.do(r)
		}, "cookie dashboard_api_key and header X-API-Key disagree"},
		{"no content type", mockserver.Options{}, func(a *api) {
			r := a.request("POST", mockserver.StreamAccessPath, nil)
			r.Header.Del("Content-Type")
			a.do(r)
		}, "stream-access request 1: no Content-Type application/json"},
		{"unknown path", mockserver.Options{}, func(a *api) { a.get("/api/v2/events", "limit", "1") }, `unknown path "/api/v2/events"`},
		{"method", mockserver.Options{}, func(a *api) { a.get(mockserver.StreamAccessPath) }, "method GET"},
		{"foreign origin", mockserver.Options{}, func(a *api) {
			a.base = "http://evil.test"
			if _, _, err := a.do(a.request("GET", path, nil)); err == nil {
				a.tb.Error("a foreign origin answers")
			}
		}, "foreign origin: http://evil.test"},
		{"fault not met", limited(mockserver.Feed, mockserver.HTML()), func(a *api) { a.events("limit", "1") },
			`scripted fault "html" for feed from request 1 on: met 0 of 1 times`},
		{"repeated fault not met often enough", limited(mockserver.Events, mockserver.Repeat(3, mockserver.HTML())), func(a *api) { a.events("limit", "1") }, "met 1 of 3 times"},
		{"fault for ever", limited(mockserver.Events, mockserver.Repeat(mockserver.Forever, mockserver.HTML())), func(a *api) { a.events("limit", "1") }, ""},
		{"fault for ever, never met", limited(mockserver.Feed, mockserver.Repeat(mockserver.Forever, mockserver.HTML())), func(a *api) { a.events("limit", "1") }, "met 0 of 1 times"},
		{"too early", limited(mockserver.Events, mockserver.RateLimited(10*time.Second)), func(a *api) {
			a.events("limit", "1")
			advance(10*time.Second - time.Nanosecond)
			a.events("limit", "1")
		}, "events request 2: came 1ns before the end of a wait"},
		{"in time", limited(mockserver.Events, mockserver.RateLimited(10*time.Second)), func(a *api) {
			a.events("limit", "1")
			advance(10 * time.Second)
			a.events("limit", "1")
		}, ""},
		{"early after 503", limited(mockserver.Events, mockserver.StatusAfter(503, 10*time.Second)), func(a *api) {
			a.events("limit", "1")
			a.events("limit", "1")
		}, "came 10s before"},
		{"503 that names no wait", limited(mockserver.Events, mockserver.Status(503)), func(a *api) {
			a.events("limit", "1")
			a.events("limit", "1")
		}, ""},
		{"wait of the other endpoint", limited(mockserver.Events, mockserver.RateLimited(10*time.Second)), func(a *api) {
			a.events("limit", "1")
			a.get(a.openFeed(), "limit", "1")
		}, ""},
		{"longest wait counts", limited(mockserver.Events, mockserver.RateLimitedIn(mockserver.RetryAfterDate|mockserver.RetryAfterBody, 1500*time.Millisecond)), func(a *api) {
			a.events("limit", "1")
			advance(2*time.Second - 1)
			a.events("limit", "1")
		}, "came 1ns before"},
		{"a shorter wait takes nothing back", mockserver.Options{Scripts: []mockserver.Script{{Faults: []mockserver.Fault{
			mockserver.RateLimited(time.Minute), mockserver.RateLimited(time.Second)}}}, Grace: 1}, func(a *api) {
			a.events("limit", "1")
			a.events("limit", "1")
			advance(2 * time.Second)
			a.events("limit", "1")
		}, "came 58s before"},
		{"raw 429", limited(mockserver.Events, mockserver.RateLimitedRaw("5", "", 5*time.Second)), func(a *api) {
			a.events("limit", "1")
			a.events("limit", "1")
		}, "came 5s before"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := mockserver.New(small(tt.opts))
				tt.do(newAPI(t, s))
				err := s.Verify()
				if tt.want == "" {
					if err != nil {
						t.Errorf("Verify: %v", err)
					}
					return
				}
				if err == nil || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("Verify: %v, want %q", err, tt.want)
				}
			})
		})
	}
}

func TestVerifyBoundsItsReport(t *testing.T) {
	s := mockserver.New(small(mockserver.Options{}))
	a := newAPI(t, s)
	for range 150 {
		a.events()
	}
	if err := s.Verify(); err == nil || !strings.Contains(err.Error(), "and 50 more violations") {
		t.Errorf("Verify: %v", err)
	}
}

func TestLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := mockserver.New(small(mockserver.Options{Scripts: []mockserver.Script{{Endpoint: mockserver.Events, Request: 2,
			Faults: []mockserver.Fault{mockserver.Reset(), mockserver.RateLimited(9 * time.Second)}}}}))
		a := newAPI(t, s)
		begin := time.Now()
		p := a.mustPage(mockserver.EventsPath, "limit", "5", "until", "1769541612369")
		if _, _, err := a.do(a.request(http.MethodGet, mockserver.EventsPath, map[string][]string{"limit": {"5"}})); err == nil {
			t.Error("no reset")
		}
		advance(time.Second)
		a.events("limit", "6", "cursor", *p.Pagination.NextCursor)
		want := []mockserver.Entry{
			{Time: begin, Endpoint: mockserver.Events, Method: "GET", Path: mockserver.EventsPath, Status: 200, Limit: 5, Until: "1769541612369", Events: 5, Fault: "pass"},
			{Time: begin, Endpoint: mockserver.Events, Method: "GET", Path: mockserver.EventsPath, Limit: 5, Fault: "reset"},
			{Time: begin.Add(time.Second), Endpoint: mockserver.Events, Method: "GET", Path: mockserver.EventsPath, Status: 429, Limit: 6, Cursor: true, Wait: 9 * time.Second, Fault: "429"},
		}
		got := s.Log()
		if len(got) != len(want) {
			t.Fatalf("%d entries, want %d", len(got), len(want))
		}
		for i := range want {
			if !got[i].Time.Equal(want[i].Time) {
				t.Errorf("entry %d at %v", i, got[i].Time)
			}
			got[i].Time, want[i].Time = time.Time{}, time.Time{}
			if got[i] != want[i] {
				t.Errorf("entry %d:\n%+v\nwant\n%+v", i, got[i], want[i])
			}
		}
	})
}

func TestLogIsBounded(t *testing.T) {
	s := mockserver.New(small(mockserver.Options{}))
	a := newAPI(t, s)
	for i := range 10_050 {
		a.get("/", "limit", []string{"1", "2"}[i/10_049])
	}
	log := s.Log()
	if len(log) != 10_000 || log[0].Limit != 1 || log[9999].Limit != 2 {
		t.Errorf("%d entries, from %+v to %+v", len(log), log[0], log[len(log)-1])
	}
}
