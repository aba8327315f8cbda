package api

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// cookieTrip sends requests through an originGuard to a server that sets cookies.
type cookieTrip struct {
	t     *testing.T
	guard *originGuard
	// set is what the next answer sets, sent the cookies of the last request but the key's.
	set    []string
	status int
	sent   []string
}

func newCookieTrip(t *testing.T, base string) *cookieTrip {
	u, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	c := &cookieTrip{t: t, status: http.StatusOK}
	c.guard = &originGuard{base: u, key: "ds_test_key", cookies: newCookies(), next: roundTrip(func(req *http.Request) (*http.Response, error) {
		lines := req.Header.Values("Cookie")
		all := strings.Split(strings.Join(lines, "|"), "; ")
		if len(lines) != 1 || all[0] != "dashboard_api_key=ds_test_key" || strings.Count(strings.ToLower(lines[0]), "dashboard_api_key") != 1 {
			t.Errorf("cookies %q", lines)
		}
		c.sent = all[1:]
		return &http.Response{StatusCode: c.status, Header: http.Header{"Set-Cookie": c.set}, Body: http.NoBody, Request: req}, nil
	})}
	return c
}

// ask sends a request, whose answer sets cookies, and returns those that it had.
func (c *cookieTrip) ask(path string, set ...string) (sent []string) {
	c.t.Helper()
	c.set = set
	resp, err := c.guard.RoundTrip(&http.Request{Method: http.MethodGet, URL: c.guard.base.ResolveReference(&url.URL{Path: path}), Header: http.Header{}})
	if err != nil {
		c.t.Fatal(err)
	}
	_ = resp.Body.Close()
	return c.sent
}

// TestCookies: what the origin sets comes back to it where and as long as it says, on its own
// path and no other, and never in the place of the key.
func TestCookies(t *testing.T) {
	for _, tc := range []struct {
		name, base string
		set        []string
		want       []string
	}{
		{"one", "http://api.test", []string{"lb=a"}, []string{"lb=a"}},
		{"with attributes", "http://api.test:8080", []string{"lb=a; Path=/; HttpOnly; SameSite=Strict; Max-Age=60"}, []string{"lb=a"}},
		{"the last of a name", "http://api.test", []string{"lb=a", "lb=b"}, []string{"lb=b"}},
		{"of two paths", "http://api.test", []string{"lb=a; Path=/", "lb=b; Path=/api"}, []string{"lb=b", "lb=a"}},
		{"of another path", "http://api.test", []string{"lb=a; Path=/internal"}, nil},
		{"of the host", "http://api.test", []string{"lb=a; Domain=api.test"}, []string{"lb=a"}},
		{"of the domain", "http://api.test", []string{"lb=a; Domain=.TEST"}, []string{"lb=a"}},
		{"of another host", "http://api.test", []string{"lb=a; Domain=evil.test", "lc=a; Domain=x.api.test"}, nil},
		{"of an address", "http://127.0.0.1:80", []string{"lb=a; Domain=127.0.0.1"}, []string{"lb=a"}},
		{"secure, on https", "https://api.test", []string{"lb=a; Secure"}, []string{"lb=a"}},
		{"secure, on http", "http://api.test", []string{"lb=a; Secure"}, nil},
		{"over", "http://api.test", []string{"lb=a; Expires=Thu, 01 Jan 1998 00:00:00 GMT", "lc=a; Max-Age=0"}, nil},
		{"removed", "http://api.test", []string{"lb=a", "lb=; Max-Age=0"}, nil},
		{"the key", "http://api.test", []string{"dashboard_api_key=evil", "Dashboard_Api_KEY=evil", "lb=a"}, []string{"lb=a"}},
		{"in quotes", "http://api.test", []string{`lb="a b"`}, []string{`lb="a b"`}},
		{"none", "http://api.test", []string{"", "=a", "lb", "l b=a", "lb=a\x00b"}, nil},
		{"as large as can be", "http://api.test", []string{"lb=" + strings.Repeat("a", 4094)}, []string{"lb=" + strings.Repeat("a", 4094)}},
		{"too large", "http://api.test", []string{"lb=" + strings.Repeat("a", 4095), "lc=a; Path=/" + strings.Repeat("a", 2000)}, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := newCookieTrip(t, tc.base)
			if sent := c.ask(eventsPath, tc.set...); len(sent) != 0 {
				t.Errorf("the first request has %q", sent)
			}
			if sent := c.ask(eventsPath); !slices.Equal(sent, tc.want) {
				t.Errorf("%q, want %q", sent, tc.want)
			}
		})
	}
}

