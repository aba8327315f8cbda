package mockserver_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"syscall"
	"testing"
	"time"

	"datasync/mockserver"
)

// outcome returns what a client sees of one request, without differences between memory and
// sockets.
func outcome(a *api, r *http.Request) string {
	resp, err := a.client.Do(r)
	if err != nil {
		return "no answer: " + class(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	text := fmt.Sprintf("%d, %s, Location %q, Retry-After %q, length %d, body of %d",
		resp.StatusCode, resp.Header.Get("Content-Type"), resp.Header.Get("Location"), resp.Header.Get("Retry-After"),
		resp.ContentLength, len(body))
	if err != nil {
		return text + ", then " + class(err)
	}
	var p page
	if err := json.Unmarshal(body, &p); err != nil {
		return text + ", no JSON"
	}
	return text + fmt.Sprintf(", %d events, returned %d, hasMore %v", len(p.Data), p.Meta.Returned, p.Pagination.HasMore)
}

func class(err error) string {
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return "deadline"
	case errors.Is(err, context.Canceled):
		return "canceled"
	case errors.Is(err, syscall.ECONNRESET):
		return "connection reset"
	case errors.Is(err, io.ErrUnexpectedEOF):
		return "unexpected EOF"
	}
	return err.Error()
}

func faultTable() []struct {
	fault mockserver.Fault
	want  string
} {
	const (
		html   = `, text/html; charset=utf-8, Location "", Retry-After ""`
		plain  = `, application/json; charset=utf-8, Location "", Retry-After ""`
		plain2 = `, application/json, Location "", Retry-After ""`
		bare   = `, , Location "", Retry-After ""`
	)
	type row = struct {
		fault mockserver.Fault
		want  string
	}
	return []row{
		{mockserver.Pass(), "200" + plain + ", length L, body of L, 10 events, returned 10, hasMore true"},
		{mockserver.Delay(time.Millisecond), "200" + plain + ", length L, body of L, 10 events, returned 10, hasMore true"},
		{mockserver.Status(503), "503" + plain + ", length 63, body of 63, 0 events, returned 0, hasMore false"},
		{mockserver.StatusAfter(503, 1500*time.Millisecond), "503" + strings.Replace(plain, `After ""`, `After "2"`, 1) + ", length 63, body of 63, 0 events, returned 0, hasMore false"},
		{mockserver.Delayed(time.Millisecond, mockserver.Status(404)), "404" + plain + ", length 43, body of 43, 0 events, returned 0, hasMore false"},
		{mockserver.Reset(), "no answer: connection reset"},
		{mockserver.Hang(), "no answer: deadline"},
		{mockserver.Truncate(100), "200" + plain + ", length L, body of 100, then unexpected EOF"},
		{mockserver.Truncate(0), "200" + plain + ", length L, body of 0, then unexpected EOF"},
		{mockserver.TruncateChunked(100), "200" + plain + ", length -1, body of 100, then unexpected EOF"},
		{mockserver.Clip(100), "200" + plain + ", length 100, body of 100, no JSON"},
		{mockserver.Stall(50), "200" + plain + ", length L, body of 50, then canceled"},
		{mockserver.Drip(1000, time.Microsecond), "200" + plain + ", length L, body of L, 10 events, returned 10, hasMore true"},
		{mockserver.HTML(), "200" + html + ", length 110, body of 110, no JSON"},
		{mockserver.Empty(), "200" + plain2 + ", length 0, body of 0, no JSON"},
		{mockserver.Null(), "200" + plain2 + ", length 4, body of 4, 0 events, returned 0, hasMore false"},
		{mockserver.NoContent(), "204" + bare + ", length 0, body of 0, no JSON"},
		{mockserver.Redirect("http://evil.test/x"), "302, , Location \"http://evil.test/x\", Retry-After \"\", length 0, body of 0, no JSON"},
		{mockserver.RedirectStatus(308, "//evil.test/"), "308, , Location \"//evil.test/\", Retry-After \"\", length 0, body of 0, no JSON"},
		{mockserver.Trailing("<b>"), "200" + plain + ", length L+3, body of L+3, no JSON"},
		{mockserver.Returned(-1), "200" + plain + ", length L-1, body of L-1, 10 events, returned 9, hasMore true"},
		{mockserver.Returned(2), "200" + plain + ", length L, body of L, 10 events, returned 12, hasMore true"},
		{mockserver.Body("text/plain", "hello"), `200, text/plain, Location "", Retry-After "", length 5, body of 5, no JSON`},
		{mockserver.RateLimitedRaw("soon", "{", 0), "429" + strings.Replace(plain, `After ""`, `After "soon"`, 1) + ", length 1, body of 1, no JSON"},
		{mockserver.Header("Content-Type", "text/css"), `200, text/css, Location "", Retry-After "", length L, body of L, 10 events, returned 10, hasMore true`},
	}
}

// leaving cancels a request after that many bytes of the body.
type leaving struct {
	http.RoundTripper
	left  int
	leave func()
}

func (l leaving) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := l.RoundTripper.RoundTrip(r)
	if err == nil {
		resp.Body = &leavingBody{resp.Body, l}
	}
	return resp, err
}

