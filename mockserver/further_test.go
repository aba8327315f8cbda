package mockserver_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"datasync/mockserver"
)

type wireSession struct {
	ID, UserID, DeviceType, Browser string
	EventCount                      int
}

// tally is what the tests count by themselves, event by event.
type tally struct{ types, devices, sessions, users map[string]int }

func tallyOf(d *mockserver.Dataset, shown func(i int) bool) tally {
	c := tally{map[string]int{}, map[string]int{}, map[string]int{}, map[string]int{}}
	for i := range d.Len() {
		if shown(i) {
			e := d.Event(i)
			c.types[e.Type]++
			c.devices[e.DeviceType]++
			c.sessions[e.SessionID.String()]++
			c.users[e.UserID.String()]++
		}
	}
	return c
}

// into asks for JSON and wants 200.
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

// sessions reads the list of sessions to its end.
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

// TestCounts: stats, sessions and filters agree with the events, before and after
// the set changes.
func TestCounts(t *testing.T) {
	s := mockserver.New(mockserver.Options{Data: mockserver.DataOptions{Events: 20_000, LateEvery: 7, SwapEvery: 50, SwapDistance: 20}})
	d, a := s.Dataset(), newAPI(t, s)
	revealed := false
	check := func(t *testing.T) {
		t.Helper()
		want := tallyOf(d, func(i int) bool { return revealed || !d.Late(i) })
		var stats struct {
			Counts        struct{ Events, Sessions, Users int }
			Distributions struct {
				EventTypes, DeviceTypes []struct {
					Type  string
					Count int
				}
			}
			Cache *struct{}
		}
		a.into(&stats, mockserver.StatsPath)
		got := tally{types: map[string]int{}, devices: map[string]int{}}
		for _, c := range stats.Distributions.EventTypes {
			got.types[c.Type] = c.Count
		}
		for _, c := range stats.Distributions.DeviceTypes {
			got.devices[c.Type] = c.Count
		}
		if fmt.Sprint(got.types, got.devices) != fmt.Sprint(want.types, want.devices) || stats.Cache == nil {
			t.Errorf("stats %+v, want %v %v", stats, want.types, want.devices)
		}
		if c := stats.Counts; c.Events != d.Total() || c.Sessions != len(want.sessions) || c.Users != len(want.users) {
			t.Errorf("counts %+v, want %d, %d, %d", c, d.Total(), len(want.sessions), len(want.users))
		}
		list, total := a.sessions(3000)
		if len(list) != len(want.sessions) || total != len(list) {
			t.Errorf("%d sessions of %d, want %d", len(list), total, len(want.sessions))
		}
		for _, session := range list {
			if session.EventCount != want.sessions[session.ID] {
				t.Fatalf("%+v, want %d events", session, want.sessions[session.ID])
			}
		}
		for name, n := range want.types {
			if p := a.mustPage(mockserver.EventsPath, "limit", "1", "type", name); *p.Meta.Total != n {
				t.Errorf("%s: total %d, want %d", name, *p.Meta.Total, n)
			}
		}
	}
	check(t)
	d.Grow(500)
	check(t)
	d.Reveal()
	revealed = true
	check(t)
}

