package faults

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"datasync/internal/e2e/harness"
	"datasync/mockserver"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
)

// between puts a proxy between the program and the API.
func (w *world) between() *toxiproxy.Proxy {
	w.Helper()
	upstream, err := url.Parse(w.Base)
	if err != nil {
		w.Fatal(err)
	}
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(prometheus.NewRegistry()), zerolog.New(io.Discard))
	p := toxiproxy.NewProxy(server, "api", "127.0.0.1:0", upstream.Host)
	if err := p.Start(); err != nil {
		w.Fatal(err)
	}
	w.Cleanup(p.Stop)
	w.Base = "http://" + p.Listen
	return p
}

// addToxic adds a toxic to this share of the connections, for the bytes that the API sends.
func (w *world) addToxic(p *toxiproxy.Proxy, kind, attributes string, share float64) {
	w.Helper()
	toxic := fmt.Sprintf(`{"name": %q, "type": %q, "stream": "downstream", "toxicity": %g, "attributes": {%s}}`, kind, kind, share, attributes)
	if _, err := p.Toxics.AddToxicJson(strings.NewReader(toxic)); err != nil {
		w.Error(err)
	}
}

// atRequest calls do when the nth request, counted from 1, has come, before its response.
func (w *world) atRequest(n int64, do func()) {
	var requests atomic.Int64
	w.answer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if requests.Add(1) == n {
			do()
		}
		w.API.ServeHTTP(rw, r)
	}))
}

// tcpFault is a fault that toxiproxy causes on connections.
type tcpFault struct {
	kind, attributes string
	share            float64
}

// tcpPages is an API of small pages, so that a pull takes many requests.
func tcpPages() mockserver.Options {
	pages := mockserver.Pages{Cap: 100}
	return mockserver.Options{Data: mockserver.DataOptions{Events: 3000, DirtyEvery: 200}, Events: pages, Feed: pages}
}

// TestConnectionsAreBad: a pull over a link with TCP faults is complete.
func TestConnectionsAreBad(t *testing.T) {
	t.Parallel()
	for _, f := range harness.Some([]tcpFault{
		{"reset_peer", `"timeout": 0`, 0.3},
		{"slicer", `"average_size": 64, "size_variation": 60, "delay": 20`, 1},
		{"bandwidth", `"rate": 500`, 1},
		{"reset_peer", `"timeout": 20`, 0.5},
		{"limit_data", `"bytes": 40000`, 1},
		{"latency", `"latency": 20, "jitter": 20`, 1},
		{"slow_close", `"delay": 100`, 1},
		{"limit_data", `"bytes": 1000`, 0.5},
		{"timeout", `"timeout": 500`, 0.3},
		{"bandwidth", `"rate": 60`, 1},
	}, 3) {
		t.Run(fmt.Sprint(f.kind, f.attributes, f.share), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, tcpPages())
			p := w.between()
			w.addToxic(p, f.kind, f.attributes, f.share)
			e := w.run(command{Args: []string{"pull"}})
			w.endsWith(e, 0)
			w.peaksBelow(e, peak)
			w.isWhole()
			w.isAsUndisturbed(tcpPages().Data)
		})
	}
}

// TestConnectionsBreakForGood: a link that breaks during a pull and stays broken ends the pull as
// resumable. The next pull resumes once the link works.
func TestConnectionsBreakForGood(t *testing.T) {
	t.Parallel()
	for _, f := range harness.Some([]tcpFault{
		{"reset_peer", `"timeout": 0`, 1},
		{"limit_data", `"bytes": 300`, 1},
		{"limit_data", `"bytes": 0`, 1},
		{"reset_peer", `"timeout": 5`, 1},
		{"down", "", 1},
	}, 2) {
		t.Run(f.kind+f.attributes, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, tcpPages())
			p := w.between()
			w.atRequest(8, func() {
				if f.kind == "down" {
					go p.Stop() // waits for the connections' end
					return
				}
				w.addToxic(p, f.kind, f.attributes, f.share)
			})
			e := w.run(pull("--workers", "1"))
			w.endsWith(e, 4)
			w.says(e, "the same command")
			if f.kind == "down" {
				if err := p.Start(); err != nil {
					t.Fatal(err)
				}
			} else {
				p.Toxics.ResetToxics(t.Context())
			}
			w.recovers()
			w.isAsUndisturbed(tcpPages().Data)
		})
	}
}

