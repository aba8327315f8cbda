package faults

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"datasync/internal/e2e/harness"
	"datasync/mockserver"
)

// limitedEvents makes the events endpoint respond once and then ask for a wait now and then, so
// that the feed is asked.
func limitedEvents(o mockserver.Options) mockserver.Options {
	o.Data = mockserver.DataOptions{Events: 2000}
	o.Events.Cap, o.Feed.Cap = 50, 50
	o.Events.RateLimit = mockserver.RateLimit{Requests: 12, Window: 2 * time.Second, Named: mockserver.RetryAfterSeconds}
	return o
}

// TestTokensExpire: a token that expires in use, early or in any way, is renewed, once for each
// refusal. No page is missing or doubled.
func TestTokensExpire(t *testing.T) {
	t.Parallel()
	for _, tc := range harness.Some([]struct{ name, stated string }{
		{"early", "300"}, {"as stated", ""}, {"0", "0"}, {"-1", "-1"}, {"1e300", "1e300"}, {"absent", mockserver.Omitted}, {"null", "null"},
	}, 1) {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			o := limitedEvents(mockserver.Options{Access: mockserver.Access{TokenLife: 1500 * time.Millisecond, StatedLife: tc.stated}})
			o.Feed.Latency = 100 * time.Millisecond
			w := newWorld(t, o)
			e := w.run(pull("--workers", "1"))
			w.endsWith(e, 0)
			w.isWhole()
			if n := w.API.Stats().StreamAccess.Requests; n > int(e.Took/(5*time.Second))+1 {
				t.Errorf("%d requests for access in %s", n, e.Took)
			}
		})
	}
}

// TestAccessThatIsNone: an unusable response of stream-access holds the feed off, for the run or
// for a while. The events endpoint still delivers everything.
func TestAccessThatIsNone(t *testing.T) {
	t.Parallel()
	for _, tc := range harness.Some([]struct{ name, body string }{
		{"a text for a life", access(`"expiresIn":"300"`)},
		{"a life beyond numbers", access(`"expiresIn":1e400`)},
		{"a life of NaN", access(`"expiresIn":NaN`)},
		{"an empty token", access(`"token":""`)},
		{"no token", access(`"token":null`)},
		{"a number for a token", access(`"token":7`)},
		{"a line end in the token", access(`"token":"a\r\nX-Evil: 1"`)},
		{"a line feed in the token", access(`"token":"a\nb"`)},
		{"NUL in the token", access(`"token":"a\u0000b"`)},
		{"a token of a megabyte", access(`"token":"` + strings.Repeat("a", 1<<20) + `"`)},
		{"a token of 10,000", access(`"token":"` + strings.Repeat("a", 10_000) + `"`)},
		{"no header", access(`"tokenHeader":""`)},
		{"Host", access(`"tokenHeader":"Host"`)},
		{"Content-Length", access(`"tokenHeader":"Content-Length"`)},
		{"Transfer-Encoding", access(`"tokenHeader":"Transfer-Encoding"`)},
		{"the key's header", access(`"tokenHeader":"x-api-key"`)},
		{"the cookie", access(`"tokenHeader":"Cookie"`)},
		{"Authorization", access(`"tokenHeader":"Authorization"`)},
		{"a line end in the header", access(`"tokenHeader":"X-A\r\nX-B"`)},
		{"a colon in the header", access(`"tokenHeader":"X-A: b"`)},
		{"a space in the header", access(`"tokenHeader":" X-A"`)},
		{"beyond ASCII in the header", access(`"tokenHeader":"X-\u00e9"`)},
		{"a million levels", strings.Repeat(`{"streamAccess":`, 60_000)},
		{"HTML", "<html>"}, {"null", "null"}, {"nothing", ""}, {"a list", "[]"},
		{"2 MB", strings.Repeat(" ", 2<<20) + access("")},
	}, 2) {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, mockserver.Options{})
			feed := w.feedOf(func() string { return tc.body }, http.StatusOK)
			e := w.run(pull("--workers", "1"))
			w.endsWith(e, 0)
			w.peaksBelow(e, 200)
			w.hasOwn(100)
			if feed.Load() > 0 {
				t.Errorf("the feed was asked %d times: %v", feed.Load(), e)
			}
		})
	}
}

