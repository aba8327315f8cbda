package faults

import (
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"datasync/internal/e2e/harness"
)

// changed responds with the API's response as changed by change.
func (w *world) changed(change func(rw http.ResponseWriter, r *http.Request, answer *httptest.ResponseRecorder)) http.HandlerFunc {
	return func(rw http.ResponseWriter, r *http.Request) {
		answer := httptest.NewRecorder()
		w.API.ServeHTTP(answer, r)
		for name, values := range answer.Header() {
			if name != "Content-Length" {
				rw.Header()[name] = values
			}
		}
		change(rw, r, answer)
	}
}

// fault is a faulty response.
type fault struct {
	name string
	http.HandlerFunc
}

// TestAnswersThatAreNoPage: a response that is no complete page is retried, and never taken for the
// end.
func TestAnswersThatAreNoPage(t *testing.T) {
	t.Parallel()
	const html = "<!DOCTYPE html><html><body><h1>502 Bad Gateway</h1></body></html>"
	for _, f := range harness.Some([]fault{
		{"503 with Retry-After", answering(503, "{}", "Retry-After", "1")},
		{"HTML with 200", answering(200, html, "Content-Type", "text/html")},
		{"206", nil},
		{"500", answering(500, "")},
		{"502", answering(502, html, "Content-Type", "text/html")},
		{"503", answering(503, `{"error":"x"}`)},
		{"504", answering(504, html)},
		{"empty", answering(200, "")},
		{"empty, of JSON", answering(200, "", "Content-Type", "application/json", "Content-Length", "0")},
		{"null", answering(200, "null")},
		{"an empty object", answering(200, "{}")},
		{"an array", answering(200, "[]")},
		{"204", answering(204, "")},
		{"205", answering(205, "")},
		{"a page with 202", nil},
		{"a page with 500", nil},
	}, 2) {
		for _, forGood := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, for good %v", f.name, forGood), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, tcpPages())
				if f.HandlerFunc == nil {
					status := map[string]int{"206": 206, "a page with 202": 202, "a page with 500": 500}[f.name]
					f.HandlerFunc = w.changed(func(rw http.ResponseWriter, _ *http.Request, answer *httptest.ResponseRecorder) {
						rw.Header().Set("Content-Range", fmt.Sprintf("bytes 0-%d/%[1]d", answer.Body.Len()))
						rw.WriteHeader(status)
						_, _ = rw.Write(answer.Body.Bytes())
					})
				}
				if forGood {
					w.breakAfter(6, f.HandlerFunc)
					w.givesUp(peak)
				} else {
					w.breakFor(6, 3, f.HandlerFunc)
					w.outlasts(peak)
				}
			})
		}
	}
}

// upgraded responds this way and leaves the connection open.
func upgraded(answer string) http.HandlerFunc {
	return func(rw http.ResponseWriter, _ *http.Request) {
		conn, _, err := rw.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		_, _ = io.WriteString(conn, answer)
		_, _ = io.Copy(io.Discard, conn) // until the program closes it
		_ = conn.Close()
	}
}

// TestAnswersThatNobodyAskedFor: a 101 is a failed request. The bytes after it are another
// protocol. The program reads none of them, so they cannot block the pull.
func TestAnswersThatNobodyAskedFor(t *testing.T) {
	t.Parallel()
	const upgrade = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
	for _, f := range harness.Some([]fault{
		{"101", upgraded(upgrade + "\r\n")},
		{"101 with a length", upgraded(upgrade + "Content-Length: 1000\r\n\r\n{")},
		{"101 in chunks", upgraded(upgrade + "Transfer-Encoding: chunked\r\n\r\n")},
		{"101 that leads to nothing", upgraded("HTTP/1.1 101 \r\n\r\n")},
		{"101 and another protocol without end", flood(upgrade+"\r\n", "\x00\x00\x08\x06\x00\x00\x00\x00\x0012345678", 1<<40)},
		{"101 with gzip", upgraded(upgrade + "Content-Encoding: gzip\r\n\r\n\x1f\x8b")},
	}, 1) {
		for _, path := range []string{"/events", "/feed", "/stream-access"} {
			// With the feed where the events endpoint is limited, without the feed where it is not.
			fails := func(w *world, times int64) *atomic.Int64 {
				var met atomic.Int64
				w.answer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
					events := strings.HasSuffix(r.URL.Path, "/events")
					switch {
					case path == "/events" && r.Method == http.MethodPost:
						answering(http.StatusForbidden, `{"code":"DASHBOARD_REQUIRED"}`)(rw, r)
					case path != "/events" && events && r.URL.Query().Get("cursor") != "":
						answering(http.StatusTooManyRequests, `{"rateLimit":{"retryAfter":2}}`)(rw, r)
					case strings.HasSuffix(r.URL.Path, path) && (!events || r.URL.Query().Get("cursor") != "") && met.Add(1) <= times:
						f.HandlerFunc(rw, r)
					default:
						w.API.ServeHTTP(rw, r)
					}
				}))
				return &met
			}
			t.Run(f.name+" of "+path, func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, tcpPages())
				met := fails(w, 2)
				w.endsWith(w.run(command{Args: []string{"pull", "--workers", "1"}}), 0)
				if met.Load() < 2 {
					t.Errorf("met %d times", met.Load())
				}
				w.repair()
				w.isWhole()
			})
			t.Run(f.name+" of "+path+", for good", func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, tcpPages())
				fails(w, math.MaxInt64)
				e := w.givesUp(peak, "--max-retry-time", "1s", "--workers", "1")
				if path != "/stream-access" { // without stream-access it continues as far as the other endpoint allows
					w.says(e, "101 Switching Protocols", "which was not requested")
				}
			})
		}
	}
}

