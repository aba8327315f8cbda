package app

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
)

// parseBaseURL reads a base URL, which has a scheme, a host and at most a port.
func parseBaseURL(text string) (*url.URL, error) {
	if text == "" {
		return nil, usage("no API to pull from: give --base-url URL, set DATASYNC_BASE_URL, or try --demo")
	}
	u, err := url.Parse(text)
	if err != nil {
		return nil, baseURLError("the base URL cannot be parsed")
	}
	shown := "the base URL" + shownURL(u)
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, baseURLError(shown + " does not begin with http:// or https://")
	case u.Hostname() == "":
		return nil, baseURLError(shown + " has no host")
	case u.User != nil:
		return nil, baseURLError(shown + " must not have a user name or password")
	case u.RawQuery != "" || u.Fragment != "":
		return nil, baseURLError(shown + " must not have a query or fragment")
	case strings.Trim(u.Path, "/") != "":
		return nil, baseURLError(shown + " must not have a path")
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			return nil, usage("the base URL has the port %s: ports are 1 to 65535", port)
		}
	}
	u.Host = strings.ToLower(u.Host) // the origin of an API must have one spelling
	return u, nil
}

func baseURLError(what string) error {
	return usage("%s: want http://HOST or https://HOST:PORT", what)
}

// shownURL returns the scheme, host and path of a URL, quoted after a space. It returns "" for a
// text that may contain credentials elsewhere than in its user part, such as "user:password@host"
// without a scheme, or a key in place of a URL.
func shownURL(u *url.URL) string {
	if u.Host == "" || u.Opaque != "" || strings.Contains(u.Host+u.Path+u.RawQuery+u.Fragment, "@") {
		return ""
	}
	return fmt.Sprintf(" %q", u.Scheme+"://"+u.Host+u.Path)
}