// access is a response of stream-access, with this part replaced.
func access(instead string) string {
	members := []string{`"endpoint":"/feed"`, `"token":"0123456789abcdef"`, `"tokenHeader":"X-Stream-Token"`, `"expiresIn":300`}
	name, _, _ := strings.Cut(instead, ":")
	for i, m := range members {
		if strings.HasPrefix(m, name+":") && instead != "" {
			members[i] = instead
		}
	}
	return `{"streamAccess":{` + strings.Join(members, ",") + `}}`
}

// feedOf serves the 100 events of a test's own API. Its events endpoint asks for a wait after the
// first page, so the feed is asked, with the access that access returns. feedOf returns the number
// of requests to other paths.
func (w *world) feedOf(access func() string, status int) *atomic.Int64 {
	var asked, others atomic.Int64
	page := listed(ownEvents(0, 100), 20)
	w.answer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		for name, values := range r.Header {
			if name == "X-Evil" || name == "X-B" || name == "X-Api-Key" && (len(values) != 1 || values[0] != key) {
				w.Errorf("header %s: %q", name, values)
			}
		}
		if "http://"+r.Host != w.Base {
			w.Errorf("asked for host %q", r.Host)
		}
		switch {
		case r.URL.Path == "/api/v1/events" && asked.Add(1) == 2:
			rw.Header().Set("Retry-After", "1")
			rw.WriteHeader(http.StatusTooManyRequests)
		case r.URL.Path == "/api/v1/events":
			_, _ = io.WriteString(rw, page(r.URL.Query().Get("cursor")))
		case r.URL.Path == "/internal/dashboard/stream-access":
			rw.WriteHeader(status)
			_, _ = io.WriteString(rw, access())
		default:
			others.Add(1)
			_, _ = io.WriteString(rw, page(r.URL.Query().Get("cursor")))
		}
	}))
	return &others
}

// TestFeedPaths: the feed's path leads to the API's own origin or nowhere. No key and no token goes
// to another origin, and the pull continues without the feed.
func TestFeedPaths(t *testing.T) {
	t.Parallel()
	for _, tc := range harness.Some([]struct {
		path string // SINK and HOST are another origin's
		used bool
	}{
		{"SINK/feed", false}, {"//HOST/feed", false}, {"/feed", true}, {`/\HOST/feed`, false}, {`\\HOST\feed`, false}, {"/../admin", false},
		{"/a/../../admin", false}, {"/%2e%2e/admin", false}, {"/%2E./admin", false}, {"/.%2e/admin", false}, {"/a%2f..%2fadmin", false}, {"/%252e%252e/admin", false},
		{"@HOST/feed", false}, {"/@HOST/feed", false}, {":80@HOST/feed", false}, {"", false}, {"feed", false}, {"?a=b", false}, {"#a", false}, {"/feed?limit=1", false},
		{"/feed#a", false}, {"/" + strings.Repeat("a", 3000), false}, {"/feed\r\nX-Evil: 1", false}, {"/feed\n", false}, {"/feed\x00", false}, {"/feed%00", false},
		{"/feed%0d%0aX-Evil:1", false}, {" /feed", false}, {"/feed bar", false}, {"/;@HOST", false}, {"///HOST/feed", false}, {"/%2fHOST/feed", false},
		{"/%5cHOST", false}, {"javascript:alert(1)", false}, {"file:///etc/passwd", false}, {"/é", false}, {"/feed%", false}, {"/.", false}, {"/a/./b", false},
		{"/a;b=c/d,e:f", true}, {"/a%20b/c", true}, {"/\u202efeed", false}, {".HOST/feed", false}, {"/feed/", true},
	}, 3) {
		t.Run(tc.path[:min(len(tc.path), 30)], func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, mockserver.Options{})
			sink := w.sink()
			path := strings.NewReplacer("SINK", sink, "HOST", strings.TrimPrefix(sink, "http://")).Replace(tc.path)
			feed := w.feedOf(func() string { return access(`"endpoint":` + quoted(path)) }, http.StatusOK)
			e := w.run(pull("--workers", "1"))
			w.endsWith(e, 0)
			w.hasOwn(100)
			if used := feed.Load() > 0; used != tc.used || w.sunk.Load() > 0 {
				t.Errorf("%d requests to the feed, %d to the foreign origin: %v", feed.Load(), w.sunk.Load(), e)
			}
			if !tc.used {
				w.says(e, "continuing without the feed: the feed cannot be used: its path is refused")
			}
			if strings.ContainsFunc(e.Err, moves) {
				t.Errorf("it writes the path as it came: %q", e.Err)
			}
		})
	}
}

