package ingest

import (
	"net/http"
	"testing"
)

// The rows of the table in docs/answers.md.
func TestWhichAnswerMeansWhat(t *testing.T) {
	withCursor, byTime, probe := ask{cursor: "c"}, ask{until: 1, bounded: true}, ask{cursor: "c", limit: 10}
	retryAfter := http.Header{"Retry-After": {"7"}}
	for _, tc := range []struct {
		name     string
		endpoint string
		status   int
		header   http.Header
		body     string
		asked    ask
		want     meaning
	}{
		{"429", eventsEndpoint, 429, nil, ``, ask{}, meansLimited},
		{"403 with a rate limit's code", eventsEndpoint, 403, nil, `{"code":"RATE_LIMIT_EXCEEDED"}`, ask{}, meansLimited},
		{"403 with a rate limit's words", feedEndpoint, 403, nil, `{"message":"API rate limit exceeded for this key"}`, ask{}, meansLimited},
		{"400 in small letters", eventsEndpoint, 400, nil, `{"code":"rate_limited"}`, withCursor, meansLimited},
		{"503 with a rate limit's error", eventsEndpoint, 503, nil, `{"error":"Too Many Requests"}`, withCursor, meansLimited},
		{"200 with a rate limit's code", eventsEndpoint, 200, nil, `{"error":{"code":"TOO_MANY_REQUESTS"}}`, withCursor, meansLimited},
		{"GitHub's words", eventsEndpoint, 403, nil, `{"message":"You have exceeded a secondary rate limit"}`, ask{}, meansLimited},
		{"AWS's words", eventsEndpoint, 400, nil, `{"__type":"ThrottlingException","message":"Rate exceeded"}`, ask{}, meansLimited},
		{"a list of errors", eventsEndpoint, 403, nil, `{"errors":[{"code":"RATE_LIMIT_EXCEEDED"}]}`, ask{}, meansLimited},
		{"403 with nothing left", eventsEndpoint, 403, http.Header{"X-Ratelimit-Remaining": {"0"}}, `{}`, ask{}, meansLimited},
		{"a throttled request", streamAccess, 400, nil, `{"code":"THROTTLED"}`, ask{}, meansLimited},
		{"403 with Retry-After", eventsEndpoint, 403, retryAfter, ``, withCursor, meansFailed},
		{"401 with Retry-After", feedEndpoint, 401, retryAfter, ``, withCursor, meansFailed},
		{"400 with Retry-After that names the cursor", eventsEndpoint, 400, retryAfter, `{"code":"CURSOR_EXPIRED"}`, withCursor, meansFailed},
		{"302 with Retry-After", eventsEndpoint, 302, retryAfter, ``, withCursor, meansFailed},

		{"403 with a token's code", feedEndpoint, 403, nil, `{"code":"INVALID_STREAM_TOKEN"}`, withCursor, meansToken},
		{"403 without a code", feedEndpoint, 403, nil, ``, withCursor, meansToken},
		{"403 for scripts", streamAccess, 403, nil, `{"code":"DASHBOARD_REQUIRED"}`, ask{}, meansDashboard},
		{"401", feedEndpoint, 401, nil, ``, ask{}, meansAccess},
		{"401 that names the cursor", eventsEndpoint, 401, nil, `{"message":"no cursor for you"}`, withCursor, meansAccess},
		{"403 of events", eventsEndpoint, 403, nil, `{"code":"FORBIDDEN"}`, withCursor, meansAccess},

		{"408", eventsEndpoint, 408, nil, ``, withCursor, meansFailed},
		{"409 that names the cursor", eventsEndpoint, 409, nil, `{"message":"cursor is busy"}`, withCursor, meansFailed},
		{"420", feedEndpoint, 420, nil, ``, ask{}, meansFailed},
		{"423", feedEndpoint, 423, nil, ``, byTime, meansFailed},
		{"425", eventsEndpoint, 425, nil, ``, ask{}, meansFailed},
		{"500 that names the limit", eventsEndpoint, 500, nil, `{"message":"limit must be <= 1000"}`, ask{}, meansFailed},
		{"502 that names the cursor", eventsEndpoint, 502, nil, `{"message":"cursor expired"}`, withCursor, meansFailed},
		{"204", eventsEndpoint, 204, nil, ``, withCursor, meansFailed},

		{"the limit", eventsEndpoint, 400, nil, `{"error":"Bad Request","message":"limit must be <= 1000"}`, ask{}, meansPageSize},
		{"the limit, by its code", feedEndpoint, 422, nil, `{"code":"INVALID_LIMIT"}`, withCursor, meansPageSize},
		{"the limit, beside the cursor", feedEndpoint, 400, nil, `{"message":"limit of a cursor request is at most 500"}`, withCursor, meansPageSize},
		{"the page size", eventsEndpoint, 413, nil, `{"message":"page size too large"}`, withCursor, meansPageSize},
		{"the limit of a probe", feedEndpoint, 400, nil, `{"message":"limit must be >= 100"}`, probe, meansWay},
		{"a smaller limit, in a hint", eventsEndpoint, 400, nil, `{"message":"Cursor expired 3 minute(s) ago","hint":"use a smaller limit, at most 100"}`, withCursor, meansCursor},
		{"a cursor's code before its words", eventsEndpoint, 422, nil, `{"code":"CURSOR_EXPIRED","message":"the limit must be 100"}`, withCursor, meansCursor},
		{"a URL that is repeated", eventsEndpoint, 404, nil, `{"message":"Cannot GET /api/v1/events?limit=100000&cursor=x, max"}`, ask{}, meansRefused},
		{"a limit of the day", eventsEndpoint, 400, nil, `{"message":"daily limit of your plan must be raised"}`, ask{}, meansRefused},
		{"a limit of time", eventsEndpoint, 400, nil, `{"message":"the cursor has passed its time limit"}`, withCursor, meansCursor},

		{"expired", eventsEndpoint, 400, nil, `{"code":"CURSOR_EXPIRED"}`, withCursor, meansCursor},
		{"expired, as a text", feedEndpoint, 422, nil, `{"error":"Cursor expired 7 minute(s) ago"}`, withCursor, meansCursor},
		{"invalid, the other way round", feedEndpoint, 400, nil, `{"code":"INVALID_CURSOR"}`, withCursor, meansCursor},
		{"expired, in a hint", eventsEndpoint, 418, nil, `{"hint":"get a new cursor"}`, withCursor, meansCursor},
		{"a cursor where none was sent", eventsEndpoint, 400, nil, `{"code":"CURSOR_EXPIRED"}`, ask{}, meansRefused},
		{"a cursor where none was sent, by time", feedEndpoint, 400, nil, `{"message":"cursor is required"}`, byTime, meansWay},

		{"400 by time", feedEndpoint, 400, nil, ``, byTime, meansWay},
		{"418 by time", feedEndpoint, 418, nil, ``, byTime, meansWay},
		{"404 to a probe", eventsEndpoint, 404, nil, ``, probe, meansWay},

		{"400 with a cursor", eventsEndpoint, 400, nil, `<html>`, withCursor, meansCursorPerhaps},
		{"410 with a cursor", feedEndpoint, 410, nil, ``, withCursor, meansCursorPerhaps},
		{"418 with a cursor", feedEndpoint, 418, nil, `{"error":"I'm a teapot"}`, withCursor, meansCursorPerhaps},
		{"431 with a cursor", feedEndpoint, 431, nil, ``, withCursor, meansCursorPerhaps},

		{"404", eventsEndpoint, 404, nil, ``, ask{}, meansRefused},
		{"400 of stream-access", streamAccess, 400, nil, `{"message":"limit"}`, ask{}, meansRefused},
		{"302", eventsEndpoint, 302, nil, ``, withCursor, meansRefused},
		{"304", eventsEndpoint, 304, nil, ``, withCursor, meansRefused},
	} {
		t.Run(tc.name, func(t *testing.T) {
			header := tc.header
			if header == nil {
				header = http.Header{}
			}
			e := answerError(tc.endpoint, &http.Response{StatusCode: tc.status, Header: header}, []byte(tc.body), tc.asked)
			if e.means != tc.want || e.Status != tc.status {
				t.Errorf("%v means %d, want %d", e, e.means, tc.want)
			}
			if (e.Named || e.means == meansLimited) && e.Kind != nil {
				t.Errorf("%v is a wait", e)
			}
		})
	}
}

