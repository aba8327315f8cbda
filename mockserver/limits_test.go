package mockserver_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"datasync/mockserver"
)

func TestRateLimitWindows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limit := mockserver.RateLimit{Requests: 3, Window: 20 * time.Second, Headers: true, Named: mockserver.RetryAfterBody}
		s := mockserver.New(small(mockserver.Options{Events: mockserver.Pages{RateLimit: limit}}))
		a := newAPI(t, s)
		for round := range 3 {
			for i := range 3 {
				resp, _ := a.events("limit", "1")
				if resp.StatusCode != 200 || resp.Header.Get("X-RateLimit-Remaining") != fmt.Sprint(2-i) || resp.Header.Get("X-RateLimit-Limit") != "3" {
					t.Fatalf("round %d, request %d: %s %v", round, i, resp.Status, resp.Header)
				}
			}
			advance(7500 * time.Millisecond)
			resp, body := a.events("limit", "1")
			if resp.StatusCode != 429 || string(body) != `{"rateLimit":{"retryAfter":13}}` || resp.Header.Get("X-RateLimit-Reset") != "13" {
				t.Fatalf("round %d: %s %s %v", round, resp.Status, body, resp.Header)
			}
			if resp, _ := a.get(a.openFeed(), "limit", "1"); resp.StatusCode != 200 {
				t.Fatalf("the feed has no budget of its own: %s", resp.Status)
			}
			advance(13 * time.Second)
		}
		stats := s.Stats()
		if stats.Events.Limited != 3 || stats.Events.Requests != 12 || stats.Events.Pages != 9 || stats.Events.Events != 9 {
			t.Errorf("stats %+v", stats.Events)
		}
		if err := s.Verify(); err != nil {
			t.Error(err)
		}
	})
}

func TestRateLimitIsNamed(t *testing.T) {
	const rate = `{"error":"Too Many Requests","code":"RATE_LIMIT_EXCEEDED","rateLimit":{"limit":1,"remaining":0,`
	tests := []struct {
		name       string
		limit      mockserver.RateLimit
		retryAfter string
		reset      string
		body       string
		wait       time.Duration // that Verify expects clients to keep
	}{
		{"nowhere", mockserver.RateLimit{}, "", "", `{"error":"Too Many Requests","code":"RATE_LIMIT_EXCEEDED","message":"Rate limit exceeded"}`, 0},
		{"retryAfter body", mockserver.RateLimit{Named: mockserver.RetryAfterBody}, "", "", `{"rateLimit":{"retryAfter":10}}`, 10 * time.Second},
		{"reset body", mockserver.RateLimit{Named: mockserver.ResetBody}, "", "", rate + `"reset":10}}`, 10 * time.Second},
		{"both bodies", mockserver.RateLimit{Named: mockserver.ResetBody | mockserver.RetryAfterBody}, "", "", rate + `"retryAfter":10,"reset":10}}`, 10 * time.Second},
		{"seconds", mockserver.RateLimit{Named: mockserver.RetryAfterSeconds}, "10", "", "", 10 * time.Second},
		{"date", mockserver.RateLimit{Named: mockserver.RetryAfterDate}, "Sat, 01 Jan 2000 00:00:10 GMT", "", "", 10 * time.Second},
		{"reset header", mockserver.RateLimit{Named: mockserver.ResetHeader}, "", "10", "", 10 * time.Second},
		{"headers", mockserver.RateLimit{Headers: true}, "", "10", "", 10 * time.Second},
		{"top of the body", mockserver.RateLimit{Named: mockserver.RetryAfterTop}, "", "",
			`{"error":"Too Many Requests","code":"RATE_LIMIT_EXCEEDED","message":"Rate limit exceeded","retryAfter":10}`, 10 * time.Second},
		{"top and below", mockserver.RateLimit{Named: mockserver.RetryAfterTop | mockserver.ResetBody}, "", "", rate + `"reset":10},"retryAfter":10}`, 10 * time.Second},
		{"epoch", mockserver.RateLimit{Named: mockserver.ResetEpochHeader}, "", "946684810", "", 10 * time.Second},
		{"epoch on every answer", mockserver.RateLimit{Headers: true, Named: mockserver.ResetEpochHeader}, "", "946684810", "", 10 * time.Second},
		{"raw header", mockserver.RateLimit{RawRetryAfter: "-1"}, "-1", "", "", 0},
		{"raw body", mockserver.RateLimit{RawBody: `{"rateLimit":{"retryAfter":"1e9"}}`}, "", "", `{"rateLimit":{"retryAfter":"1e9"}}`, 0},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tt.limit.Requests, tt.limit.Window = 1, 10*time.Second
				s := mockserver.New(small(mockserver.Options{Events: mockserver.Pages{RateLimit: tt.limit}}))
				a := newAPI(t, s)
				if resp, _ := a.events("limit", "1"); tt.limit.Headers && resp.Header.Get("X-RateLimit-Reset") != tt.reset {
					t.Errorf("answer in time: %v", resp.Header)
				}
				resp, body := a.events("limit", "1")
				if resp.StatusCode != 429 || resp.Header.Get("Retry-After") != tt.retryAfter || resp.Header.Get("X-RateLimit-Reset") != tt.reset {
					t.Errorf("%s %v", resp.Status, resp.Header)
				}
				if tt.body != "" && string(body) != tt.body {
					t.Errorf("body %s, want %s", body, tt.body)
				}
				if resp.Header.Get("Date") != "Sat, 01 Jan 2000 00:00:00 GMT" {
					t.Errorf("Date %s", resp.Header.Get("Date"))
				}
				if tt.wait > 0 {
					advance(tt.wait - time.Millisecond)
					if a.events("limit", "1"); s.Verify() == nil {
						t.Error("a request before the named time is no violation")
					}
				} else if a.events("limit", "1"); s.Verify() != nil {
					t.Errorf("no wait was named, and yet: %v", s.Verify())
				}
			})
		})
	}
}

