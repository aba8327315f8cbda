package api

import (
	"net/http"
	"testing"
)

// TestMeaningOfAnswers has the rows of the table in docs/answers.md.
func TestMeaningOfAnswers(t *testing.T) {
	withCursor, byTime, probe := Request{Cursor: "c"}, Request{Until: 1, Bounded: true}, Request{Cursor: "c", Limit: 10}
	retryAfter := http.Header{"Retry-After": {"7"}}
	for _, tc := range []struct {
		name     string
		endpoint string
		status   int
		header   http.Header
		body     string
		request  Request
		want     Meaning
	}{
		{"429", Events, 429, nil, ``, Request{}, MeansRateLimited},
		{"403 with a rate limit's code", Events, 403, nil, `{"code":"RATE_LIMIT_EXCEEDED"}`, Request{}, MeansRateLimited},
		{"403 with a rate limit's message", Feed, 403, nil, `{"message":"API rate limit exceeded for this key"}`, Request{}, MeansRateLimited},
		{"400 in lower case", Events, 400, nil, `{"code":"rate_limited"}`, withCursor, MeansRateLimited},
		{"503 with a rate limit's error", Events, 503, nil, `{"error":"Too Many Requests"}`, withCursor, MeansRateLimited},
		{"200 with a rate limit's code", Events, 200, nil, `{"error":{"code":"TOO_MANY_REQUESTS"}}`, withCursor, MeansRateLimited},
		{"GitHub's message", Events, 403, nil, `{"message":"You have exceeded a secondary rate limit"}`, Request{}, MeansRateLimited},
		{"AWS's message", Events, 400, nil, `{"__type":"ThrottlingException","message":"Rate exceeded"}`, Request{}, MeansRateLimited},
		{"a list of errors", Events, 403, nil, `{"errors":[{"code":"RATE_LIMIT_EXCEEDED"}]}`, Request{}, MeansRateLimited},
		{"403 with no remaining requests", Events, 403, http.Header{"X-Ratelimit-Remaining": {"0"}}, `{}`, Request{}, MeansRateLimited},
		{"a throttled request", StreamAccess, 400, nil, `{"code":"THROTTLED"}`, Request{}, MeansRateLimited},
		{"403 with Retry-After", Events, 403, retryAfter, ``, withCursor, MeansFailed},
		{"401 with Retry-After", Feed, 401, retryAfter, ``, withCursor, MeansFailed},
		{"400 with Retry-After that names the cursor", Events, 400, retryAfter, `{"code":"CURSOR_EXPIRED"}`, withCursor, MeansFailed},
		{"302 with Retry-After", Events, 302, retryAfter, ``, withCursor, MeansFailed},

		{"403 with a token's code", Feed, 403, nil, `{"code":"INVALID_STREAM_TOKEN"}`, withCursor, MeansTokenRefused},
		{"403 without a code", Feed, 403, nil, ``, withCursor, MeansTokenRefused},
		{"403 for scripts", StreamAccess, 403, nil, `{"code":"DASHBOARD_REQUIRED"}`, Request{}, MeansBrowserRequired},
		{"401", Feed, 401, nil, ``, Request{}, MeansKeyRefused},
		{"401 that names the cursor", Events, 401, nil, `{"message":"no cursor for you"}`, withCursor, MeansKeyRefused},
		{"403 of events", Events, 403, nil, `{"code":"FORBIDDEN"}`, withCursor, MeansKeyRefused},

		{"408", Events, 408, nil, ``, withCursor, MeansFailed},
		{"409 that names the cursor", Events, 409, nil, `{"message":"cursor is busy"}`, withCursor, MeansFailed},
		{"420", Feed, 420, nil, ``, Request{}, MeansFailed},
		{"423", Feed, 423, nil, ``, byTime, MeansFailed},
		{"425", Events, 425, nil, ``, Request{}, MeansFailed},
		{"500 that names the limit", Events, 500, nil, `{"message":"limit must be <= 1000"}`, Request{}, MeansFailed},
		{"502 that names the cursor", Events, 502, nil, `{"message":"cursor expired"}`, withCursor, MeansFailed},
		{"204", Events, 204, nil, ``, withCursor, MeansFailed},

		{"the limit", Events, 400, nil, `{"error":"Bad Request","message":"limit must be <= 1000"}`, Request{}, MeansPageTooLarge},
		{"the limit, by its code", Feed, 422, nil, `{"code":"INVALID_LIMIT"}`, withCursor, MeansPageTooLarge},
		{"the limit, beside the cursor", Feed, 400, nil, `{"message":"limit of a cursor request is at most 500"}`, withCursor, MeansPageTooLarge},
		{"the page size", Events, 413, nil, `{"message":"page size too large"}`, withCursor, MeansPageTooLarge},
		{"the limit of a probe", Feed, 400, nil, `{"message":"limit must be >= 100"}`, probe, MeansBoundRefused},
		{"a smaller limit, in a hint", Events, 400, nil, `{"message":"Cursor expired 3 minute(s) ago","hint":"use a smaller limit, at most 100"}`, withCursor, MeansCursorExpired},
		{"a cursor's code before its message", Events, 422, nil, `{"code":"CURSOR_EXPIRED","message":"the limit must be 100"}`, withCursor, MeansCursorExpired},
		{"a quoted URL", Events, 404, nil, `{"message":"Cannot GET /api/v1/events?limit=100000&cursor=x, max"}`, Request{}, MeansRefused},
		{"a daily limit", Events, 400, nil, `{"message":"daily limit of your plan must be raised"}`, Request{}, MeansRefused},
		{"a time limit", Events, 400, nil, `{"message":"the cursor has passed its time limit"}`, withCursor, MeansCursorExpired},

		{"expired", Events, 400, nil, `{"code":"CURSOR_EXPIRED"}`, withCursor, MeansCursorExpired},
		{"expired, as a text", Feed, 422, nil, `{"error":"Cursor expired 7 minute(s) ago"}`, withCursor, MeansCursorExpired},
		{"invalid, the other way round", Feed, 400, nil, `{"code":"INVALID_CURSOR"}`, withCursor, MeansCursorExpired},
		{"expired, in a hint", Events, 418, nil, `{"hint":"get a new cursor"}`, withCursor, MeansCursorExpired},
		{"a cursor where none was sent", Events, 400, nil, `{"code":"CURSOR_EXPIRED"}`, Request{}, MeansRefused},
		{"a cursor where none was sent, by time", Feed, 400, nil, `{"message":"cursor is required"}`, byTime, MeansBoundRefused},

		{"400 by time", Feed, 400, nil, ``, byTime, MeansBoundRefused},
		{"418 by time", Feed, 418, nil, ``, byTime, MeansBoundRefused},
		{"404 to a probe", Events, 404, nil, ``, probe, MeansBoundRefused},

		{"400 with a cursor", Events, 400, nil, `<html>`, withCursor, MeansCursorSuspect},
		{"410 with a cursor", Feed, 410, nil, ``, withCursor, MeansCursorSuspect},
		{"418 with a cursor", Feed, 418, nil, `{"error":"I'm a teapot"}`, withCursor, MeansCursorSuspect},
		{"431 with a cursor", Feed, 431, nil, ``, withCursor, MeansCursorSuspect},

		{"404", Events, 404, nil, ``, Request{}, MeansRefused},
		{"400 of stream-access", StreamAccess, 400, nil, `{"message":"limit"}`, Request{}, MeansRefused},
		{"302", Events, 302, nil, ``, withCursor, MeansRefused},
		{"304", Events, 304, nil, ``, withCursor, MeansRefused},
	} {
		t.Run(tc.name, func(t *testing.T) {
			header := tc.header
			if header == nil {
				header = http.Header{}
			}
			e := newError(tc.endpoint, &http.Response{StatusCode: tc.status, Header: header}, []byte(tc.body), tc.request)
			if e.Means != tc.want || e.Status != tc.status {
				t.Errorf("%v means %d, want %d", e, e.Means, tc.want)
			}
			if (e.Named || e.Means == MeansRateLimited) && e.Kind != nil {
				t.Errorf("%v is a rate limit or names a wait, and has a kind", e)
			}
		})
	}
}