func TestSmallerPages(t *testing.T) {
	for words, want := range map[string]int{
		"limit must be <= 1000":                      1000,
		"limit must be between 1 and 5000":           5000,
		"limit 100000 exceeds the maximum of 250":    250,
		"limit must be <= 1,000":                     1000,
		"limit must be at most 2_500 events":         2500,
		"limit is too large":                         10_000,
		"limit must be at most 99999999999999999999": 10_000,
	} {
		a := readAnswer(eventsEndpoint, 400, []byte(`{"message":"`+words+`"}`))
		if got := a.smallerPage(100_000); got != want {
			t.Errorf("%q: %d, want %d", words, got, want)
		}
	}
	if a := readAnswer(eventsEndpoint, 400, nil); a.smallerPage(1) != 0 {
		t.Error("a page smaller than one event")
	}
}

// What the API says is shown on one line, and nothing of a secret.
func TestTheAPIsOwnWordsAreShown(t *testing.T) {
	s := newSecrets("ds_test_secret")
	for body, want := range map[string]string{
		`{"message":"no such user","hint":"log in"}`:                `events answered 418: "no such user" (hint: "log in")`,
		`{"error":{"code":"E1","message":"in\u001b[2J\nside"}}`:     `events answered 418 E1: "in\x1b[2J\nside"`,
		`{"error":"I'm a teapot","message":"ds_test_secret"}`:       `events answered 418`,
		`{"error":"ds_test_secret is no key","code":"NO_KEY"}`:      `events answered 418 NO_KEY`,
		`{"message":"gone","hint":"ZHNfdGVzdF9zZWNyZXQ=","code":5}`: `events answered 418 5: "gone"`,
		`{"message":"key ds_test_s... is no key"}`:                  `events answered 418`,
		`{"statusCode":418,"message":["no","tea"]}`:                 `events answered 418: "no; tea"`,
	} {
		err := s.hide(eventsEndpoint, answerError(eventsEndpoint, &http.Response{StatusCode: 418, Header: http.Header{}}, []byte(body), ask{}))
		if err.Error() != want {
			t.Errorf("%s: %s, want %s", body, err, want)
		}
	}
}
