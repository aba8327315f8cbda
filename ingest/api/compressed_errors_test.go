package api

import (
	"errors"
	"net/http"
	"testing"
	"time"
)

// A server may compress its errors, too: their content counts all the same.
func TestCompressedErrors(t *testing.T) {
	for _, tc := range []struct {
		name, body string
		status     int
		ok         func(err error, e *Error) bool
	}{
		{"a wait", `{"error":"Too Many Requests","rateLimit":{"retryAfter":60}}`, 429,
			func(_ error, e *Error) bool { return e.Named && e.Wait == time.Minute }},
		{"an expired cursor on the feed", `{"code":"CURSOR_EXPIRED","message":"the cursor has expired"}`, 400,
			func(err error, _ *Error) bool { return errors.Is(err, ErrCursorExpired) }},
		{"a code", `{"code":"DASHBOARD_REQUIRED"}`, 403,
			func(_ error, e *Error) bool { return e.Code == dashboardRequired }},
	} {
		for _, wantGzip := range []bool{false, true} {
			c := newTestClient(t, func(w http.ResponseWriter, r *http.Request) {
				body := tc.body
				if r.Header.Get("Accept-Encoding") == "gzip" {
					w.Header().Set("Content-Encoding", "gzip")
					body = zip(body)
				}
				w.WriteHeader(tc.status)
				_, _ = w.Write([]byte(body))
			})
			c.compression[Feed] = &compression{gzip: wantGzip, lastSize: minMeasuredPage}
			_, _, err := c.Page(t.Context(), Feed, Request{Cursor: "c"}, &Access{path: "/feed", header: "X-Token", token: "t"}, &Buffer{})
			var e *Error
			if !errors.As(err, &e) || !tc.ok(err, e) {
				t.Errorf("%s, gzip requested %v: %v (%+v)", tc.name, wantGzip, err, e)
			}
		}
	}
}
