package laketest

import (
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync"
	"testing"
)

// Fate is what a proxy does with a request.
type Fate int

// The fates of a request.
const (
	Pass      Fate = iota
	Refuse         // it is answered with status 503, and does not reach the server
	Forbid         // it is answered with status 403, and does not reach the server
	Cut            // the connection is cut before the server has it
	LoseReply      // the server carries it out, and the connection is cut instead of the answer
	CutReply       // the server carries it out, and the connection is cut in the middle of the answer
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
		case Forbid:
			w.WriteHeader(http.StatusForbidden)
		case Cut:
			panic(http.ErrAbortHandler)
		case LoseReply:
			forward.ServeHTTP(httptest.NewRecorder(), r)
			panic(http.ErrAbortHandler)
		case CutReply:
			whole := httptest.NewRecorder()
			forward.ServeHTTP(whole, r)
			for name, values := range whole.Header() {
				w.Header()[name] = values
			}
			w.WriteHeader(whole.Code)
			_, _ = w.Write(whole.Body.Bytes()[:whole.Body.Len()/2])
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

// Lossy lets 3 requests in 10 fail, each in one of the ways, in an order that the seed decides. It counts them
// by way.
func Lossy(seed uint64, ways ...Fate) (fate func(*http.Request) Fate, count func(Fate) int) {
	random := rand.New(rand.NewPCG(seed, 1))
	var mu sync.Mutex
	counts := map[Fate]int{}
	fate = func(*http.Request) Fate {
		mu.Lock()
		defer mu.Unlock()
		chosen := Pass
		if random.IntN(10) < 3 {
			chosen = ways[random.IntN(len(ways))]
		}
		counts[chosen]++
		return chosen
	}
	return fate, func(f Fate) int {
		mu.Lock()
		defer mu.Unlock()
		return counts[f]
	}
}