type leavingBody struct {
	io.ReadCloser
	leaving
}

func (b *leavingBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if b.left -= n; b.left <= 0 {
		b.leave()
	}
	return n, err
}

// TestFaultsOverBothTransports: a client sees the same in memory and over sockets, with every fault.
func TestFaultsOverBothTransports(t *testing.T) {
	for _, tt := range faultTable() {
		for _, over := range []string{"memory", "socket"} {
			t.Run(tt.fault.String()+" over "+over, func(t *testing.T) {
				s := mockserver.New(small(mockserver.Options{Scripts: []mockserver.Script{{Request: 2, Faults: []mockserver.Fault{tt.fault}}}}))
				a := newAPI(t, s)
				if over == "socket" {
					server := httptest.NewServer(s)
					defer server.Close()
					// Go's client repeats a request by itself if a reused connection is reset.
					fresh := &http.Transport{DisableKeepAlives: true}
					a.base, a.client = server.URL, &http.Client{Transport: fresh, CheckRedirect: s.Client().CheckRedirect}
				}
				_, body := a.events("limit", "10")
				r := a.request(http.MethodGet, mockserver.EventsPath, map[string][]string{"limit": {"10"}})
				ctx, cancel := context.WithCancel(context.Background())
				defer cancel()
				switch {
				case strings.HasSuffix(tt.want, "deadline"): // nothing ever comes
					ctx, cancel = context.WithTimeout(ctx, 300*time.Millisecond)
					defer cancel()
				case strings.HasSuffix(tt.want, "canceled"): // nothing more comes
					client := *a.client
					client.Transport = leaving{client.Transport, 50, cancel}
					a.client = &client
				}
				want := tt.want
				for _, n := range []int{3, -1, 0} {
					sign := ""
					if n != 0 {
						sign = fmt.Sprintf("%+d", n)
					}
					want = strings.ReplaceAll(want, " L"+sign+",", fmt.Sprintf(" %d,", len(body)+n))
				}
				if got := outcome(a, r.WithContext(ctx)); got != want {
					t.Errorf("client sees\n%s\nwant\n%s", got, want)
				}
				if err := s.Verify(); err != nil {
					t.Error(err)
				}
				// The next request is answered as usual.
				a.mustPage(mockserver.EventsPath, "limit", "10")
			})
		}
	}
}

// TestResetAfter: over sockets a reset can lose bytes that the client has not read, so there the
// request only has to fail.
func TestResetAfter(t *testing.T) {
	s := mockserver.New(small(mockserver.Options{Scripts: []mockserver.Script{{Faults: []mockserver.Fault{mockserver.Repeat(2, mockserver.ResetAfter(1000))}}}}))
	a := newAPI(t, s)
	r := a.request(http.MethodGet, mockserver.EventsPath, map[string][]string{"limit": {"10"}})
	if got := outcome(a, r); !strings.HasSuffix(got, "body of 1000, then connection reset") {
		t.Errorf("memory: %s", got)
	}
	server := httptest.NewServer(s)
	defer server.Close()
	a.base, a.client = server.URL, server.Client()
	r = a.request(http.MethodGet, mockserver.EventsPath, map[string][]string{"limit": {"10"}})
	if _, _, err := a.do(r); err == nil {
		t.Error("sockets: no error")
	}
	a.mustPage(mockserver.EventsPath, "limit", "10")
}