// TestALinkHangs: a link that hangs and is then cut is one failed request.
func TestALinkHangs(t *testing.T) {
	t.Parallel()
	w := newWorld(t, tcpPages())
	p := w.between()
	w.atRequest(8, func() {
		w.addToxic(p, "timeout", `"timeout": 0`, 1)
		time.AfterFunc(2*time.Second, func() { p.Toxics.ResetToxics(t.Context()) })
	})
	w.outlasts(peak)
}

// dripping sends the API's responses in pieces of this many bytes.
func (w *world) dripping(bytes int, every time.Duration) http.HandlerFunc {
	return w.changed(func(rw http.ResponseWriter, r *http.Request, answer *httptest.ResponseRecorder) {
		rw.Header().Set("Content-Length", strconv.Itoa(answer.Body.Len()))
		rw.WriteHeader(answer.Code)
		ticker := time.NewTicker(every)
		defer ticker.Stop()
		for body := answer.Body.Bytes(); len(body) > 0; {
			n := min(bytes, len(body))
			if _, err := rw.Write(body[:n]); err != nil {
				return
			}
			_ = http.NewResponseController(rw).Flush()
			body = body[n:]
			select {
			case <-ticker.C:
			case <-r.Context().Done():
				return
			}
		}
	})
}

// TestAnswersHang: the program waits 90 s for a response to begin, 30 s for one that stops, and
// about a minute for one that trickles. It reads a slow response of at least a kilobyte a second to
// its end. A hang that stays ends the pull as resumable.
func TestAnswersHang(t *testing.T) {
	t.Parallel()
	if !harness.All() {
		t.Skip("takes two minutes: only with -all")
	}
	hang := func(part string) http.HandlerFunc {
		return func(rw http.ResponseWriter, r *http.Request) {
			conn, _, err := rw.(http.Hijacker).Hijack()
			if err != nil {
				return
			}
			_, _ = io.WriteString(conn, part)
			_, _ = io.Copy(io.Discard, conn) // until the program closes it
			_ = conn.Close()
		}
	}
	const head = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"
	for _, c := range []struct {
		name    string
		of      func(*world) http.HandlerFunc
		forGood bool
		least   time.Duration
	}{
		{"before the head", func(*world) http.HandlerFunc { return hang("") }, false, 85 * time.Second},
		{"in the head", func(*world) http.HandlerFunc { return hang(head[:30]) }, false, 85 * time.Second},
		{"behind the head", func(*world) http.HandlerFunc { return hang(head) }, false, 28 * time.Second},
		{"behind the head, for good", func(*world) http.HandlerFunc { return hang(head) }, true, 58 * time.Second},
		{"in the body", func(*world) http.HandlerFunc { return hang(head + `{"data":[{`) }, false, 28 * time.Second},
		{"in the body, for good", func(*world) http.HandlerFunc { return hang(head + `{"data":[{`) }, true, 58 * time.Second},
		{"in an error", func(*world) http.HandlerFunc { return hang("HTTP/1.1 500 No\r\nContent-Length: 1000\r\n\r\n{") }, false, 28 * time.Second},
		{"a byte a second", func(w *world) http.HandlerFunc { return w.dripping(1, time.Second) }, false, 55 * time.Second},
		{"a byte a second, for good", func(w *world) http.HandlerFunc { return w.dripping(1, time.Second) }, true, 115 * time.Second},
		{"a slow page", func(w *world) http.HandlerFunc { return w.dripping(250, 500*time.Millisecond) }, false, 60 * time.Second},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, tcpPages())
			var met atomic.Int64
			h := c.of(w)
			counted := func(rw http.ResponseWriter, r *http.Request) {
				if r.Method == http.MethodPost { // a request for access would take a minute to fail
					w.API.ServeHTTP(rw, r)
					return
				}
				met.Add(1)
				h(rw, r)
			}
			command := command{Args: []string{"pull", "--workers", "1"}}
			want := 0
			if c.forGood {
				w.breakAfter(8, counted)
				command.Args, want = pull("--workers", "1", "--max-retry-time", "100ms").Args, 4
			} else {
				w.breakFor(8, 1, counted)
			}
			e := w.run(command)
			w.endsWith(e, want)
			w.peaksBelow(e, peak)
			if e.Took < c.least {
				t.Errorf("took %s, want at least %s", e.Took, c.least)
			}
			// 15 of the 30 have a reject and are read twice.
			if pages := w.API.Stats().Events.Pages; c.name == "a slow page" && pages > 45 {
				t.Errorf("the slow page was read again: %d pages", pages)
			}
			t.Logf("%d requests, %s", met.Load(), e.Took)
			w.recovers()
		})
	}
}
