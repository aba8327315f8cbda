package mockserver_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"datasync/mockserver"
)

// into requests JSON and wants 200.
func (a *api) into(v any, path string, pairs ...string) {
	a.tb.Helper()
	resp, body := a.get(path, pairs...)
	if resp.StatusCode != http.StatusOK {
		a.tb.Fatalf("GET %s %v: %s: %s", path, pairs, resp.Status, body)
	}
	if err := json.Unmarshal(body, v); err != nil {
		a.tb.Fatalf("GET %s: %v in %.300s", path, err, body)
	}
}

// sessions reads all pages of sessions.
func (a *api) sessions(limit int) (all []wireSession, total int) {
	a.tb.Helper()
	for cursor := ""; ; {
		pairs := []string{"limit", fmt.Sprint(limit)}
		if cursor != "" {
			pairs = append(pairs, "cursor", cursor)
		}
		p := a.mustPage(mockserver.SessionsPath, pairs...)
		if p.Meta.Returned != len(p.Data) || p.Pagination.HasMore != (p.Pagination.NextCursor != nil) {
			a.tb.Fatalf("%+v with %d sessions", p.Pagination, len(p.Data))
		}
		for _, raw := range p.Data {
			var s wireSession
			if err := json.Unmarshal(raw, &s); err != nil {
				a.tb.Fatal(err)
			}
			all = append(all, s)
		}
		if !p.Pagination.HasMore {
			return all, *p.Meta.Total
		}
		cursor = *p.Pagination.NextCursor
	}
}

// TestFilters: events by session and type, page by page. Cursors keep the filter.
func TestFilters(t *testing.T) { inBothShapes(t, testFilters) }

func testFilters(t *testing.T, shape mockserver.Shape) {
	s := mockserver.New(mockserver.Options{Data: mockserver.DataOptions{Shape: shape, Events: 30_000, LateEvery: 9, SwapEvery: 10}, Events: mockserver.Pages{Cap: 40}})
	d, a := s.Dataset(), newAPI(t, s)
	session, kind := d.Event(500).SessionID.String(), "purchase"
	both := ""
	for i := range 2000 {
		if e := d.Event(i); e.Type == kind && !d.Late(i) {
			both = e.SessionID.String()
		}
	}
	for _, tt := range []struct {
		name, session, kind string
		none                bool
	}{
		{"session", session, "", false},
		{"session in capitals", strings.ToUpper(session), "", false},
		{"type", "", kind, false},
		{"both", both, kind, false},
		{"no such session", "11111111-1111-4111-8111-111111111111", "", true},
		{"no session id", "5", "", true},
		{"no such type", "", "other", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			want := map[string]bool{}
			for i := range d.Len() {
				e := d.Event(i)
				if !d.Late(i) && (tt.session == "" || strings.EqualFold(e.SessionID.String(), tt.session)) && (tt.kind == "" || e.Type == tt.kind) {
					want[e.ID.String()] = true
				}
			}
			if tt.none != (len(want) == 0) {
				t.Fatalf("%d events to look for", len(want))
			}
			// With one event per page, every page but the last has a cursor.
			for _, limit := range []int{1, 40} {
				query := []string{"limit", fmt.Sprint(limit)}
				if tt.session != "" {
					query = append(query, "sessionId", tt.session)
				}
				if tt.kind != "" {
					query = append(query, "type", tt.kind)
				}
				p := a.mustPage(mockserver.EventsPath, query...)
				got := decode(t, p)
				for p.Pagination.HasMore && len(got) <= len(want) {
					p = a.mustPage(mockserver.EventsPath, "limit", fmt.Sprint(limit), "cursor", *p.Pagination.NextCursor)
					if len(p.Data) == 0 || *p.Meta.Total != len(want) {
						t.Fatalf("%d events of %d", len(p.Data), *p.Meta.Total)
					}
					got = append(got, decode(t, p)...)
				}
				if *p.Meta.Total != len(want) || len(got) != len(want) {
					t.Fatalf("%d events of %d, want %d", len(got), *p.Meta.Total, len(want))
				}
				for _, e := range got {
					if !want[e.ID] {
						t.Fatalf("%s was not asked for, or came twice", e.ID)
					}
					delete(want, e.ID)
				}
				for _, e := range got {
					want[e.ID] = true
				}
			}
		})
	}
	t.Run("not on the feed", func(t *testing.T) {
		if p := a.mustPage(a.openFeed(), "limit", "5", "type", "other"); len(p.Data) != 5 {
			t.Errorf("%d events", len(p.Data))
		}
	})
	t.Run("beside a cache", func(t *testing.T) {
		a := newAPI(t, mockserver.New(small(mockserver.Options{Events: mockserver.Pages{CacheTTL: time.Hour}})))
		for range 2 {
			for _, kind := range []string{"click", "page_view"} {
				for _, e := range decode(t, a.mustPage(mockserver.EventsPath, "limit", "5", "type", kind)) {
					if e.Type != kind {
						t.Errorf("%s among %s", e.Type, kind)
					}
				}
			}
		}
	})
}

// TestLookup: each event and session is found by its id, in a set of any size.
func TestLookup(t *testing.T) { inBothShapes(t, testLookup) }