func TestTimeScale(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limit := mockserver.RateLimit{Requests: 1, Window: 28 * time.Second, Named: mockserver.RetryAfterBody | mockserver.RetryAfterSeconds}
		s := mockserver.New(small(mockserver.Options{TimeScale: 10, Events: mockserver.Pages{RateLimit: limit, Latency: time.Second}}))
		a := newAPI(t, s)
		begin := time.Now()
		p := a.mustPage(mockserver.EventsPath, "limit", "1")
		if d := time.Since(begin); d != 100*time.Millisecond || p.Pagination.CursorExpiresIn != 11.9 {
			t.Errorf("page after %v, cursor for %v s", d, p.Pagination.CursorExpiresIn)
		}
		resp, body := a.events("limit", "1")
		if string(body) != `{"rateLimit":{"retryAfter":2.7}}` || resp.Header.Get("Retry-After") != "3" {
			t.Errorf("429: %s %v", body, resp.Header)
		}
		r, body, err := a.do(a.request(http.MethodPost, mockserver.StreamAccessPath, nil))
		if err != nil || r.StatusCode != 200 || !strings.Contains(string(body), `"expiresIn":30,`) {
			t.Errorf("stream-access: %v %s", err, body)
		}
		// The life of the cursor counts from when the page was sent.
		advance(12*time.Second - time.Millisecond - time.Since(begin))
		a.mustPage(a.openFeed(), "limit", "1", "cursor", *p.Pagination.NextCursor)
		advance(12*time.Second - time.Since(begin))
		resp, body = a.events("limit", "1", "cursor", *p.Pagination.NextCursor)
		if resp.StatusCode != 400 || !strings.Contains(string(body), "CURSOR_EXPIRED") {
			t.Errorf("old cursor: %s %s", resp.Status, body)
		}
	})
}

func TestCursorLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := mockserver.New(small(mockserver.Options{}))
		a := newAPI(t, s)
		cursor := *a.mustPage(mockserver.EventsPath, "limit", "10").Pagination.NextCursor
		advance(119*time.Second - time.Millisecond)
		a.mustPage(mockserver.EventsPath, "limit", "10", "cursor", cursor)
		a.mustPage(a.openFeed(), "limit", "10", "cursor", cursor)
		advance(time.Millisecond + 7*time.Minute)
		resp, body := a.events("limit", "10", "cursor", cursor)
		want := `{"error":"Bad Request","code":"CURSOR_EXPIRED","message":"Cursor expired 7 minute(s) ago"}`
		if resp.StatusCode != 400 || string(body) != want {
			t.Errorf("%s %s", resp.Status, body)
		}
	})
}

func TestTokenLife(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := mockserver.New(small(mockserver.Options{}))
		a := newAPI(t, s)
		status := func(token string) string {
			a.token = token
			resp, body := a.get(mockserver.DefaultFeedPath, "limit", "1")
			if resp.StatusCode == 200 {
				return "ok"
			}
			var e struct{ Code string }
			if err := json.Unmarshal(body, &e); err != nil {
				t.Fatal(err)
			}
			return fmt.Sprint(resp.StatusCode, " ", e.Code)
		}
		const rejected = "403 INVALID_STREAM_TOKEN"
		check := func(name, got, want string) {
			t.Helper()
			if got != want {
				t.Errorf("%s: %s, want %s", name, got, want)
			}
		}
		check("no token", status(""), rejected)
		check("wrong token", status("abc"), rejected)
		a.openFeed()
		first := a.token
		if len(first) != 64 {
			t.Errorf("token %q", first)
		}
		check("first token", status(first), "ok")
		advance(200 * time.Second)
		a.openFeed()
		second := a.token
		check("first token beside the second", status(first), "ok")
		advance(100 * time.Second)
		check("old token", status(first), rejected)
		check("second token", status(second), "ok")
		if s.Stats().Tokens != 2 {
			t.Errorf("stats %+v", s.Stats())
		}
	})
}

