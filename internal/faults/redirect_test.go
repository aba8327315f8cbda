package faults

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"datasync/internal/e2e/harness"
	"datasync/mockserver"
)

// redirecting responds with a redirect.
func redirecting(status int, to string) http.HandlerFunc {
	return answering(status, "", "Location", to)
}

// elsewhere are targets of redirects, by kind. Some of them are sinks; the test checks whether the
// API itself is asked again.
func (w *world) elsewhere() map[string]string {
	sink, _ := strings.CutPrefix(w.sink(), "http://")
	// The same server by another address, which counts as another host.
	_, port, err := net.SplitHostPort(sink)
	if err != nil {
		w.Fatal(err)
	}
	api := strings.TrimPrefix(strings.TrimPrefix(w.Base, "https://"), "http://")
	return map[string]string{
		"the same host":       "/elsewhere",
		"itself":              mockserver.EventsPath + "?limit=100000",
		"another port":        "http://" + sink + "/api/v1/events",
		"another scheme":      "http://" + api + "/api/v1/events",
		"https":               "https://" + sink + "/",
		"another host":        "http://localhost:" + port + "/",
		"a subdomain":         "http://api.127.0.0.1.example:" + port + "/",
		"no scheme":           "//" + sink + "/api/v1/events",
		"backslashes":         `/\` + sink + "/",
		"with a user":         "http://" + api + "@" + sink + "/",
		"another kind of URL": "file:///etc/passwd",
		"a script":            "javascript:alert(1)",
		"what is no URL":      "http://[bad",
		"nowhere":             "",
	}
}

// TestRedirects: the program follows no redirect, wherever it leads, over http or https. The pull
// ends at once, after one request, and no other server is asked.
func TestRedirects(t *testing.T) {
	t.Parallel()
	type redirect struct {
		status int
		to     string
	}
	var cases []redirect
	names := []string{
		"another port", "another scheme", "itself", "the same host", "https", "another host", "a subdomain", "no scheme",
		"backslashes", "with a user", "another kind of URL", "a script", "what is no URL", "nowhere",
	}
	for i, status := range []int{307, 302, 301, 303, 308, 300, 304, 305} {
		for j := range names {
			cases = append(cases, redirect{status, names[(i+j)%len(names)]})
		}
	}
	for _, secure := range []bool{false, true} {
		for _, c := range harness.Some(cases, 2) {
			t.Run(fmt.Sprintf("%d to %s, https %v", c.status, c.to, secure), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, tcpPages())
				if secure {
					w.secure()
				}
				to := w.elsewhere()[c.to]
				var asked atomic.Int64
				w.breakAfter(0, func(rw http.ResponseWriter, r *http.Request) {
					asked.Add(1)
					redirecting(c.status, to)(rw, r)
				})
				e := w.run(command{Args: []string{"pull"}})
				w.endsWith(e, 4)
				w.says(e, "redirects")
				if n := asked.Load(); n != 1 || w.sunk.Load() != 0 {
					t.Errorf("%d requests, %d to others", n, w.sunk.Load())
				}
			})
		}
	}
}

// TestRedirectsInMidPull: a redirect from a page ends the pull there. One from the feed or from
// stream-access does not.
func TestRedirectsInMidPull(t *testing.T) {
	t.Parallel()
	for _, what := range []string{"a page", "the feed", "stream-access"} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			o := tcpPages()
			if what != "a page" {
				// So that the feed is asked.
				o.Scripts = []mockserver.Script{{Endpoint: mockserver.Events, Request: 5, Faults: []mockserver.Fault{mockserver.RateLimited(5 * time.Second)}}}
			}
			w := newWorld(t, o)
			to := w.elsewhere()["another port"]
			var requests, redirected atomic.Int64
			w.answer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				n := requests.Add(1)
				is := map[string]string{mockserver.EventsPath: "a page", mockserver.StreamAccessPath: "stream-access", mockserver.DefaultFeedPath: "the feed"}[r.URL.Path]
				if is == what && (what != "a page" || n > 6) {
					redirected.Add(1)
					redirecting(307, to)(rw, r)
					return
				}
				w.API.ServeHTTP(rw, r)
			}))
			if what == "a page" {
				e := w.run(command{Args: []string{"pull", "--workers", "1"}})
				w.endsWith(e, 4)
				if n := w.stored(); n == 0 {
					t.Error("the events before the redirect are not stored")
				}
			} else {
				w.endsWith(w.run(command{Args: []string{"pull", "--workers", "1"}}), 0)
			}
			if redirected.Load() == 0 || w.sunk.Load() != 0 {
				t.Errorf("%d redirects, %d requests to others", redirected.Load(), w.sunk.Load())
			}
			w.recovers()
		})
	}
}

// TestLeadingElsewhere: cookies, headers with other addresses and chains of redirects lead the
// program to no other server.
func TestLeadingElsewhere(t *testing.T) {
	t.Parallel()
	w := newWorld(t, tcpPages())
	sink := w.sink()
	host := strings.TrimPrefix(sink, "http://")
	w.answer(w.changed(func(rw http.ResponseWriter, r *http.Request, answer *httptest.ResponseRecorder) {
		if c, err := r.Cookie("session"); err == nil {
			t.Errorf("it sent a cookie of another host's: %v", c)
		}
		for name, value := range map[string]string{
			"Alt-Svc": `http/1.1="` + host + `"; ma=86400`, "Refresh": "0; url=" + sink, "Content-Location": sink, "Location": sink,
			"Link": "<" + sink + ">; rel=next", "Set-Cookie": "session=1; Domain=localhost; Path=/", "Proxy-Connection": "close", "Upgrade": "h2c", "Via": host,
		} {
			rw.Header().Set(name, value)
		}
		rw.WriteHeader(answer.Code)
		_, _ = rw.Write(answer.Body.Bytes())
	}))
	w.outlasts(peak)
	if n := w.sunk.Load(); n != 0 {
		t.Errorf("%d requests to others", n)
	}
	// Chains a, b, b and a, b, a: b is another server, which redirects again.
	for _, back := range []bool{false, true} {
		w := newWorld(t, tcpPages())
		to := ""
		b := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			w.sunk.Add(1)
			redirecting(302, to)(rw, r)
		}))
		t.Cleanup(b.Close)
		if to = b.URL; back {
			to = w.Base
		}
		w.breakAfter(5, redirecting(302, b.URL))
		w.endsWith(w.run(pull()), 4)
		if n := w.sunk.Load(); n != 0 {
			t.Errorf("%d requests to others", n)
		}
		w.recovers()
	}
}