// TestFeedPathsThatChange: where each access names another path of the feed, and the old path is
// gone, the pull follows. It asks for access at most every 5 seconds.
func TestFeedPathsThatChange(t *testing.T) {
	if !harness.All() {
		t.Skip("it waits for five seconds")
	}
	t.Parallel()
	w := newWorld(t, mockserver.Options{})
	const events = 1000
	page := listed(ownEvents(0, events), 50)
	var accesses, served atomic.Int64
	w.answer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		switch {
		case r.Method == http.MethodPost:
			_, _ = io.WriteString(rw, access(fmt.Sprintf(`"endpoint":"/feed-%d"`, accesses.Add(1))))
		case r.URL.Path == fmt.Sprintf("/feed-%d", accesses.Load()) && served.Add(1)%12 != 0:
			_, _ = io.WriteString(rw, page(r.URL.Query().Get("cursor")))
		case strings.HasPrefix(r.URL.Path, "/feed-"):
			rw.WriteHeader(http.StatusNotFound)
		case r.URL.Query().Get("cursor") == "":
			_, _ = io.WriteString(rw, page(""))
		default:
			rw.Header().Set("Retry-After", "15")
			rw.WriteHeader(http.StatusTooManyRequests)
		}
	}))
	e := w.run(pull("--workers", "1"))
	w.endsWith(e, 0)
	w.hasOwn(events)
	if n := accesses.Load(); n < 2 || n > int64(e.Took/(5*time.Second))+1 {
		t.Errorf("%d requests for access in %s", n, e.Took)
	}
}

// TestRefusals: a refused key ends the pull with code 3, whichever endpoint refuses it, and the
// message names the key. A token that is always refused costs the feed, not the pull.
func TestRefusals(t *testing.T) {
	t.Parallel()
	refuse := func(e mockserver.Endpoint, f mockserver.Fault) mockserver.Script {
		return mockserver.Script{Endpoint: e, Request: 1, Faults: []mockserver.Fault{mockserver.Repeat(mockserver.Forever, f)}}
	}
	for _, tc := range harness.Some([]struct {
		name   string
		script mockserver.Script
		code   int
	}{
		{"401 of events", refuse(mockserver.Events, mockserver.KeyRefused()), 3},
		{"403 of the feed", refuse(mockserver.Feed, mockserver.TokenRejected()), 0},
		{"401 of the feed", refuse(mockserver.Feed, mockserver.KeyRefused()), 3},
		{"401 of stream-access", refuse(mockserver.StreamAccess, mockserver.KeyRefused()), 3},
		{"403 of events", refuse(mockserver.Events, mockserver.Status(403)), 3},
		{"403 of stream-access", refuse(mockserver.StreamAccess, mockserver.Status(403)), 0},
		{"not a browser", refuse(mockserver.StreamAccess, mockserver.DashboardRequired()), 0},
	}, 1) {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			o := limitedEvents(mockserver.Options{})
			o.Data.Events = 1000
			o.Scripts = []mockserver.Script{tc.script}
			w := newWorld(t, o)
			e := w.run(pull("--workers", "1"))
			w.endsWith(e, tc.code)
			if tc.code == 3 {
				w.says(e, "the API refused the key", "the same command")
				if strings.Contains(e.Err, "token") {
					t.Errorf("it speaks of a token: %v", e)
				}
				o.Scripts = nil
				w.API = mockserver.New(o)
				w.recovers()
				return
			}
			w.isWhole()
			if n := w.API.Stats(); n.StreamAccess.Requests > int(e.Took/(5*time.Second))+1 {
				t.Errorf("%d requests for access in %s", n.StreamAccess.Requests, e.Took)
			}
		})
	}
}
