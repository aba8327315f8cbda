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

// FuzzParseAccess: whatever stream-access answers, it is refused, or it makes the request
// that it names and no other.
func FuzzParseAccess(f *testing.F) {
	f.Add(`{"streamAccess":{"endpoint":"/feed","token":"t","tokenHeader":"X-Stream-Token","expiresIn":300}}`)
	asked := time.Unix(1769541612, 0)
	f.Fuzz(func(t *testing.T, body string) {
		got, err := parseAccess(body, asked)
		if err != nil {
			if text := err.Error(); !errors.Is(err, decode.ErrMalformed) && !errors.Is(err, ErrFeedUnusable) || !oneShortLine(text) {
				t.Errorf("%q", text)
			}
			return
		}
		if got.Life < 0 || got.Life > 24*time.Hour || !got.RenewAt.IsZero() && (got.RenewAt.Before(asked) || got.RenewAt.After(asked.Add(got.Life))) {
			t.Errorf("it lives for %v and is renewed at %v", got.Life, got.RenewAt)
		}
		name := http.CanonicalHeaderKey(got.header)
		if name == "X-Requested-With" {
			return // one of our own, which stays as it is
		}
		req := onTheWire(t, Feed, Request{}, got)
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

// FuzzAnswerError: of an answer that is no page nothing reaches an error but its status, code and
// words, on one line that a terminal can show.
func FuzzAnswerError(f *testing.F) {
	f.Add(400, `{"code":"CURSOR_EXPIRED","message":"gone","hint":"\u001b[2J"}`, "3", true)
	f.Fuzz(func(t *testing.T, status int, body, after string, withCursor bool) {
		if status < 100 || status > 999 {
			return // package http makes errors of those
		}
		var asked Request
		if withCursor {
			asked.Cursor = "c"
		}
		resp := &http.Response{StatusCode: status, Header: http.Header{"Retry-After": {after}}}
		for _, endpoint := range []string{Events, Feed, StreamAccess} {
			e := answerError(endpoint, resp, []byte(body), asked)
			if !codePattern.MatchString(e.Code) && e.Code != "" || !oneShortLine(e.Error()) {
				t.Errorf("%q", e.Error())
			}
			if e.Wait < 0 || e.Wait > longestWait {
				t.Errorf("a wait of %v", e.Wait)
			}
			switch dead := errors.Is(e, ErrCursorExpired); {
			case dead && (!withCursor || status < 400 || status > 499):
				t.Errorf("%d, with a cursor: %v, is said to be about one", status, withCursor)
			case errors.Is(e, ErrKeyRefused) && status != 401 && status != 403, errors.Is(e, ErrRedirected) && status/100 != 3:
				t.Errorf("%d is %v", status, e.Kind)
			}
			if e.Means == MeansPageTooLarge && e.answer.smallerPage(1000) >= 1000 {
				t.Errorf("%q: no smaller page", body)
			}
		}
	})
}

// oneShortLine reports whether an error can be shown as it is.
func oneShortLine(text string) bool {
	return len(text) < 200+2*12*MaxQuoted && !strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsGraphic(r) })
}
