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
	// maxCookies is how many cookies are kept. MaxCookieBytes bounds the name and the value of
	// each together, maxScopeBytes its domain and its path.
	maxCookies, maxCookieBytes, maxScopeBytes = 20, 4 << 10, 1 << 10
	// keyCookie is the name of the cookie that carries the key.
	keyCookie = "dashboard_api_key"
)

// cookies holds the cookies of the origin, such as the one by which a load balancer finds the
// instance that knows a cursor. They live in memory for one run, and return to the origin by
// RFC 6265. Beyond maxCookies, a new cookie replaces the one that was set the longest ago.
type cookies struct {
	mu  sync.Mutex
	jar *cookiejar.Jar
	// ids identify the cookies in the jar, the most recent one last.
	ids []cookieID
}

// cookieID identifies a cookie (RFC 6265, section 5.3).
type cookieID struct{ name, domain, path string }

func newCookies() *cookies {
	jar, _ := cookiejar.New(nil) // never fails without options
	return &cookies{jar: jar}
}

// forURL returns the cookies of a request to u.
func (c *cookies) forURL(u *url.URL) []*http.Cookie {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.jar.Cookies(u)
}

// store stores the cookies that an answer from u sets.
func (c *cookies) store(u *url.URL, resp *http.Response) {
	set := resp.Cookies()
	if len(set) == 0 {
		return
	}
	// Thousands fit into an answer, and each of them costs time.
	set = set[max(0, len(set)-4*maxCookies):]
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, cookie := range set {
		if strings.EqualFold(cookie.Name, keyCookie) || len(cookie.Name)+len(cookie.Value) > maxCookieBytes ||
			len(cookie.Domain)+len(cookie.Path) > maxScopeBytes {
			continue
		}
		if !strings.HasPrefix(cookie.Path, "/") {
			cookie.Path = defaultPath(u)
		}
		c.set(u, cookie)
	}
}

// defaultPath is the path of a cookie that has none (RFC 6265, section 5.1.4).
func defaultPath(u *url.URL) string {
	return cmp.Or(u.Path[:max(strings.LastIndexByte(u.Path, '/'), 0)], "/")
}

// set puts a cookie into the jar, unless the origin would never get it back: the jar must not grow
// by such cookies.
func (c *cookies) set(u *url.URL, cookie *http.Cookie) {
	id := cookieID{cookie.Name, strings.ToLower(strings.TrimPrefix(cookie.Domain, ".")), cookie.Path}
	if strings.EqualFold(id.domain, u.Hostname()) {
		id.domain = "" // the jar treats both as the same
	}
	c.jar.SetCookies(u, []*http.Cookie{cookie})
	c.ids = slices.DeleteFunc(c.ids, func(k cookieID) bool { return k == id })
	if _, sent := c.value(u, id); !sent {
		c.remove(u, id)
		return
	}
	if c.ids = append(c.ids, id); len(c.ids) <= maxCookies {
		return
	}
	expired := slices.IndexFunc(c.ids, func(k cookieID) bool { _, sent := c.value(u, k); return !sent })
	out := max(expired, 0)
	c.remove(u, c.ids[out])
	c.ids = slices.Delete(c.ids, out, out+1)
}

// value returns the value of a cookie in requests to the origin, and whether they carry it.
func (c *cookies) value(u *url.URL, id cookieID) (value string, sent bool) {
	scope := *u
	scope.Path = id.path
	for _, cookie := range c.jar.Cookies(&scope) {
		if cookie.Name == id.name {
			return cookie.Value, true
		}
	}
	return "", false
}

// values returns the values of all cookies that requests to the origin may carry.
func (c *cookies) values(u *url.URL) (values []string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, id := range c.ids {
		if value, sent := c.value(u, id); sent {
			values = append(values, value)
		}
	}
	return values
}

func (c *cookies) remove(u *url.URL, id cookieID) {
	c.jar.SetCookies(u, []*http.Cookie{{Name: id.name, Domain: id.domain, Path: id.path, MaxAge: -1}})
}

// clear removes all cookies.
func (c *cookies) clear(u *url.URL) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, id := range c.ids {
		c.remove(u, id)
	}
	c.ids = nil
}