// TestFilters: events by session and type, page by page; the cursors keep the
// filter.
func TestFilters(t *testing.T) {
	s := mockserver.New(mockserver.Options{Data: mockserver.DataOptions{Events: 30_000, LateEvery: 9, SwapEvery: 10}, Events: mockserver.Pages{Cap: 40}})
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
			// With pages of one event each, every page but the last leads on.
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

// TestLookup: every event and session is found by its id, in a set of any size.
func TestLookup(t *testing.T) {
	for _, events := range []int{1, 1000, 1_000_000_000} {
		s := mockserver.New(mockserver.Options{Data: mockserver.DataOptions{Events: events, Seed: uint64(events), LateEvery: 5}})
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
	s := mockserver.New(small(mockserver.Options{}))
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

func TestBulk(t *testing.T) {
	s := mockserver.New(small(mockserver.Options{Data: mockserver.DataOptions{Events: 1000}, Bulk: mockserver.RateLimit{Requests: 7}}))
	d := s.Dataset()
	server := httptest.NewServer(s)
	defer server.Close()
	ids := func(n int) string {
		all := make([]string, n)
		for i := range all {
			all[i] = `"` + d.Event(i).ID.String() + `"`
		}
		return `{"ids":[` + strings.Join(all, ",") + `]}`
	}
	post := func(a *api, body string) (*http.Response, string) {
		r := a.request(http.MethodPost, mockserver.BulkPath, nil)
		r.Body, r.ContentLength = http.NoBody, 0
		if body != "" {
			r2, err := http.NewRequest(http.MethodPost, r.URL.String(), strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			r2.Header = r.Header
			r = r2
		}
		resp, got, err := a.do(r)
		if err != nil {
			t.Fatal(err)
		}
		return resp, string(got)
	}
	memory, socket := newAPI(t, s), newAPI(t, s)
	socket.base, socket.client = server.URL, server.Client()
	for _, a := range []*api{memory, socket} {
		resp, body := post(a, ids(100))
		var got struct {
			Data    []wireEvent
			Missing []string
		}
		if err := json.Unmarshal([]byte(body), &got); err != nil || resp.StatusCode != 200 || len(got.Data) != 100 || got.Missing == nil || len(got.Missing) != 0 {
			t.Errorf("%s %.300s", resp.Status, body)
		}
		for i, e := range got.Data {
			if e.ID != d.Event(i).ID.String() {
				t.Fatalf("%d: %s", i, e.ID)
			}
		}
	}
	if _, body := post(memory, `{"ids":["x","`+d.Event(3).ID.String()+`"]}`); !strings.HasPrefix(body, `{"data":[{"id":"`+d.Event(3).ID.String()) || !strings.HasSuffix(body, `],"missing":["x"]}`) {
		t.Error(body)
	}
	for _, body := range []string{ids(101), "", `{"ids":[]}`, "no JSON"} {
		if resp, got := post(memory, body); resp.StatusCode != 400 || !strings.Contains(got, "INVALID_REQUEST") {
			t.Errorf("%.20s: %s %s", body, resp.Status, got)
		}
	}
	if resp, _ := post(memory, ids(1)); resp.StatusCode != 429 {
		t.Errorf("the eighth: %s", resp.Status)
	}
	if resp, _ := memory.get(mockserver.BulkPath); resp.StatusCode != 405 || resp.Header.Get("Allow") != "POST" {
		t.Errorf("GET: %s", resp.Status)
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

// TestHead: HEAD says what GET does, without a body, and counts like it; OPTIONS
// reaches nothing.
func TestHead(t *testing.T) {
	for _, over := range []string{"memory", "socket"} {
		t.Run(over, func(t *testing.T) {
			opts := small(mockserver.Options{Events: mockserver.Pages{RateLimit: mockserver.RateLimit{Requests: 3, Named: mockserver.RetryAfterSeconds}}})
			opts.Rate = 1 << 30
			s := mockserver.New(opts)
			a := newAPI(t, s)
			if over == "socket" {
				server := httptest.NewServer(s)
				defer server.Close()
				a.base, a.client = server.URL, server.Client()
			}
			head := func(method, path string) (*http.Response, []byte) {
				resp, body, err := a.do(a.request(method, path, url.Values{"limit": {"7"}}))
				if err != nil {
					t.Fatal(err)
				}
				return resp, body
			}
			_, whole := a.events("limit", "7")
			for n := range 3 {
				resp, body := head(http.MethodHead, mockserver.EventsPath)
				if want := []int{200, 200, 429}[n]; resp.StatusCode != want || len(body) != 0 || want == 200 && resp.ContentLength != int64(len(whole)) {
					t.Errorf("%d: %s, %d bytes of %d", n, resp.Status, len(body), resp.ContentLength)
				}
			}
			if got := s.Stats().Events; got.Requests != 4 || got.Pages != 1 || got.Events != 7 {
				t.Errorf("stats %+v", got)
			}
			if resp, body := head(http.MethodHead, mockserver.StatsPath); resp.StatusCode != 200 || len(body) != 0 {
				t.Errorf("HEAD stats: %s %s", resp.Status, body)
			}
			if resp, _ := head(http.MethodHead, mockserver.StreamAccessPath); resp.StatusCode != 405 {
				t.Errorf("HEAD stream-access: %s", resp.Status)
			}
			for _, path := range []string{mockserver.EventsPath, mockserver.StreamAccessPath, "/nothing"} {
				if resp, body := head(http.MethodOptions, path); resp.StatusCode != 504 || !json.Valid(body) {
					t.Errorf("OPTIONS %s: %s %s", path, resp.Status, body)
				}
			}
		})
	}
}

func TestFurtherNeedAKey(t *testing.T) {
	s := mockserver.New(small(mockserver.Options{}))
	a := newAPI(t, s)
	id := "/" + s.Dataset().Event(0).ID.String()
	for path, want := range map[string]int{
		mockserver.StatsPath: 401, mockserver.SessionsPath: 401, mockserver.SessionsPath + id: 401, mockserver.EventsPath + id: 401,
		mockserver.HealthPath: 200, mockserver.InternalHealthPath: 200,
	} {
		r := a.request(http.MethodGet, path, nil)
		r.Header.Del("X-API-Key")
		if resp, body, err := a.do(r); err != nil || resp.StatusCode != want || !json.Valid(body) {
			t.Errorf("%s: %v %s", path, err, body)
		}
	}
}

// TestCountsDoNotHoldOthersUp: while the whole of a large set is being counted,
// other requests are answered.
func TestCountsDoNotHoldOthersUp(t *testing.T) {
	s := mockserver.New(small(mockserver.Options{}))
	a := newAPI(t, s)
	feed := a.openFeed()
	release := s.HoldCounts()
	var wg sync.WaitGroup
	for _, path := range []string{mockserver.StatsPath, mockserver.SessionsPath} {
		wg.Go(func() { newAPI(t, s).get(path) })
	}
	for s.Stats().InFlight < 2 {
		runtime.Gosched()
	}
	a.mustPage(mockserver.EventsPath, "limit", "1")
	a.mustPage(feed, "limit", "1")
	a.into(&struct{}{}, mockserver.EventsPath+"/"+s.Dataset().Event(0).ID.String())
	a.into(&struct{}{}, mockserver.HealthPath)
	release()
	wg.Wait()
	if n := s.Stats().Further.Requests; n != 4 {
		t.Errorf("%d further requests, want 4", n)
	}
}

// TestSearchesEndWithTheirRequest: nobody waits for what a client that has gone was
// looking for.
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
