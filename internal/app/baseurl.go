package app

import (
	"fmt"
	"net"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"unicode"
)

// parseBaseURL reads a base URL, which has a scheme, a host and at most a port. Its errors name the wrong part.
// They repeat a part only if it cannot be a secret: a user may have put a key or a password there.
func parseBaseURL(text string) (*url.URL, error) {
	if text = strings.TrimSpace(text); text == "" {
		return nil, usage("no API to pull from: give --base-url URL, set DATASYNC_BASE_URL, or try --demo")
	}
	u, err := url.Parse(text)
	if err != nil {
		return nil, baseURLError(unparsable(text))
	}
	want := wantedURL(u)
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, baseURLError(schemeMistake(u, text))
	case u.Hostname() == "":
		return nil, baseURLError("has no host: " + want)
	case u.User != nil:
		return nil, baseURLError("has a user name or password before an @: " + want)
	case strings.Trim(u.Path, "/") != "":
		return nil, baseURLError(pathMistake(u) + ": " + want)
	case u.RawQuery != "" || u.ForceQuery:
		return nil, baseURLError("has a query, which begins with ?: " + want)
	case u.Fragment != "":
		return nil, baseURLError("has a fragment, which begins with #: " + want)
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return nil, baseURLError(fmt.Sprintf("has the port %s: ports are 1 to 65535", port))
		}
	}
	u.Host = strings.ToLower(u.Host) // the origin of an API must have one spelling
	return u, nil
}

func baseURLError(mistake string) error { return usage("the base URL %s", mistake) }

// anyURL says what a base URL looks like.
const anyURL = "write http://HOST or https://HOST:PORT"

// wantedURL suggests a valid URL, if that cannot repeat a secret.
func wantedURL(u *url.URL) string {
	if u.Host == "" || !isSafe(u) {
		return anyURL
	}
	return "write " + u.Scheme + "://" + u.Host
}

// isSafe reports whether the host and the path of a URL may be shown: they contain no @ that could follow
// a password.
func isSafe(u *url.URL) bool {
	return u.Opaque == "" && !strings.Contains(u.Host+u.Path+u.RawQuery+u.Fragment, "@")
}

func pathMistake(u *url.URL) string {
	if !isSafe(u) {
		return "has a path"
	}
	return fmt.Sprintf("has the path %q", u.Path)
}

// schemeMistake describes a wrong or missing scheme.
func schemeMistake(u *url.URL, text string) string {
	switch host, ok := hostOnly(text); {
	case ok:
		return fmt.Sprintf("%q has no scheme: write %s://%s", host, likelyScheme(host), host)
	case u.Scheme != "" && u.Host != "" && isSafe(u) && u.User == nil:
		return fmt.Sprintf("has the scheme %q: write https://%s, or http://%s", u.Scheme, u.Host, u.Host)
	}
	return "does not begin with http:// or https://: " + anyURL
}

// hostAndPort matches a host name of several labels, or localhost, or an IPv4 address, with a port or a path at
// most. A key is none of them.
var hostAndPort = regexp.MustCompile(`^((?:[a-z0-9-]{1,63}\.)+[a-z]{2,24}|localhost|\d{1,3}(?:\.\d{1,3}){3})(:\d{1,5})?(?:/[^@]*)?$`)

// hostOnly returns the host and port of a text that lacks a scheme.
func hostOnly(text string) (host string, ok bool) {
	m := hostAndPort.FindStringSubmatch(strings.TrimPrefix(text, "//"))
	if m == nil {
		return "", false
	}
	return m[1] + m[2], true
}

// likelyScheme returns http for this machine, else https.
func likelyScheme(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	if host == "localhost" || net.ParseIP(host).IsLoopback() {
		return "http"
	}
	return "https"
}

// unparsable describes the mistake in a text that is not a URL.
func unparsable(text string) string {
	if host, ok := hostOnly(text); ok {
		return fmt.Sprintf("%q has no scheme: write %s://%s", host, likelyScheme(host), host)
	}
	_, rest, hasScheme := strings.Cut(text, "://")
	authority := rest
	if end := strings.IndexAny(rest, "/?#"); end >= 0 {
		authority = rest[:end]
	}
	_, port, hasPort := strings.Cut(authority, ":")
	switch {
	case strings.ContainsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }):
		return "contains a space or a control character: " + anyURL
	case strings.Contains(text, "@"):
		return "has a user name or password before an @: " + anyURL
	case !hasScheme:
		return "does not begin with http:// or https://: " + anyURL
	case strings.Contains(port, ":") && !strings.HasPrefix(authority, "["):
		return "has a host with several colons: write an IPv6 address as in http://[::1]:8080"
	case strings.HasPrefix(authority, "[") && !strings.Contains(authority, "]"):
		return "has an IPv6 address without its ]: write http://[::1]:8080"
	case hasPort && strings.Trim(port, "0123456789") != "":
		return "has a port that is not a number: ports are 1 to 65535"
	}
	return "cannot be parsed: " + anyURL
}
