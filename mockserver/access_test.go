package mockserver_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"

	"datasync/mockserver"
)

func TestAuthentication(t *testing.T) {
	tests := []struct {
		name, serverKey, header, cookie string
		want, strict                    int
		violation                       string
	}{
		{"right", "k", "k", "k", 200, 200, ""},
		{"wrong", "k", "x", "x", 401, 401, ""},
		{"wrong cookie", "k", "k", "x", 200, 401, "disagree"},
		{"no header", "k", "", "k", 401, 401, "no header X-API-Key"},
		{"no cookie", "k", "k", "", 200, 401, "no cookie dashboard_api_key"},
		{"any key", "", "x", "x", 200, 200, ""},
		{"any key, but two", "", "x", "y", 200, 401, "disagree"},
		{"any key, but none", "", "", "", 401, 401, "no header X-API-Key"},
	}
	for _, tt := range tests {
		for strict, want := range map[bool]int{false: tt.want, true: tt.strict} {
			t.Run(fmt.Sprintf("%s, strict %v", tt.name, strict), func(t *testing.T) {
				s := mockserver.New(small(mockserver.Options{Key: tt.serverKey, Strict: strict}))
				a := newAPI(t, s)
				r := a.request(http.MethodGet, mockserver.EventsPath, map[string][]string{"limit": {"1"}})
				r.Header.Del("Cookie")
				r.Header.Set("X-API-Key", tt.header)
				if tt.cookie != "" {
					r.AddCookie(&http.Cookie{Name: "dashboard_api_key", Value: tt.cookie})
				}
				resp, body, err := a.do(r)
				if err != nil || resp.StatusCode != want {
					t.Fatalf("%v %s", err, body)
				}
				if got := fmt.Sprint(s.Verify()); (got == "<nil>") != (tt.violation == "") || !strings.Contains(got, tt.violation) {
					t.Errorf("Verify: %v", s.Verify())
				}
			})
		}
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
		agent := func(h http.Header) { h.Set("User-Agent", "Go-http-client/1.1") }
		contentType := func(h http.Header) { h.Del("Content-Type") }
		for _, tt := range []struct {
			name           string
			refuse, strict bool
			change         func(http.Header)
			want           int
		}{
			{"a browser", true, false, same, 200},
			{"a browser, strict", true, true, same, 200},
			{"a script", true, false, agent, 403},
			{"a script where any is taken", false, false, agent, 200},
			{"a script, strict", false, true, agent, 403},
			{"no content type", true, false, contentType, 200},
			{"no content type, strict", false, true, contentType, 403},
		} {
			s := mockserver.New(small(mockserver.Options{Strict: tt.strict, Access: mockserver.Access{RefuseScripts: tt.refuse}}))
			status, body := post(t, s, tt.change)
			if status != tt.want || (status == 403) != strings.Contains(body, "DASHBOARD_REQUIRED") {
				t.Errorf("%s: %d %s", tt.name, status, body)
			}
			if without := strings.HasPrefix(tt.name, "no content type"); without != (s.Verify() != nil) {
				t.Errorf("%s: Verify: %v", tt.name, s.Verify())
			}
		}
	})
	t.Run("meta", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			_, body := post(t, mockserver.New(small(mockserver.Options{})), same)
			if !json.Valid([]byte(body)) || !strings.Contains(body, `"meta":{"generatedAt":"2000-01-01T00:00:00.000Z","note":"`) {
				t.Error(body)
			}
		})
	})
	t.Run("broken", func(t *testing.T) {
		s := mockserver.New(small(mockserver.Options{Random: []mockserver.RandomFault{
			{Endpoint: mockserver.StreamAccess, Rate: 1, Fault: mockserver.Status(502)}}}))
		if status, _ := post(t, s, same); status != 502 {
			t.Errorf("%d", status)
		}
		newAPI(t, s).mustPage(mockserver.EventsPath, "limit", "1")
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
