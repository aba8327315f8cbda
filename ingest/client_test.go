package ingest

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

func clientOf(t *testing.T, handler http.HandlerFunc) *client {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	base, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	transport := newTransport()
	t.Cleanup(transport.CloseIdleConnections)
	return newClient(transport, base, "ds_test_key", 100)
}

func TestClientReadsBodies(t *testing.T) {
	var zipped bytes.Buffer
	w := gzip.NewWriter(&zipped)
	_, _ = w.Write([]byte("a page"))
	_ = w.Close()
	for _, tc := range []struct {
		name, encoding, body, want string
		bad                        bool
	}{
		{"plain", "", "a page", "a page", false},
		{"identity", "identity", "a page", "a page", false},
		{"gzip that was not asked for", "gzip", zipped.String(), "a page", false},
		{"gzip that is none", "gzip", "a page", "", true},
		{"gzip cut off", "gzip", zipped.String()[:zipped.Len()-9], "", true},
		{"another encoding", "br", "a page", "", true},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := clientOf(t, func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("Accept-Encoding") != "" {
					t.Errorf("asked for %q", r.Header.Get("Accept-Encoding"))
				}
				if tc.encoding != "" {
					w.Header().Set("Content-Encoding", tc.encoding)
				}
				_, _ = w.Write([]byte(tc.body))
			})
			body, err := c.page(t.Context(), eventsEndpoint, ask{}, nil)
			if body != tc.want || (err != nil) != tc.bad {
				t.Errorf("%q, %v; want %q", body, err, tc.want)
			}
		})
	}
}

func TestClientSendsWhatTheAPIWants(t *testing.T) {
	c := clientOf(t, func(w http.ResponseWriter, r *http.Request) {
		cookie, err := r.Cookie("dashboard_api_key")
		if err != nil || cookie.Value != "ds_test_key" || r.Header.Get("X-API-Key") != "ds_test_key" {
			t.Errorf("headers %v", r.Header)
		}
		if strings.HasPrefix(r.UserAgent(), "Go-") {
			t.Errorf("user agent %q", r.UserAgent())
		}
		_, _ = fmt.Fprint(w, r.URL.RequestURI())
	})
	cursor := "a&b=c \"\n\x00é"
	body, err := c.page(t.Context(), feedEndpoint, ask{cursor: cursor}, &access{path: "/feed", token: "t", header: "X-Stream-Token"})
	if want := "/feed?cursor=" + url.QueryEscape(cursor) + "&limit=100"; err != nil || body != want {
		t.Errorf("%q, %v; want %q", body, err, want)
	}
}

// No redirect and no path of the API leads the key to somewhere else.
func TestTheKeyStaysAtItsOrigin(t *testing.T) {
	sink := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { t.Errorf("the sink was asked for %s", r.URL) }))
	defer sink.Close()
	for _, status := range []int{301, 302, 303, 307, 308} {
		for _, target := range []string{sink.URL, "/elsewhere", strings.Replace(sink.URL, "http:", "", 1)} {
			asked := 0
			c := clientOf(t, func(w http.ResponseWriter, r *http.Request) {
				asked++
				http.Redirect(w, r, target, status)
			})
			if _, err := c.page(t.Context(), eventsEndpoint, ask{}, nil); !errors.Is(err, ErrRedirected) || asked != 1 {
				t.Errorf("%d to %s: %v after %d requests", status, target, err, asked)
			}
		}
	}
	for _, path := range []string{sink.URL + "/feed", strings.Replace(sink.URL, "http:", "", 1)} {
		c := clientOf(t, func(_ http.ResponseWriter, r *http.Request) { t.Errorf("asked for %s", r.URL) })
		if _, err := c.page(t.Context(), feedEndpoint, ask{}, &access{path: path, token: "t", header: "X-T"}); err == nil {
			t.Errorf("a request went to %s", path)
		}
	}
}

func TestSecretsAreNotPrinted(t *testing.T) {
	key := Secret("ds_test_key")
	for _, format := range []string{"%v", "%s", "%+v", "%#v", "%q"} {
		if text := fmt.Sprintf(format, struct{ K Secret }{key}); strings.Contains(text, "ds_test") {
			t.Errorf("%s gives %s", format, text)
		}
	}
}

func TestAnswersAreUnderstood(t *testing.T) {
	for _, tc := range []struct {
		name       string
		endpoint   string
		status     int
		body       string
		withCursor bool
		want       error
	}{
		{"expired", eventsEndpoint, 400, `{"code":"CURSOR_EXPIRED"}`, true, ErrCursorDead},
		{"expired, as a text", feedEndpoint, 422, `{"error":"Cursor expired 7 minute(s) ago"}`, true, ErrCursorDead},
		{"invalid, the other way round", feedEndpoint, 400, `{"code":"INVALID_CURSOR"}`, true, ErrCursorDead},
		{"gone", feedEndpoint, 410, ``, true, ErrCursorDead},
		{"a bad request with a cursor", eventsEndpoint, 400, `<html>`, true, ErrCursorDead},
		{"a bad request without one", eventsEndpoint, 400, `{"code":"CURSOR_EXPIRED"}`, false, nil},
		{"the feed's own complaint", feedEndpoint, 400, `{"code":"BAD_LIMIT"}`, true, nil},
		{"401", feedEndpoint, 401, ``, false, ErrKeyRefused},
		{"403 of events", eventsEndpoint, 403, ``, false, ErrKeyRefused},
		{"403 of the feed", feedEndpoint, 403, `{"code":"INVALID_STREAM_TOKEN"}`, false, ErrTokenRejected},
		{"304", eventsEndpoint, 304, ``, false, ErrRedirected},
		{"503", eventsEndpoint, 503, ``, true, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			err := answerError(tc.endpoint, &http.Response{StatusCode: tc.status, Header: http.Header{}}, []byte(tc.body), tc.withCursor)
			var answer *APIError
			if !errors.As(err, &answer) || answer.Status != tc.status || !errors.Is(answer.Kind, tc.want) {
				t.Errorf("%v, want %v", err, tc.want)
			}
		})
	}
}