// A cookie without a path is one of the folder in which it was set, and an error's counts.
func TestCookiesOfAnError(t *testing.T) {
	c := newCookieTrip(t, "http://api.test")
	c.status = http.StatusServiceUnavailable
	c.ask(eventsPath, "lb=a")
	if sent := c.ask(eventsPath + "/d4ta/x7k9/feed"); !slices.Equal(sent, []string{"lb=a"}) {
		t.Errorf("the feed: %q", sent)
	}
	if sent := c.ask(accessPath); len(sent) != 0 {
		t.Errorf("stream-access: %q", sent)
	}
	// Whoever finds the request too large gets none of them any more.
	c.status = http.StatusRequestHeaderFieldsTooLarge
	c.ask(eventsPath)
	if sent := c.ask(eventsPath); len(sent) != 0 {
		t.Errorf("after a 431: %q", sent)
	}
}

// However many are set, in whatever ways, twenty are kept: those that were set last.
func TestCookiesAreBounded(t *testing.T) {
	c := newCookieTrip(t, "http://api.test")
	for n := range 1000 {
		c.ask(eventsPath, fmt.Sprintf("lb%d=%d", n, n), fmt.Sprintf("a%d=1; Domain=evil.test", n), fmt.Sprintf("b%d=1; Secure", n), fmt.Sprintf("c%d=1; Max-Age=0", n))
	}
	sent := c.ask(eventsPath)
	if len(sent) != mostCookies || !slices.Contains(sent, "lb999=999") || slices.Contains(sent, "lb979=979") {
		t.Errorf("%q", sent)
	}
	if kept := len(c.guard.cookies.kept); kept != mostCookies {
		t.Errorf("%d are kept", kept)
	}
	synctest.Test(t, func(t *testing.T) {
		c := newCookieTrip(t, "http://api.test")
		for n := range mostCookies {
			c.ask(eventsPath, fmt.Sprintf("lb%d=1; Max-Age=%d", n, 60+n/19*60))
		}
		<-time.After(90 * time.Second) // of the bubble's time
		c.ask(eventsPath, "new=1")
		if sent := c.ask(eventsPath); len(sent) != 2 {
			t.Errorf("%q", sent)
		}
	})
}

// A cookie is not told, whatever the server says.
func TestCookiesAreNotTold(t *testing.T) {
	const value = "balancer-0123456789"
	c := New(roundTrip(func(req *http.Request) (*http.Response, error) {
		header := http.Header{"Set-Cookie": {"lb=" + value}, "Content-Encoding": {value}}
		return &http.Response{StatusCode: http.StatusOK, Header: header, Body: http.NoBody, Request: req}, nil
	}), &url.URL{Scheme: "http", Host: "api.test"}, "ds_test_key", 10)
	_, _, err := c.Page(t.Context(), Events, Request{}, nil, &Buffer{})
	if err == nil || strings.Contains(err.Error(), value) {
		t.Errorf("%v", err)
	}
	if c.secrets.in(value) || c.secrets.printable("it is "+strings.ToUpper(value)) || !c.secrets.printable("balancer") {
		t.Error("a cookie may be stored, as a cursor may be one, but not be told")
	}
}