func TestPageFaults(t *testing.T) {
	script := func(f mockserver.Fault) *mockserver.Server {
		return mockserver.New(small(mockserver.Options{Scripts: []mockserver.Script{{Request: 2, Faults: []mockserver.Fault{f}}}}))
	}
	// Each case requests the second page of ten events.
	second := func(t *testing.T, f mockserver.Fault) (a *api, s *mockserver.Server, sent string, p page) {
		t.Helper()
		s = script(f)
		a = newAPI(t, s)
		sent = *a.mustPage(mockserver.EventsPath, "limit", "10").Pagination.NextCursor
		return a, s, sent, a.mustPage(mockserver.EventsPath, "limit", "10", "cursor", sent)
	}
	t.Run("same cursor", func(t *testing.T) {
		_, _, sent, p := second(t, mockserver.SameCursor())
		if *p.Pagination.NextCursor != sent || len(p.Data) != 10 || !p.Pagination.HasMore {
			t.Errorf("%+v", p.Pagination)
		}
	})
	t.Run("stuck", func(t *testing.T) {
		a, _, _, p := second(t, mockserver.Stuck())
		again := a.mustPage(mockserver.EventsPath, "limit", "10", "cursor", *p.Pagination.NextCursor)
		if string(again.Data[0]) != string(p.Data[0]) {
			t.Error("the cursor leads on")
		}
	})
	t.Run("empty page", func(t *testing.T) {
		a, s, _, p := second(t, mockserver.EmptyPage())
		if len(p.Data) != 0 || p.Meta.Returned != 0 || p.Pagination.Limit != 10 || !p.Pagination.HasMore {
			t.Errorf("%+v", p)
		}
		if got := a.walk(mockserver.EventsPath, 10, *p.Pagination.NextCursor); len(got) != 90 || got[0].ID != s.Dataset().Event(10).ID.String() {
			t.Errorf("%d events follow", len(got))
		}
	})
	t.Run("empty first page", func(t *testing.T) {
		s := mockserver.New(small(mockserver.Options{Scripts: []mockserver.Script{{Faults: []mockserver.Fault{mockserver.EmptyPage()}}}}))
		a := newAPI(t, s)
		p := a.mustPage(mockserver.EventsPath, "limit", "10")
		checkWalk(t, s, a.walk(mockserver.EventsPath, 10, *p.Pagination.NextCursor))
	})
	t.Run("no cursor", func(t *testing.T) {
		if _, _, _, p := second(t, mockserver.NoCursor()); !p.Pagination.HasMore || p.Pagination.NextCursor != nil {
			t.Errorf("%+v", p.Pagination)
		}
	})
	t.Run("early end", func(t *testing.T) {
		if _, _, _, p := second(t, mockserver.EarlyEnd()); p.Pagination.HasMore || p.Pagination.NextCursor != nil || len(p.Data) != 10 {
			t.Errorf("%+v", p.Pagination)
		}
	})
	t.Run("chaos", func(t *testing.T) {
		_, _, _, p := second(t, mockserver.Chaos(4))
		damaged := 0
		for _, raw := range p.Data {
			if _, ok, _ := readEvent(t, raw); !ok {
				damaged++
			}
		}
		if damaged != 4 {
			t.Errorf("%d events damaged", damaged)
		}
	})
}

func TestRefusals(t *testing.T) {
	for _, tt := range []struct {
		fault  mockserver.Fault
		status int
		want   string
	}{
		{mockserver.KeyRefused(), 401, "INVALID_API_KEY"},
		{mockserver.TokenRejected(), 403, "INVALID_STREAM_TOKEN"},
		{mockserver.DashboardRequired(), 403, "DASHBOARD_REQUIRED"},
		{mockserver.CursorExpired(), 400, "CURSOR_EXPIRED"},
		{mockserver.CursorInvalid(), 400, "CURSOR_INVALID"},
		{mockserver.RateLimited(7 * time.Second), 429, `{"rateLimit":{"retryAfter":7}}`},
		{mockserver.RateLimitedIn(mockserver.ResetBody, 7*time.Second), 429, `"reset":7}`},
		{mockserver.RateLimitedIn(0, 7*time.Second), 429, "RATE_LIMIT_EXCEEDED"},
	} {
		t.Run(tt.fault.String(), func(t *testing.T) {
			s := mockserver.New(small(mockserver.Options{Scripts: []mockserver.Script{{Endpoint: mockserver.Feed, Faults: []mockserver.Fault{tt.fault}}}}))
			a := newAPI(t, s)
			resp, body := a.get(a.openFeed(), "limit", "1")
			if resp.StatusCode != tt.status || !strings.Contains(string(body), tt.want) {
				t.Errorf("%s %s", resp.Status, body)
			}
			resp, _ = a.get(a.feed, "limit", "1")
			if dead := tt.fault.String() == "token rejected"; dead != (resp.StatusCode == 403) {
				t.Errorf("next request: %s", resp.Status)
			}
		})
	}
}

