package api

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode"

	"datasync/ingest/decode"
)

// FuzzParseAccess: each answer of stream-access is refused, or results in exactly the request that it
// names.
func FuzzParseAccess(f *testing.F) {
	f.Add(`{"streamAccess":{"endpoint":"/feed","token":"t","tokenHeader":"X-Stream-Token","expiresIn":300}}`)
	requested := time.Unix(1769541612, 0)
	f.Fuzz(func(t *testing.T, body string) {
		got, err := parseAccess(body, requested)
		if err != nil {
			if text := err.Error(); !errors.Is(err, decode.ErrMalformed) && !errors.Is(err, ErrFeedUnusable) || !oneShortLine(text) {
				t.Errorf("%q", text)
			}
			return
		}
		if got.Life < 0 || got.Life > 24*time.Hour || !got.RenewAt.IsZero() && (got.RenewAt.Before(requested) || got.RenewAt.After(requested.Add(got.Life))) {
			t.Errorf("the token lives for %v and is renewed at %v", got.Life, got.RenewAt)
		}
		name := http.CanonicalHeaderKey(got.header)
		if name == "X-Requested-With" {
			return // a header of the client, which takes precedence
		}
		req := sentRequest(t, Feed, Request{}, got)
		plain, err := url.PathUnescape(got.path)
		if err != nil || req.URL.Path != plain || req.URL.RawQuery != "limit=10" {
			t.Errorf("%q was sent as %q", got.path, req.URL)
		}
		if v := req.Header[name]; len(v) != 1 || v[0] != strings.Trim(got.token, " \t") {
			t.Errorf("the token %q was sent as %q", got.token, v)
		}
		for other := range req.Header {
			switch other {
			case name, "X-Api-Key", "Cookie", "User-Agent", "Accept", "X-Requested-With", "Origin", "Referer", "Accept-Encoding":
			default:
				t.Errorf("%q has the header %q", body, other)
			}
		}
	})
}

// FuzzNewError: an error shows only the status, the code and the texts of an answer, on one line that
// is safe for a terminal.
func FuzzNewError(f *testing.F) {
	f.Add(400, `{"code":"CURSOR_EXPIRED","message":"gone","hint":"\u001b[2J"}`, "3", true)
	f.Fuzz(func(t *testing.T, status int, body, after string, withCursor bool) {
		if status < 100 || status > 999 {
			return // package net/http refuses these
		}
		var want Request
		if withCursor {
			want.Cursor = "c"
		}
		resp := &http.Response{StatusCode: status, Header: http.Header{"Retry-After": {after}}}
		for _, endpoint := range []string{Events, Feed, StreamAccess} {
			e := newError(endpoint, resp, []byte(body), want)
			if !codePattern.MatchString(e.Code) && e.Code != "" || !oneShortLine(e.Error()) {
				t.Errorf("%q", e.Error())
			}
			if e.Wait < 0 || e.Wait > maxWait {
				t.Errorf("wait %v is out of range", e.Wait)
			}
			switch expired := errors.Is(e, ErrCursorExpired); {
			case expired && (!withCursor || status < 400 || status > 499):
				t.Errorf("%d is a cursor error; sent with a cursor: %v", status, withCursor)
			case errors.Is(e, ErrKeyRefused) && status != 401 && status != 403, errors.Is(e, ErrRedirected) && status/100 != 3:
				t.Errorf("%d has the kind %v", status, e.Kind)
			}
			if e.Means == MeansPageTooLarge && smallerPage(1000, e.maximums) >= 1000 {
				t.Errorf("%q: the page size does not shrink", body)
			}
		}
	})
}

// oneShortLine reports whether a text is one line of bounded length without control characters.
func oneShortLine(text string) bool {
	return len(text) < 200+2*12*MaxQuoted && !strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsGraphic(r) })
}
