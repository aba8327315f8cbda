package api

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"datasync/internal/model"
)

// TestTrace: each request is shown with its outcome, and without a cursor.
func TestTrace(t *testing.T) {
	const accessText = `{"streamAccess":{"endpoint":"/the/feed","token":"ds_test_token","tokenHeader":"X-Stream-Token","expiresIn":300}}`
	answers := map[string]string{
		"/api/v1/events":                    `{"data":[{"id":1},{"id":2}],"pagination":{"hasMore":false}}`,
		"/internal/dashboard/stream-access": accessText,
		"/the/feed":                         `{"code":"BUSY","message":"not now"}`,
	}
	var shown []Exchange
	c := newTestClient(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/the/feed" {
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(http.StatusServiceUnavailable)
		}
		_, _ = io.WriteString(w, answers[r.URL.Path])
	})
	c.Trace(func(x Exchange) { shown = append(shown, x) })
	if _, _, err := c.Page(t.Context(), Events, Request{Cursor: "the cursor"}, nil, &Buffer{}); err != nil {
		t.Fatal(err)
	}
	access, err := c.Access(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := c.Page(t.Context(), Feed, Request{Until: 5, Bounded: true}, access, &Buffer{}); err == nil {
		t.Error("a 503 is a page")
	}
	var lines []string
	for _, x := range shown {
		if x.Took <= 0 {
			t.Errorf("%+v took no time", x)
		}
		lines = append(lines, fmt.Sprint(x.Method, " ", x.Target, " ", x.Endpoint, " ", x.Status, " ", x.Bytes, " ", x.Events, " ", x.Wait, " ", x.Err))
	}
	want := []string{
		fmt.Sprint("GET /api/v1/events?limit=100&cursor=#", model.HashCursor("the cursor"), " events 200 ", len(answers["/api/v1/events"]), " 2 0s <nil>"),
		fmt.Sprint("POST /internal/dashboard/stream-access stream-access 200 ", len(accessText), " -1 0s <nil>"),
		fmt.Sprint("GET /the/feed?limit=100&until=5 feed 503 ", len(answers["/the/feed"]), ` -1 7s feed endpoint answered 503 BUSY: "not now"`),
	}
	if got := strings.Join(lines, "\n"); got != strings.Join(want, "\n") {
		t.Errorf("shown are\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
}

// TestTraceOfAStop: a request that the caller ends is stopped. One that fails by itself is not.
func TestTraceOfAStop(t *testing.T) {
	var shown []Exchange
	ctx, stop := context.WithCancelCause(t.Context())
	c := newTestClient(t, func(_ http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("cursor") != "" {
			panic(http.ErrAbortHandler)
		}
		stop(errors.New("a signal"))
		<-r.Context().Done()
	})
	c.Trace(func(x Exchange) { shown = append(shown, x) })
	for _, cursor := range []string{"cut off", ""} {
		if _, _, err := c.Page(ctx, Events, Request{Cursor: cursor}, nil, &Buffer{}); err == nil {
			t.Error("a page")
		}
	}
	if len(shown) != 2 || shown[0].Stopped || shown[0].Err == nil || !shown[1].Stopped || shown[1].Err == nil {
		t.Errorf("%+v", shown)
	}
}

// TestTraceWithholdsSecrets: neither a path that the API names nor a cursor shows the key or the token.
func TestTraceWithholdsSecrets(t *testing.T) {
	c := newTestClient(t, nil)
	c.secrets.add("ds_test_token")
	for _, secret := range []string{"ds_test_key", "DS_TEST_KEY", "ds_test_token", "%64s_test_token", "ZHNfdGVzdF90b2tlbg"} {
		u, err := url.Parse("http://api.test/feed/" + secret + "?limit=9")
		if err != nil {
			t.Fatal(err)
		}
		if got := c.target(u, Request{Cursor: "x" + secret}); strings.Contains(got, secret) || !strings.HasPrefix(got, "/[withheld]?limit=9&cursor=") {
			t.Errorf("%s is shown as %s", secret, got)
		}
	}
	u := &url.URL{Path: "/feed"}
	if got := c.target(u, Request{Cursor: "ds_test_token"}); got != "/feed&cursor=[withheld]" {
		t.Errorf("shown is %s", got)
	}
}
