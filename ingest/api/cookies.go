package api

import (
	"cmp"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"slices"
	"strings"
	"sync"
)

const (
	// mostCookies is how many cookies of the origin's are kept, largestCookie how many bytes
	// the name and the value of each may have, and largestScope its domain and its path.
	mostCookies, largestCookie, largestScope = 20, 4 << 10, 1 << 10
	// keyCookie is the cookie that has the key.
	keyCookie = "dashboard_api_key"
)

// cookies are those that the origin has set, such as a load balancer's, by which it finds the
// instance that knows a cursor. They live in memory, as long as a run, and go back to the
// origin as RFC 6265 has it. A new one beyond mostCookies takes the place of the one that was
// set the longest ago.
type cookies struct {
	mu  sync.Mutex
	jar *cookiejar.Jar
	// kept are the names of those in the jar, the one that was set last at the end.
	kept []cookieName
}

// cookieName is what a cookie is told from others by (RFC 6265, section 5.3).
type cookieName struct{ name, domain, path string }

func newCookies() *cookies {
	jar, _ := cookiejar.New(nil) // there is nothing that could fail
	return &cookies{jar: jar}
}

// of returns the cookies that a request to u carries.
func (c *cookies) of(u *url.URL) []*http.Cookie {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.jar.Cookies(u)
}

// take takes in what an answer from u has set.
func (c *cookies) take(u *url.URL, resp *http.Response) {
	set := resp.Cookies()
	if len(set) == 0 {
		return
	}
	// Thousands fit into an answer, and each takes a while.
	set = set[max(0, len(set)-4*mostCookies):]
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, cookie := range set {
		if strings.EqualFold(cookie.Name, keyCookie) || len(cookie.Name)+len(cookie.Value) > largestCookie ||
			len(cookie.Domain)+len(cookie.Path) > largestScope {
			continue
		}
		if !strings.HasPrefix(cookie.Path, "/") {
			cookie.Path = folderOf(u)
		}
		c.set(u, cookie)
	}
}

// folderOf is the path of a cookie that has none (RFC 6265, section 5.1.4).
func folderOf(u *url.URL) string {
	return cmp.Or(u.Path[:max(strings.LastIndexByte(u.Path, '/'), 0)], "/")
}

// set puts a cookie into the jar, unless that does not bring it back to the origin: then it is
// of no use, and the jar must not grow by it.
func (c *cookies) set(u *url.URL, cookie *http.Cookie) {
	name := cookieName{cookie.Name, strings.ToLower(strings.TrimPrefix(cookie.Domain, ".")), cookie.Path}
	if strings.EqualFold(name.domain, u.Hostname()) {
		name.domain = "" // to the jar these are one
	}
	c.jar.SetCookies(u, []*http.Cookie{cookie})
	c.kept = slices.DeleteFunc(c.kept, func(k cookieName) bool { return k == name })
	if _, sent := c.value(u, name); !sent {
		c.remove(u, name)
		return
	}
	if c.kept = append(c.kept, name); len(c.kept) <= mostCookies {
		return
	}
	ended := slices.IndexFunc(c.kept, func(k cookieName) bool { _, sent := c.value(u, k); return !sent })
	out := max(ended, 0)
	c.remove(u, c.kept[out])
	c.kept = slices.Delete(c.kept, out, out+1)
}

// value returns the value with which a cookie goes to the origin, and whether it does.
func (c *cookies) value(u *url.URL, name cookieName) (value string, sent bool) {
	there := *u
	there.Path = name.path
	for _, cookie := range c.jar.Cookies(&there) {
		if cookie.Name == name.name {
			return cookie.Value, true
		}
	}
	return "", false
}

// values returns the values of all cookies that go to the origin.
func (c *cookies) values(u *url.URL) (values []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, name := range c.kept {
		if value, sent := c.value(u, name); sent {
			values = append(values, value)
		}
	}
	return values
}

func (c *cookies) remove(u *url.URL, name cookieName) {
	c.jar.SetCookies(u, []*http.Cookie{{Name: name.name, Domain: name.domain, Path: name.path, MaxAge: -1}})
}

// forget removes all.
func (c *cookies) forget(u *url.URL) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, name := range c.kept {
		c.remove(u, name)
	}
	c.kept = nil
}