func TestSmallerPages(t *testing.T) {
	for message, want := range map[string]int{
		"limit must be <= 1000":                      1000,
		"limit must be between 1 and 5000":           5000,
		"limit 100000 exceeds the maximum of 250":    250,
		"limit must be <= 1,000":                     1000,
		"limit must be at most 2_500 events":         2500,
		"limit is too large":                         10_000,
		"limit must be at most 99999999999999999999": 10_000,
	} {
		a := parseReply(Events, 400, []byte(`{"message":"`+message+`"}`))
		if got := smallerPage(100_000, a.maximums()); got != want {
			t.Errorf("%q: %d, want %d", message, got, want)
		}
	}
	if a := parseReply(Events, 400, nil); smallerPage(1, a.maximums()) != 0 {
		t.Error("the page size is below one event")
	}
}

// The texts of an answer are shown on one line, without secrets.
func TestMessagesOfTheAPIAreShown(t *testing.T) {
	s := newSecrets("ds_test_secret")
	for body, want := range map[string]string{
		`{"message":"no such user","hint":"log in"}`:                `events endpoint answered 418: "no such user" (hint: "log in")`,
		`{"error":{"code":"E1","message":"in\u001b[2J\nside"}}`:     `events endpoint answered 418 E1: "in\x1b[2J\nside"`,
		`{"error":"I'm a teapot","message":"ds_test_secret"}`:       `events endpoint answered 418`,
		`{"error":"ds_test_secret is no key","code":"NO_KEY"}`:      `events endpoint answered 418 NO_KEY`,
		`{"message":"gone","hint":"ZHNfdGVzdF9zZWNyZXQ=","code":5}`: `events endpoint answered 418 5: "gone"`,
		`{"message":"key ds_test_s... is no key"}`:                  `events endpoint answered 418`,
		`{"statusCode":418,"message":["no","tea"]}`:                 `events endpoint answered 418: "no; tea"`,
	} {
		err := s.redact(Events, newError(Events, &http.Response{StatusCode: 418, Header: http.Header{}}, []byte(body), Request{}))
		if err.Error() != want {
			t.Errorf("%s: %s, want %s", body, err, want)
		}
	}
}
