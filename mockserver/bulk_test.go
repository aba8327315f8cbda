package mockserver_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"datasync/mockserver"
)

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

// TestHead: HEAD is answered and counted like GET, without a body. OPTIONS is refused.
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