func TestScripts(t *testing.T) {
	statuses := func(s *mockserver.Server, path string, n int) (got []int) {
		a := newAPI(t, s)
		if path == mockserver.DefaultFeedPath {
			a.openFeed()
		}
		for range n {
			resp, _ := a.get(path, "limit", "1")
			got = append(got, resp.StatusCode)
		}
		return got
	}
	f := func(status int) mockserver.Fault { return mockserver.Status(status) }
	tests := []struct {
		name    string
		path    string
		scripts []mockserver.Script
		want    []int
	}{
		{"in order", mockserver.EventsPath, []mockserver.Script{
			{Endpoint: mockserver.Events, Request: 2, Faults: []mockserver.Fault{f(500), mockserver.Pass(), f(502)}}},
			[]int{200, 500, 200, 502, 200}},
		{"repeated", mockserver.EventsPath, []mockserver.Script{
			{Faults: []mockserver.Fault{mockserver.Repeat(2, f(500)), f(502)}}},
			[]int{500, 500, 502, 200, 200}},
		{"for ever", mockserver.EventsPath, []mockserver.Script{
			{Request: 3, Faults: []mockserver.Fault{mockserver.Repeat(mockserver.Forever, f(500))}}},
			[]int{200, 200, 500, 500, 500}},
		{"one waits for another", mockserver.EventsPath, []mockserver.Script{
			{Request: 1, Faults: []mockserver.Fault{f(500), f(501)}}, {Request: 2, Faults: []mockserver.Fault{f(502)}}},
			[]int{500, 501, 502, 200, 200}},
		{"any counts stream-access too", mockserver.DefaultFeedPath, []mockserver.Script{
			{Endpoint: mockserver.Any, Request: 2, Faults: []mockserver.Fault{f(500)}}},
			[]int{500, 200, 200, 200, 200}},
		{"feed counts itself alone", mockserver.DefaultFeedPath, []mockserver.Script{
			{Endpoint: mockserver.Feed, Request: 2, Faults: []mockserver.Fault{f(500)}}},
			[]int{200, 500, 200, 200, 200}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := mockserver.New(small(mockserver.Options{Scripts: tt.scripts}))
			if got := statuses(s, tt.path, 5); fmt.Sprint(got) != fmt.Sprint(tt.want) {
				t.Errorf("%v, want %v", got, tt.want)
			}
			if err := s.Verify(); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestRandomFaults(t *testing.T) {
	run := func(seed uint64) string {
		s := mockserver.New(small(mockserver.Options{FaultSeed: seed, Random: []mockserver.RandomFault{
			{Endpoint: mockserver.Events, Rate: 0.3, Fault: mockserver.Status(500)}, {Rate: 0.2, Fault: mockserver.Empty()}}}))
		a, got := newAPI(t, s), ""
		for range 300 {
			resp, body := a.events("limit", "1")
			switch {
			case resp.StatusCode == 500:
				got += "5"
			case len(body) == 0:
				got += "0"
			default:
				got += "."
			}
		}
		return got
	}
	got := run(1)
	if got != run(1) || got == run(2) {
		t.Error("random faults do not follow the seed")
	}
	if n := strings.Count(got, "5"); n < 60 || n > 120 {
		t.Errorf("%d of 300 requests met a rate of 0.3", n)
	}
	if n := strings.Count(got, "0"); n < 20 || n > 70 {
		t.Errorf("%d of 300 requests met the other fault", n)
	}
}
