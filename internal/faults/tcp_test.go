package faults

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	"datasync/mockserver"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/rs/zerolog"
)

// between puts a proxy between the program and the API, on whose connections things go wrong.
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

// spoil lets this toxic act on what the API sends, on that share of the connections.
func (w *world) spoil(p *toxiproxy.Proxy, kind, attributes string, share float64) {
	w.Helper()
	toxic := fmt.Sprintf(`{"name": %q, "type": %q, "stream": "downstream", "toxicity": %g, "attributes": {%s}}`, kind, kind, share, attributes)
	if _, err := p.Toxics.AddToxicJson(strings.NewReader(toxic)); err != nil {
		w.Error(err)
	}
}

// atRequest calls do when the nth request, counted from 1, has come, before it is answered.
func (w *world) atRequest(n int64, do func()) {
	var requests atomic.Int64
	w.answer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if requests.Add(1) == n {
			do()
		}
		w.API.ServeHTTP(rw, r)
	}))
}

// tcpFault is what toxiproxy does to the connections.
type tcpFault struct {
	kind, attributes string
	share            float64
}

// tcpPages is an API of small pages, so that a pull has some way to go.
func tcpPages() mockserver.Options {
	pages := mockserver.Pages{Cap: 100}
	return mockserver.Options{Data: mockserver.DataOptions{Events: 3000, DirtyEvery: 200}, Events: pages, Feed: pages}
}

// TestConnectionsAreBad: what TCP faults leave of a link still gets everything across.
func TestConnectionsAreBad(t *testing.T) {
	for _, f := range some([]tcpFault{
		{"reset_peer", `"timeout": 0`, 0.3},
		{"slicer", `"average_size": 64, "size_variation": 60, "delay": 20`, 1},
		{"bandwidth", `"rate": 500`, 1},
		{"reset_peer", `"timeout": 20`, 0.5},
		{"limit_data", `"bytes": 40000`, 1},
		{"latency", `"latency": 20, "jitter": 20`, 1},
		{"slow_close", `"delay": 100`, 1},
		{"limit_data", `"bytes": 1000`, 0.5},
	}, 3) {
		t.Run(fmt.Sprint(f.kind, f.attributes, f.share), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, tcpPages())
			p := w.between()
			w.spoil(p, f.kind, f.attributes, f.share)
			e := w.run(command{Args: []string{"pull"}})
			w.endsWith(e, 0)
			w.peaksBelow(e, 500)
			w.isWhole()
			w.isAsUndisturbed(tcpPages().Data)
		})
	}
}

// TestConnectionsBreakForGood: a link that breaks in mid-pull and stays so ends the pull as
// one that can be resumed, and when it is there again the next pull goes on.
func TestConnectionsBreakForGood(t *testing.T) {
	for _, f := range some([]tcpFault{
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
					go p.Stop() // which waits for the connections' end
					return
				}
				w.spoil(p, f.kind, f.attributes, f.share)
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
