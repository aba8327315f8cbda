package laketest

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"testing"
)

// Fate is what a proxy does with a request.
type Fate int

// The fates of a request.
const (
	Pass      Fate = iota
	Refuse         // it is answered with status 503, and does not reach the server
	Cut            // the connection is cut before the server has it
	LoseReply      // the server carries it out, and the connection is cut instead of the answer
	TimeOut        // the server carries it out, and the answer is 504
)

// Proxy stands before a server, and decides the fate of each request. It returns its URL, with the query of
// the server's.
func Proxy(t *testing.T, server string, fate func(*http.Request) Fate) string {
	t.Helper()
	target, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	query := target.RawQuery
	target.RawQuery = ""
	forward := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		r.Out.Host = r.In.Host // it is signed
	}, ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) }}
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch fate(r) {
		case Refuse:
			w.WriteHeader(http.StatusServiceUnavailable)
		case Cut:
			panic(http.ErrAbortHandler)
		case LoseReply:
			forward.ServeHTTP(httptest.NewRecorder(), r)
			panic(http.ErrAbortHandler)
		case TimeOut:
			forward.ServeHTTP(httptest.NewRecorder(), r)
			w.WriteHeader(http.StatusGatewayTimeout)
		default:
			forward.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(proxy.Close)
	if query != "" {
		return proxy.URL + "?" + query
	}
	return proxy.URL
}