func testLookup(t *testing.T, shape mockserver.Shape) {
	for _, events := range []int{1, 1000, 1_000_000_000} {
		s := mockserver.New(mockserver.Options{Data: mockserver.DataOptions{Shape: shape, Events: events, Seed: uint64(events), LateEvery: 5}})
		d, a := s.Dataset(), newAPI(t, s)
		d.Grow(100)
		for n := range 400 {
			i := n * (d.Len() / 400)
			if events < 1000 {
				i = n % d.Len()
			}
			e := d.Event(i)
			resp, body := a.get(mockserver.EventsPath + "/" + e.ID.String())
			want := fmt.Sprintf(`{"data":%s}`, d.AppendEvent(nil, i))
			if d.Late(i) {
				if resp.StatusCode != http.StatusNotFound || !strings.Contains(string(body), `"code":"EVENT_NOT_FOUND"`) {
					t.Fatalf("late event %d: %s %s", i, resp.Status, body)
				}
				continue
			}
			if resp.StatusCode != http.StatusOK || string(body) != want {
				t.Fatalf("event %d: %s %s, want %s", i, resp.Status, body, want)
			}
		}
	}
	s := mockserver.New(mockserver.Options{Data: mockserver.DataOptions{Shape: shape, Events: 1000}})
	a := newAPI(t, s)
	for i := range 100 {
		e := s.Dataset().Event(i)
		var got struct{ Data wireSession }
		a.into(&got, mockserver.SessionsPath+"/"+e.SessionID.String())
		if got.Data.ID != e.SessionID.String() || got.Data.UserID != e.UserID.String() || got.Data.DeviceType != e.DeviceType ||
			got.Data.Browser != e.Browser || got.Data.EventCount < 1 {
			t.Errorf("%+v, want that of %+v", got.Data, e)
		}
	}
	for path, code := range map[string]string{
		mockserver.EventsPath + "/5":                                          "EVENT_NOT_FOUND",
		mockserver.EventsPath + "/11111111-1111-4111-8111-111111111111":       "EVENT_NOT_FOUND",
		mockserver.EventsPath + "/{11111111-1111-4111-8111-11111111111}":      "EVENT_NOT_FOUND",
		mockserver.SessionsPath + "/11111111-1111-4111-8111-111111111111":     "SESSION_NOT_FOUND",
		mockserver.SessionsPath + "/11111111-1111-4111-8111-111111111111/1":   "ENDPOINT_NOT_FOUND",
		mockserver.EventsPath + "/":                                           "ENDPOINT_NOT_FOUND",
		"/api/v1/users":                                                       "ENDPOINT_NOT_FOUND",
		mockserver.EventsPath + "/" + s.Dataset().Event(0).SessionID.String(): "EVENT_NOT_FOUND",
		mockserver.SessionsPath + "/" + s.Dataset().Event(0).ID.String():      "SESSION_NOT_FOUND",
	} {
		if resp, body := a.get(path); resp.StatusCode != http.StatusNotFound || !strings.Contains(string(body), `"code":"`+code+`"`) {
			t.Errorf("%s: %s %s, want %s", path, resp.Status, body, code)
		}
	}
}

// TestFurtherLimits: in profile observed, sessions have a budget of their own.
func TestFurtherLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		opts := mockserver.Observed().WithoutLatency()
		opts.Data.Events = 1000
		s := mockserver.New(opts)
		a := newAPI(t, s)
		path := mockserver.SessionsPath + "/" + s.Dataset().Event(0).SessionID.String()
		for n := range 41 {
			resp, body := a.get([]string{mockserver.SessionsPath, path}[n%2])
			if limited := n == 40; limited != (resp.StatusCode == 429) || limited != (resp.Header.Get("Retry-After") == "60") {
				t.Fatalf("request %d: %s %.200s", n, resp.Status, body)
			}
		}
		a.mustPage(mockserver.EventsPath, "limit", "5")
		if f := s.Stats().Further; f.Requests != 41 || f.Limited != 1 {
			t.Errorf("%+v", f)
		}
		for range 100 {
			for _, path := range []string{mockserver.StatsPath, mockserver.HealthPath, mockserver.InternalHealthPath} {
				if resp, body := a.get(path); resp.StatusCode != 200 {
					t.Fatalf("%s: %s %s", path, resp.Status, body)
				}
			}
		}
		advance(time.Minute)
		a.into(&struct{}{}, path)
	})
}

func TestSessionCursors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := mockserver.New(small(mockserver.Options{}))
		a := newAPI(t, s)
		cursor := *a.mustPage(mockserver.SessionsPath, "limit", "5").Pagination.NextCursor
		ofEvents := *a.mustPage(mockserver.EventsPath, "limit", "5").Pagination.NextCursor
		for _, wrong := range []string{"x", ofEvents} {
			resp, body := a.get(mockserver.SessionsPath, "cursor", wrong)
			checkBadCursor(t, wrong, resp, body, 400, "CURSOR_INVALID_FORMAT")
		}
		if p := a.mustPage(mockserver.SessionsPath); len(p.Data) < 60 {
			t.Errorf("%d sessions without a limit", len(p.Data))
		}
		if resp, _ := a.get(mockserver.SessionsPath, "limit", "0"); resp.StatusCode != 400 {
			t.Errorf("limit 0: %s", resp.Status)
		}
		advance(119 * time.Second)
		resp, body := a.get(mockserver.SessionsPath, "cursor", cursor)
		checkBadCursor(t, "expired", resp, body, 400, "CURSOR_EXPIRED")
	})
}

// TestSearchesEndWithTheirRequest: a search ends when its client has gone.
func TestSearchesEndWithTheirRequest(t *testing.T) {
	d := mockserver.NewDataset(mockserver.DataOptions{Events: 1000})
	ctx, cancel := context.WithCancel(t.Context())
	if i := d.FirstOfType(ctx, "click"); i == d.Len() || d.Event(i).Type != "click" {
		t.Fatalf("found event %d", i)
	}
	cancel()
	if i := d.FirstOfType(ctx, "click"); i != d.Len() {
		t.Errorf("found event %d for nobody", i)
	}
}