// lines writes each event of a page on a line of its own.
func lines(page string) string { return strings.ReplaceAll(page, `},{"id"`, "},\n{\"id\"") }

// cut responds with the API's response, cut off at n bytes in one of several ways.
func (w *world) cut(way string, at func(body string) int) http.HandlerFunc {
	return w.changed(func(rw http.ResponseWriter, _ *http.Request, answer *httptest.ResponseRecorder) {
		conn, _, err := rw.(http.Hijacker).Hijack()
		if err != nil {
			w.Error(err)
			return
		}
		body := lines(answer.Body.String())
		n := min(at(body), len(body)-1)
		head := "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
		switch part := body[:n]; way {
		case "Content-Length":
			_, _ = fmt.Fprintf(conn, "%sContent-Length: %d\r\n\r\n%s", head, len(body), part)
		case "chunked":
			_, _ = fmt.Fprintf(conn, "%sTransfer-Encoding: chunked\r\n\r\n%x\r\n%s", head, len(body), part)
		case "between chunks":
			_, _ = fmt.Fprintf(conn, "%sTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n", head, max(1, n), body[:max(1, n)])
		case "to the end of the connection":
			_, _ = fmt.Fprintf(conn, "%sConnection: close\r\n\r\n%s", head, part)
		case "whole as it seems":
			_, _ = fmt.Fprintf(conn, "%sContent-Length: %d\r\nConnection: close\r\n\r\n%s", head, n, part)
		}
		_ = conn.Close()
	})
}

// TestBodiesAreCut: a page that ends too soon, anywhere and in any way, is read again as a whole.
// None of it is stored before that.
func TestBodiesAreCut(t *testing.T) {
	t.Parallel()
	ways := []string{"Content-Length", "chunked", "between chunks", "to the end of the connection", "whole as it seems"}
	for _, way := range harness.Some(ways, 2) {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, tcpPages())
			// Every other request is cut, each at another place: between events, and after each
			// byte before the first event and after the last.
			var requests, cuts atomic.Int64
			cut := w.cut(way, func(body string) int {
				i := int(cuts.Add(1))
				for at := range body {
					border := body[at] == '\n' || at < 12 || at > len(body)-300
					if !border {
						continue
					}
					if i--; i == 0 {
						return at
					}
				}
				return rand.IntN(len(body))
			})
			every := int64(3)
			if harness.All() {
				every = 2
			}
			w.answer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				if requests.Add(1)%every == 0 && r.Method == http.MethodGet {
					cut(rw, r)
					return
				}
				w.API.ServeHTTP(rw, r)
			}))
			times := 1
			if harness.All() {
				times = 4
			}
			for range times {
				w.endsWith(w.run(command{Args: []string{"pull", "--restart", "--workers", "4"}}), 0)
			}
			if cuts.Load() < int64(8*times) {
				t.Errorf("only %d pages were cut", cuts.Load())
			}
			w.isWhole()
		})
		t.Run(way+", for good", func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, tcpPages())
			w.answer(w.cut(way, func(body string) int { return strings.LastIndex(body, "\n") }))
			e := w.run(pull("--max-retry-time", "1s"))
			w.endsWith(e, 4)
			if n := w.stored(); n != 0 {
				t.Errorf("%d events of pages that never came whole", n)
			}
			w.recovers()
		})
	}
}
