package mockserver_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"testing"

	"datasync/mockserver"
)

const testKey = "test-key"

// page is the part of a page that the tests read, by encoding/json: it shares nothing with the
// server's renderer.
type page struct {
	Data       []json.RawMessage `json:"data"`
	Pagination struct {
		Limit           int     `json:"limit"`
		HasMore         bool    `json:"hasMore"`
		NextCursor      *string `json:"nextCursor"`
		CursorExpiresIn float64 `json:"cursorExpiresIn"`
	} `json:"pagination"`
	Meta struct {
		Total     *int   `json:"total"`
		Returned  int    `json:"returned"`
		RequestID string `json:"requestId"`
	} `json:"meta"`
}

type wireEvent struct {
	ID         string          `json:"id"`
	SessionID  string          `json:"sessionId"`
	UserID     string          `json:"userId"`
	Type       string          `json:"type"`
	Name       string          `json:"name"`
	Properties json.RawMessage `json:"properties"`
	Timestamp  any             `json:"timestamp"`
	Session    struct {
		ID         string `json:"id"`
		DeviceType string `json:"deviceType"`
		Browser    string `json:"browser"`
	} `json:"session"`
}

// api is a well-behaved client of a server.
type api struct {
	tb     testing.TB
	client *http.Client
	base   string
	token  string
	feed   string
}

func newAPI(tb testing.TB, s *mockserver.Server) *api {
	return &api{tb: tb, client: s.Client(), base: mockserver.BaseURL}
}

func (a *api) request(method, path string, query url.Values) *http.Request {
	a.tb.Helper()
	r, err := http.NewRequest(method, a.base+path, nil)
	if err != nil {
		a.tb.Fatal(err)
	}
	r.URL.RawQuery = query.Encode()
	r.Header.Set("X-API-Key", testKey)
	r.Header.Set("User-Agent", "Mozilla/5.0 test")
	r.Header.Set("Content-Type", "application/json")
	r.AddCookie(&http.Cookie{Name: "dashboard_api_key", Value: testKey})
	if a.token != "" {
		r.Header.Set(mockserver.DefaultTokenHeader, a.token)
	}
	return r
}