func TestKeyLife(t *testing.T) {
	t.Run("by time", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			a := newAPI(t, mockserver.New(small(mockserver.Options{KeyLife: 3 * time.Hour})))
			advance(time.Hour)
			a.mustPage(mockserver.EventsPath, "limit", "1")
			advance(3*time.Hour - 1)
			a.mustPage(mockserver.EventsPath, "limit", "1")
			advance(1)
			if resp, _ := a.events("limit", "1"); resp.StatusCode != 401 {
				t.Errorf("after three hours: %s", resp.Status)
			}
		})
	})
	t.Run("by requests", func(t *testing.T) {
		a := newAPI(t, mockserver.New(small(mockserver.Options{KeyRequests: 3})))
		for range 3 {
			a.mustPage(mockserver.EventsPath, "limit", "1")
		}
		if resp, body := a.events("limit", "1"); resp.StatusCode != 401 || !strings.Contains(string(body), "INVALID_API_KEY") {
			t.Errorf("fourth request: %s %s", resp.Status, body)
		}
	})
}

func TestCache(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := mockserver.New(small(mockserver.Options{Events: mockserver.Pages{
			CacheTTL: 30 * time.Second, RateLimit: mockserver.RateLimit{Requests: 2}, Latency: time.Second}}))
		a := newAPI(t, s)
		ask := func(want string, pairs ...string) page {
			t.Helper()
			resp, body := a.events(pairs...)
			if resp.Header.Get("X-Cache") != want || want != "" && resp.Header.Get("X-Cache-TTL") != "30" {
				t.Fatalf("%v: %s %v, want %s", pairs, resp.Status, resp.Header, want)
			}
			var p page
			if err := json.Unmarshal(body, &p); err != nil {
				t.Fatal(err)
			}
			return p
		}
		first := ask("MISS", "limit", "5")
		advance(27 * time.Second)
		s.Dataset().Grow(10)
		hit := ask("HIT", "limit", "5")
		if string(hit.Data[0]) != string(first.Data[0]) || *hit.Pagination.NextCursor != *first.Pagination.NextCursor {
			t.Error("a hit is not the page of before")
		}
		ask("MISS", "limit", "6")
		ask("", "limit", "7") // 429: only hits were not counted
		advance(3 * time.Second)
		if s.Stats().CacheHits != 1 || s.Stats().Events.Limited != 1 {
			t.Errorf("stats %+v", s.Stats())
		}
		advance(time.Minute)
		if again := ask("MISS", "limit", "5"); string(again.Data[0]) == string(first.Data[0]) {
			t.Error("the cache outlived its time")
		}
		// The cursor of the hit expires with that of the first answer.
		advance(119*time.Second - (27+1+3+60+1)*time.Second)
		resp, _ := a.events("limit", "5", "cursor", *hit.Pagination.NextCursor)
		if resp.StatusCode != 400 {
			t.Errorf("cursor of a hit: %s", resp.Status)
		}
	})
}

func TestLoad(t *testing.T) {
	tests := []struct {
		inFlight, events int
		want             time.Duration
	}{
		{1, 5000, 4500 * time.Millisecond},
		{3, 500, 725 * time.Millisecond},
		{5, 500, time.Second},
		{10, 500, 1600 * time.Millisecond},
		{15, 500, 2 * time.Second},
		{20, 500, 2400 * time.Millisecond},
		{25, 500, 2800 * time.Millisecond},
	}
	for _, tt := range tests {
		t.Run(fmt.Sprintf("%d in flight, %d events", tt.inFlight, tt.events), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				opts := mockserver.Observed()
				opts.Data.Events = 10_000
				s := mockserver.New(opts)
				a := newAPI(t, s)
				a.openFeed()
				var wg sync.WaitGroup
				took := make([]time.Duration, tt.inFlight)
				for i := range took {
					wg.Go(func() {
						begin := time.Now()
						r := a.request(http.MethodGet, a.feed, map[string][]string{"limit": {fmt.Sprint(tt.events)}})
						if _, _, err := a.do(r); err != nil {
							t.Error(err)
						}
						took[i] = time.Since(begin)
					})
				}
				wg.Wait()
				longest := time.Duration(0)
				for _, d := range took {
					longest = max(longest, d)
				}
				if longest != tt.want {
					t.Errorf("%v, want %v", longest, tt.want)
				}
				if stats := s.Stats(); stats.MaxInFlight != tt.inFlight || stats.InFlight != 0 {
					t.Errorf("stats %+v", stats)
				}
			})
		})
	}
}

// advance advances the clock of the test's bubble by d.
func advance(d time.Duration) { <-time.After(d) }
