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

// userAgent is that of a browser: stream-access refuses others.
const userAgent = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36"

// NewTransport returns a transport over the network. Its requests return when their context ends, if
// need be without their result.
func NewTransport() http.RoundTripper {
	return &schemeTransport{next: newAbandoningTransport(func() http.RoundTripper { return newHTTPTransport() })}
}

func newHTTPTransport() *http.Transport {
	return &http.Transport{
		Proxy:                  httpsProxyOnly,
		OnProxyConnectResponse: checkProxyResponse,
		DialContext:            (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout:    15 * time.Second,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		MaxResponseHeaderBytes: 64 << 10,
		IdleConnTimeout:        90 * time.Second,
		// At least one for each walk. By default, only two connections are reused.
		MaxIdleConnsPerHost: 256,
		ForceAttemptHTTP2:   true,
		// The client decides about gzip for each page: decompression is slower than some links.
		DisableCompression: true,
		HTTP2:              &http.HTTP2Config{SendPingTimeout: 15 * time.Second, PingTimeout: 15 * time.Second},
	}
}

// httpsProxyOnly uses the proxy of the environment for https, which it carries in a tunnel. A proxy
// for plain http would see the key.
func httpsProxyOnly(req *http.Request) (*url.URL, error) {
	if req.URL.Scheme != "https" {
		return nil, nil
	}
	return http.ProxyFromEnvironment(req)
}

// checkProxyResponse returns an error if a proxy refuses the tunnel. Without it, the error would
// consist of the proxy's own text.
func checkProxyResponse(_ context.Context, _ *url.URL, _ *http.Request, resp *http.Response) error {
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("the proxy of the environment (HTTPS_PROXY) answered %d", resp.StatusCode)
	}
	return nil
}

// originGuard adds the key to requests for the API's own origin and refuses all others. It is the
// last layer before the transport, so that neither a redirect nor a path named by a server can
// send the key elsewhere.
type originGuard struct {
	next http.RoundTripper
	base *url.URL
	key  Secret
	// cookies are the cookies of the origin.
	cookies *cookies
}

// RoundTrip implements http.RoundTripper.
func (g *originGuard) RoundTrip(req *http.Request) (*http.Response, error) {
	if Origin(req.URL) != Origin(g.base) || req.Host != "" && req.Host != g.base.Host {
		return nil, fmt.Errorf("refused to send a request to %s: it is not the API's origin", Origin(req.URL))
	}
	req = req.Clone(req.Context())
	req.Header.Set("X-API-Key", string(g.key))
	req.Header.Set("Cookie", keyCookie+"="+string(g.key))
	for _, cookie := range g.cookies.forURL(req.URL) {
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
	if g.cookies.store(req.URL, resp); resp.StatusCode == http.StatusRequestHeaderFieldsTooLarge {
		g.cookies.clear(req.URL)
	}
	return resp, nil
}

// Origin returns scheme, host and port of a URL in one notation, such as
// "https://example.com:443".
func Origin(u *url.URL) string {
	return fmt.Sprintf("%s://%s:%s", u.Scheme, u.Hostname(), portOf(u))
}

// portOf returns the port of a URL, or the one of its scheme.
func portOf(u *url.URL) string {
	if port := u.Port(); port != "" {
		return port
	}
	return map[string]string{"http": "80", "https": "443"}[u.Scheme]
}
