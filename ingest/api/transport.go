package api

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"
)

// userAgent looks like a browser's: stream-access refuses what does not.
const userAgent = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36"

// NewTransport returns a transport for requests over the network, which returns from each request when
// its context ends.
func NewTransport() http.RoundTripper {
	return newLeaver(func() http.RoundTripper { return newHTTPTransport() })
}

func newHTTPTransport() *http.Transport {
	return &http.Transport{
		Proxy:                  tunnelOnly,
		OnProxyConnectResponse: tunnelled,
		DialContext:            (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout:    15 * time.Second,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		MaxResponseHeaderBytes: 64 << 10,
		IdleConnTimeout:        90 * time.Second,
		// As many as there may be walks: without it, all beyond two would be made anew.
		MaxIdleConnsPerHost: 256,
		ForceAttemptHTTP2:   true,
		// Whether a page is asked for compressed is decided for each one: inflating
		// one stream is slower than some links.
		DisableCompression: true,
		HTTP2:              &http.HTTP2Config{SendPingTimeout: 15 * time.Second, PingTimeout: 15 * time.Second},
	}
}

// tunnelOnly uses a proxy of the environment for https, where it sees nothing but
// a tunnel. With plain http it would see the key.
func tunnelOnly(req *http.Request) (*url.URL, error) {
	if req.URL.Scheme != "https" {
		return nil, nil
	}
	return http.ProxyFromEnvironment(req)
}

// tunnelled says so where a proxy gives no tunnel; else only its own words would be told.
func tunnelled(_ context.Context, _ *url.URL, _ *http.Request, answer *http.Response) error {
	if answer.StatusCode != http.StatusOK {
		return fmt.Errorf("the proxy of the environment (HTTPS_PROXY) answered %d", answer.StatusCode)
	}
	return nil
}

// originGuard adds the key to requests for the API's own origin and refuses to
// send any other. It stands next to the wire, so that nothing above it, not a
// redirect and not a path that a server named, can lead the key elsewhere.
type originGuard struct {
	next http.RoundTripper
	base *url.URL
	key  Secret
	// cookies are those that the origin has set.
	cookies *cookies
}

func (g *originGuard) RoundTrip(req *http.Request) (*http.Response, error) {
	if Origin(req.URL) != Origin(g.base) || req.Host != "" && req.Host != g.base.Host {
		return nil, fmt.Errorf("refused to send a request to %s: it is not the API's origin", Origin(req.URL))
	}
	req = req.Clone(req.Context())
	req.Header.Set("X-API-Key", string(g.key))
	req.Header.Set("Cookie", keyCookie+"="+string(g.key))
	for _, cookie := range g.cookies.of(req.URL) {
		req.AddCookie(cookie)
	}
	req.Header.Set("User-Agent", userAgent)
	req.Header.Set("Accept", "application/json")
	req.Header.Set("X-Requested-With", "XMLHttpRequest")
	origin := g.base.Scheme + "://" + g.base.Host
	req.Header.Set("Origin", origin)
	req.Header.Set("Referer", origin+"/")
	resp, err := g.next.RoundTrip(req)
	if err != nil {
		return nil, err
	}
	if g.cookies.take(req.URL, resp); resp.StatusCode == http.StatusRequestHeaderFieldsTooLarge {
		g.cookies.forget(req.URL)
	}
	return resp, nil
}

// Origin returns scheme, host and port of a URL in one spelling, such as
// "https://example.com:443".
func Origin(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return fmt.Sprintf("%s://%s:%s", u.Scheme, u.Hostname(), port)
}
