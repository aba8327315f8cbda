package mockserver_test

import (
	"net/http"
	"strings"
	"testing"

	"datasync/mockserver"
)

func TestAuthentication(t *testing.T) {
	tests := []struct {
		name, serverKey, header, cookie string
		want                            int
	}{
		{"right", "k", "k", "k", 200},
		{"wrong", "k", "x", "x", 401},
		{"wrong cookie", "k", "k", "x", 401},
		{"no header", "k", "", "k", 401},
		{"no cookie", "k", "k", "", 401},
		{"any key", "", "x", "x", 200},
		{"any key, but two", "", "x", "y", 401},
		{"any key, but none", "", "", "", 401},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := mockserver.New(small(mockserver.Options{Key: tt.serverKey}))
			a := newAPI(t, s)
			r := a.request(http.MethodGet, mockserver.EventsPath, map[string][]string{"limit": {"1"}})
			r.Header.Del("Cookie")
			r.Header.Set("X-API-Key", tt.header)
			if tt.cookie != "" {
				r.AddCookie(&http.Cookie{Name: "dashboard_api_key", Value: tt.cookie})
			}
			resp, body, err := a.do(r)
			if err != nil || resp.StatusCode != tt.want {
				t.Fatalf("%v %s", err, body)
			}
			if missing := tt.header == "" || tt.cookie == ""; missing != (s.Verify() != nil) {
				t.Errorf("Verify: %v", s.Verify())
			}
		})
	}
}

func TestStreamAccess(t *testing.T) {
	post := func(t *testing.T, s *mockserver.Server, change func(http.Header)) (int, string) {
		t.Helper()
		a := newAPI(t, s)
		r := a.request(http.MethodPost, mockserver.StreamAccessPath, nil)
		change(r.Header)
		resp, body, err := a.do(r)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, string(body)
	}
	same := func(http.Header) {}
	t.Run("browsers only", func(t *testing.T) {
		s := mockserver.New(small(mockserver.Options{Access: mockserver.Access{RefuseScripts: true}}))
		for name, change := range map[string]func(http.Header){
			"user agent":   func(h http.Header) { h.Set("User-Agent", "Go-http-client/1.1") },
			"content type": func(h http.Header) { h.Del("Content-Type") },
		} {
			if status, body := post(t, s, change); status != 403 || !strings.Contains(body, "DASHBOARD_REQUIRED") {
				t.Errorf("%s: %d %s", name, status, body)
			}
		}
		if status, body := post(t, s, same); status != 200 {
			t.Errorf("browser: %d %s", status, body)
		}
	})
	t.Run("paths in turn", func(t *testing.T) {
		s := mockserver.New(small(mockserver.Options{Access: mockserver.Access{FeedPaths: []string{"/a", "//evil.test/b", "/c%2fd"}}}))
		for _, want := range []string{"/a", "//evil.test/b", "/c%2fd", "/a"} {
			if _, body := post(t, s, same); !strings.HasPrefix(body, `{"streamAccess":{"endpoint":"`+want+`","token":"`) {
				t.Errorf("want %s in %s", want, body)
			}
		}
		a := newAPI(t, s)
		a.openFeed()
		for _, path := range []string{"/a", "/c%2fd"} {
			a.mustPage(path, "limit", "3")
		}
	})
	t.Run("odd statements", func(t *testing.T) {
		s := mockserver.New(small(mockserver.Options{
			Access: mockserver.Access{StatedLife: "-1", TokenHeader: "X-Other"},
			Scripts: []mockserver.Script{{Endpoint: mockserver.StreamAccess, Request: 2, Faults: []mockserver.Fault{
				mockserver.FeedPath("/../admin"), mockserver.Token("a\r\nb"), mockserver.TokenHeader("X-\n"), mockserver.ExpiresIn(mockserver.Omitted)}}},
		}))
		for _, want := range []string{`"expiresIn":-1,"tokenHeader":"X-Other"`, `"endpoint":"/../admin"`, `"token":"a\r\nb"`, `"tokenHeader":"X-\n"`} {
			if _, body := post(t, s, same); !strings.Contains(body, want) {
				t.Errorf("want %s in %s", want, body)
			}
		}
		if _, body := post(t, s, same); strings.Contains(body, "expiresIn") {
			t.Errorf("expiresIn in %s", body)
		}
		if err := s.Verify(); err != nil {
			t.Error(err)
		}
	})
	t.Run("limit of its own", func(t *testing.T) {
		s := mockserver.New(small(mockserver.Options{Access: mockserver.Access{RateLimit: mockserver.RateLimit{Requests: 1}}}))
		post(t, s, same)
		if status, _ := post(t, s, same); status != 429 {
			t.Errorf("second: %d", status)
		}
	})
}
