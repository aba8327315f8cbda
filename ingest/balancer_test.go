package ingest_test

import (
	"bytes"
	"io"
	"net/http"
	"regexp"
	"strings"
	"sync"
	"testing"

	"datasync/ingest/dryrun"
	"datasync/mockserver"
)

// balanced puts two instances behind a load balancer; each knows only its own cursors. A request without a cookie goes
// to the other instance than the last such one. Strangers counts these requests.
func balanced(b *bench, o mockserver.Options, answer func(*http.Response)) (strangers func() int) {
	o.Data.Events, o.Events.Cap, o.Feed.Cap = 2000, 100, 50
	instances := map[string]http.RoundTripper{"one": b.opts.Transport, "two": mockserver.New(o).Transport()}
	next := regexp.MustCompile(`"nextCursor":"([^"]*)"`)
	cursors := map[string]string{} // which instance knows them
	var mu sync.Mutex
	n := 0
	b.opts.Transport = roundTripper(func(r *http.Request) (*http.Response, error) {
		name := ""
		if cookie, err := r.Cookie("lb"); err == nil {
			name = cookie.Value
		}
		mu.Lock()
		defer mu.Unlock()
		if instances[name] == nil {
			n++
			name = []string{"one", "two"}[n%2]
		}
		var resp *http.Response
		if cursor := r.URL.Query().Get("cursor"); cursor == "" || cursors[cursor] == name {
			var err error
			if resp, err = instances[name].RoundTrip(r); err != nil {
				return nil, err
			}
		} else {
			body := io.NopCloser(strings.NewReader(`{"error":"Invalid cursor","code":"CURSOR_INVALID"}`))
			resp = &http.Response{StatusCode: http.StatusBadRequest, Header: http.Header{}, Body: body, Request: r}
		}
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			return nil, err
		}
		if m := next.FindSubmatch(body); m != nil {
			cursors[string(m[1])] = name
		}
		resp.Body = io.NopCloser(bytes.NewReader(body))
		resp.Header.Add("Set-Cookie", "lb="+name+"; Path=/; HttpOnly")
		answer(resp)
		return resp, nil
	})
	return func() int {
		mu.Lock()
		defer mu.Unlock()
		return n
	}
}

// TestBalancerWithTwoInstances: the client returns the cookie by which a balancer finds the instance that knows a
// cursor, so that no cursor is refused; in a dry run, too.
func TestBalancerWithTwoInstances(t *testing.T) {
	var o mockserver.Options
	withOneWalk(t, "a pull", o, func(b *bench) {
		refused := 0
		strangers := balanced(b, o, func(resp *http.Response) {
			if resp.StatusCode == http.StatusBadRequest {
				refused++
			}
		})
		summary := b.mustPull()
		if refused > 0 || strangers() != 1 || summary.Duplicate > 0 {
			b.t.Errorf("%d cursors refused, %d requests without a cookie; %+v, notices %q", refused, strangers(), summary.Counts, b.notices)
		}
	})
	withOneWalk(t, "a dry run", o, func(b *bench) {
		strangers := balanced(b, o, func(*http.Response) {})
		if f, err := dryrun.Run(b.t.Context(), b.opts, b.store, nil); err != nil || f.Requests < 3 || strangers() != 1 {
			b.t.Errorf("%v, %d requests, %d without a cookie", err, f.Requests, strangers())
		}
	})
	// An error has the cookie as well.
	o.Scripts = []mockserver.Script{{Endpoint: mockserver.Events, Request: 1, Faults: []mockserver.Fault{mockserver.Status(503)}}}
	withOneWalk(t, "after an error", o, func(b *bench) {
		strangers := balanced(b, o, func(resp *http.Response) {
			if resp.StatusCode == http.StatusOK {
				resp.Header.Del("Set-Cookie")
			}
		})
		b.pullAll()
		if strangers() != 1 || strings.Contains(strings.Join(b.notices, "\n"), "lb=") {
			b.t.Errorf("%d requests without a cookie; notices %q", strangers(), b.notices)
		}
	})
}

// pullAll is mustPull without the mock server's own checks, since another instance may have answered.
func (b *bench) pullAll() {
	b.t.Helper()
	if summary, err := b.pull(); err != nil || !summary.Complete || len(b.store.Events()) != 2000 {
		b.t.Errorf("%v, %+v", err, summary)
	}
}
