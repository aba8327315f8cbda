package api

import (
	"errors"
	"net/http"
	"testing"
	"time"
)

// A server that is asked for gzip compresses its errors as well: what they say must be
// understood all the same.
func TestCompressedErrors(t *testing.T) {
	for _, tc := range []struct {
		name, body string
		status     int
		ok         func(err error, e *APIError) bool
	}{
		{"a wait", `{"error":"Too Many Requests","rateLimit":{"retryAfter":60}}`, 429,
			func(_ error, e *APIError) bool { return e.Named && e.Wait == time.Minute }},
		{"a dead cursor on the feed", `{"code":"CURSOR_EXPIRED","message":"the cursor has expired"}`, 400,
			func(err error, _ *APIError) bool { return errors.Is(err, ErrCursorExpired) }},
		{"a code", `{"code":"DASHBOARD_REQUIRED"}`, 403,
			func(_ error, e *APIError) bool { return e.Code == dashboardRequired }},
	} {
		for _, asked := range []bool{false, true} {
			c := clientOf(t, func(w http.ResponseWriter, r *http.Request) {
				body := tc.body
				if r.Header.Get("Accept-Encoding") == "gzip" {
					w.Header().Set("Content-Encoding", "gzip")
					body = zip(body)
				}
				w.WriteHeader(tc.status)
				_, _ = w.Write([]byte(body))
			})
			c.compression[Feed] = &compression{gzip: asked, size: tinyPage}
			_, _, err := c.Page(t.Context(), Feed, Request{Cursor: "c"}, &Access{path: "/feed", header: "X-Token", token: "t"}, &Buffer{})
			var e *APIError
			if !errors.As(err, &e) || !tc.ok(err, e) {
				t.Errorf("%s, asked for gzip %v: %v (%+v)", tc.name, asked, err, e)
			}
		}
	}
}