// do returns the status and the body. An error is one of the transport or the body.
func (a *api) do(r *http.Request) (*http.Response, []byte, error) {
	resp, err := a.client.Do(r)
	if err != nil {
		return nil, nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return resp, body, err
}

func (a *api) get(path string, pairs ...string) (*http.Response, []byte) {
	a.tb.Helper()
	query := url.Values{}
	for i := 0; i < len(pairs); i += 2 {
		query.Set(pairs[i], pairs[i+1])
	}
	resp, body, err := a.do(a.request(http.MethodGet, path, query))
	if err != nil {
		a.tb.Fatalf("GET %s: %v", path, err)
	}
	return resp, body
}

func (a *api) events(pairs ...string) (*http.Response, []byte) {
	a.tb.Helper()
	return a.get(mockserver.EventsPath, pairs...)
}

// mustPage requests a page and wants 200.
func (a *api) mustPage(path string, pairs ...string) page {
	a.tb.Helper()
	resp, body := a.get(path, pairs...)
	if resp.StatusCode != http.StatusOK {
		a.tb.Fatalf("GET %s %v: %s: %s", path, pairs, resp.Status, body)
	}
	var p page
	if err := json.Unmarshal(body, &p); err != nil {
		a.tb.Fatalf("GET %s: %v in %.300s", path, err, body)
	}
	return p
}

// openFeed requests a token and the path of the feed.
func (a *api) openFeed() (path string) {
	a.tb.Helper()
	resp, body, err := a.do(a.request(http.MethodPost, mockserver.StreamAccessPath, nil))
	if err != nil || resp.StatusCode != http.StatusOK {
		a.tb.Fatalf("stream-access: %v: %s", err, body)
	}
	var access struct {
		StreamAccess struct {
			Endpoint, Token, TokenHeader string
			ExpiresIn                    float64
		}
	}
	if err := json.Unmarshal(body, &access); err != nil {
		a.tb.Fatalf("stream-access: %v in %s", err, body)
	}
	a.token, a.feed = access.StreamAccess.Token, access.StreamAccess.Endpoint
	return a.feed
}

// walk reads all pages, from the newest event or from a cursor, and returns all events.
func (a *api) walk(path string, limit int, cursor string) []wireEvent {
	a.tb.Helper()
	var all []wireEvent
	for pages := 0; ; pages++ {
		pairs := []string{"limit", fmt.Sprint(limit)}
		if cursor != "" {
			pairs = append(pairs, "cursor", cursor)
		}
		p := a.mustPage(path, pairs...)
		if p.Meta.Returned != len(p.Data) {
			a.tb.Fatalf("returned %d, but there are %d events", p.Meta.Returned, len(p.Data))
		}
		all = append(all, decode(a.tb, p)...)
		if !p.Pagination.HasMore {
			return all
		}
		if p.Pagination.NextCursor == nil || pages > 100_000 {
			a.tb.Fatalf("page %d: hasMore without a cursor, or no end", pages)
		}
		cursor = *p.Pagination.NextCursor
	}
}

func decode(tb testing.TB, p page) []wireEvent {
	tb.Helper()
	events := make([]wireEvent, len(p.Data))
	for i, raw := range p.Data {
		if err := json.Unmarshal(raw, &events[i]); err != nil {
			tb.Fatalf("event %d: %v in %s", i, err, raw)
		}
	}
	return events
}

func TestWalkGivesEachEventOnce(t *testing.T) {
	for _, total := range []int{mockserver.NoEvents, 1, 7, 100, 1000} {
		for _, limit := range []int{1, 3, 7, 100, 5000} {
			t.Run(fmt.Sprintf("%d events by %d", total, limit), func(t *testing.T) {
				s := mockserver.New(mockserver.Options{Data: mockserver.DataOptions{Seed: 5, Events: total}})
				a := newAPI(t, s)
				checkWalk(t, s, a.walk(mockserver.EventsPath, limit, ""))
				checkWalk(t, s, a.walk(a.openFeed(), limit, ""))
				if err := s.Verify(); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

func checkWalk(t *testing.T, s *mockserver.Server, got []wireEvent) {
	t.Helper()
	d := s.Dataset()
	if len(got) != d.Total() {
		t.Fatalf("%d events, want %d", len(got), d.Total())
	}
	for i, e := range got {
		if want := d.Event(i).ID.String(); e.ID != want {
			t.Fatalf("event %d is %s, want %s", i, e.ID, want)
		}
	}
}

func TestWalkAcrossGrow(t *testing.T) {
	for _, limit := range []int{1, 10, 77} {
		s := mockserver.New(mockserver.Options{Data: mockserver.DataOptions{Events: 300, TieSize: 20, TieEvery: 30}})
		a, d := newAPI(t, s), s.Dataset()
		before := ids(d, 0)
		p := a.mustPage(mockserver.EventsPath, "limit", fmt.Sprint(limit))
		d.Grow(50)
		rest := a.walk(mockserver.EventsPath, limit, *p.Pagination.NextCursor)
		got := append(decode(t, p), rest...)
		if len(got) != 300 {
			t.Fatalf("%d events, want the 300 of the beginning", len(got))
		}
		for i := range got {
			if got[i].ID != before[i] {
				t.Fatalf("event %d differs", i)
			}
		}
		if after := ids(d, 50); fmt.Sprint(after) != fmt.Sprint(before) {
			t.Fatal("growth changed older events")
		}
		checkWalk(t, s, a.walk(mockserver.EventsPath, limit, ""))
	}
}

func ids(d *mockserver.Dataset, from int) []string {
	var all []string
	for i := from; i < d.Len(); i++ {
		all = append(all, d.Event(i).ID.String())
	}
	return all
}
