package laketest

import (
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"sync"
	"testing"
)

// Fault is what a proxy does with a request.
type Fault int

// The faults.
const (
	None       Fault = iota // forwards it
	Refuse                  // answers 503 and forwards nothing
	Forbid                  // answers 403 and forwards nothing
	Drop                    // closes the connection and forwards nothing
	LoseAnswer              // forwards it, and closes the connection instead of answering
	CutAnswer               // forwards it, and closes the connection in the middle of the answer
	TimeOut                 // forwards it, and answers 504
)

// Proxy is an HTTP proxy in front of a server. It forwards requests with their Host, so that signatures hold.
type Proxy struct {
	// URL is its address.
	URL string

	mu     sync.Mutex
	decide func(*http.Request) Fault
	counts map[Fault]int
}

// NewProxy starts a proxy in front of a URL. decide says what happens to each request; it is called by one
// goroutine at a time.
func NewProxy(t testing.TB, server string, decide func(*http.Request) Fault) *Proxy {
	t.Helper()
	target, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	p := &Proxy{decide: decide, counts: map[Fault]int{}}
	// Rewrite without SetURL's change of Host: the signature covers it.
	forward := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.Out.URL.Scheme, r.Out.URL.Host = target.Scheme, target.Host }}
	forward.Transport = &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 16}
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch p.fault(r) {
		case Refuse:
			_, _ = io.Copy(io.Discard, r.Body)
			w.WriteHeader(http.StatusServiceUnavailable)
		case Forbid:
			_, _ = io.Copy(io.Discard, r.Body)
			w.WriteHeader(http.StatusForbidden)
		case Drop:
			panic(http.ErrAbortHandler)
		case LoseAnswer:
			forward.ServeHTTP(&discard{header: http.Header{}}, r)
			panic(http.ErrAbortHandler)
		case CutAnswer:
			cut := &discard{header: http.Header{}, keep: true}
			forward.ServeHTTP(cut, r)
			cut.sendHalf(w)
			panic(http.ErrAbortHandler)
		case TimeOut:
			forward.ServeHTTP(&discard{header: http.Header{}}, r)
			w.WriteHeader(http.StatusGatewayTimeout)
		default:
			forward.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(s.Close)
	p.URL = s.URL
	return p
}

func (p *Proxy) fault(r *http.Request) Fault {
	p.mu.Lock()
	defer p.mu.Unlock()
	f := p.decide(r)
	p.counts[f]++
	return f
}

// Count returns how many requests had a fault.
func (p *Proxy) Count(f Fault) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.counts[f]
}

// Lossy returns a decision by which 3 requests in 10 fail, in one of the ways.
func Lossy(seed uint64, ways ...Fault) func(*http.Request) Fault {
	random := rand.New(rand.NewPCG(seed, 1))
	return func(*http.Request) Fault {
		if random.IntN(10) < 3 {
			return ways[random.IntN(len(ways))]
		}
		return None
	}
}

// discard is an answer that nobody gets, or only half of it.
type discard struct {
	header http.Header
	status int
	keep   bool
	body   []byte
}

func (d *discard) Header() http.Header  { return d.header }
func (d *discard) WriteHeader(code int) { d.status = code }
func (d *discard) Write(b []byte) (int, error) {
	if d.keep {
		d.body = append(d.body, b...)
	}
	return len(b), nil
}

func (d *discard) sendHalf(w http.ResponseWriter) {
	for name, values := range d.header {
		w.Header()[name] = values
	}
	w.WriteHeader(max(d.status, http.StatusOK))
	_, _ = w.Write(d.body[:len(d.body)/2])
	_ = http.NewResponseController(w).Flush()
}
