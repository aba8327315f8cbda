package laketest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
)

// Fault is what a proxy does with a request.
type Fault int

// The faults.
const (
	None         Fault = iota // forwards it
	Refuse                    // answers 503 and forwards nothing
	Forbid                    // answers 403 and forwards nothing
	Drop                      // closes the connection and forwards nothing
	LoseAnswer                // forwards it, and closes the connection instead of answering
	CutAnswer                 // forwards it, and closes the connection in the middle of the answer
	TimeOut                   // forwards it, and answers 504
	SlowDown                  // answers 503 as S3 does for too many requests, and forwards nothing
	Fail                      // answers 500 and forwards nothing
	Reset                     // resets the connection and forwards nothing
	Conflict                  // answers 409 and forwards nothing
	LateConflict              // forwards it, and answers 409
)

// Proxy is an HTTP proxy in front of a server. It forwards requests with their Host, so that signatures hold.
type Proxy struct {
	// URL is its address.
	URL string

	mu     sync.Mutex
	decide func(*http.Request) Fault
	counts map[Fault]int
	lost   func(*http.Request)
}

// OnLost calls a function for each forwarded request whose response the proxy drops, before the client sees
// the failure. One goroutine at a time calls it.
func (p *Proxy) OnLost(lost func(*http.Request)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.lost = lost
}

// NewProxy starts a proxy in front of a URL. decide chooses the fault of each request. One goroutine at a
// time calls it.
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
	forward.ErrorLog = log.New(io.Discard, "", 0) // clients end in the middle of requests
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
			p.carryOut(forward, r)
			panic(http.ErrAbortHandler)
		case CutAnswer:
			cut := &discard{header: http.Header{}, keep: true}
			forward.ServeHTTP(cut, r)
			cut.sendHalf(w)
			panic(http.ErrAbortHandler)
		case TimeOut:
			p.carryOut(forward, r)
			w.WriteHeader(http.StatusGatewayTimeout)
		case LateConflict:
			p.carryOut(forward, r)
			answer(w, r, http.StatusConflict, "CommitFailedException", "the table has changed")
		case Conflict:
			answer(w, r, http.StatusConflict, "CommitFailedException", "the table has changed")
		case SlowDown:
			answer(w, r, http.StatusServiceUnavailable, "SlowDown", "Please reduce your request rate.")
		case Fail:
			answer(w, r, http.StatusInternalServerError, "InternalError", "We encountered an internal error.")
		case Reset:
			reset(w)
		default:
			forward.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(s.Close)
	p.URL = s.URL
	return p
}

// carryOut has the server execute a request, even if the client has ended, and drops the response.
func (p *Proxy) carryOut(forward http.Handler, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the client has ended in the middle of it
	}
	whole := r.WithContext(context.WithoutCancel(r.Context()))
	whole.Body = io.NopCloser(bytes.NewReader(body))
	forward.ServeHTTP(&discard{header: http.Header{}}, whole)
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.lost != nil {
		p.lost(r)
	}
}

// answer responds as a catalog does, or as S3 if the request has an S3 signature.
func answer(w http.ResponseWriter, r *http.Request, status int, code, text string) {
	_, _ = io.Copy(io.Discard, r.Body)
	if strings.HasPrefix(r.Header.Get("Authorization"), "AWS4") {
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(status)
		_, _ = fmt.Fprintf(w, "<Error><Code>%s</Code><Message>%s</Message></Error>", code, text)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, `{"error": {"message": %q, "type": %q, "code": %d}}`, text, code, status)
}

// reset ends a connection with RST.
func reset(w http.ResponseWriter) {
	connection, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	if tcp, ok := connection.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = connection.Close()
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

// Lossy returns a decision by which 3 of 10 requests fail, each with one of the faults.
func Lossy(seed uint64, ways ...Fault) func(*http.Request) Fault {
	random := rand.New(rand.NewPCG(seed, 1))
	return func(*http.Request) Fault {
		if random.IntN(10) < 3 {
			return ways[random.IntN(len(ways))]
		}
		return None
	}
}

// discard is a response that the proxy drops or cuts.
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
