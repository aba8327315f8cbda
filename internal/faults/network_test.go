package faults

import (
	"datasync/internal/e2e/harness"

	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"datasync/mockserver"
)

// peak is how much memory, in MB, a pull takes at most whose pages are small, and peakOfLarge
// one to which more than the largest page is sent, whose text has 128 MiB. One walk may have so
// large a text at a time, and each other one half of that.
const (
	peak        = 200
	peakOfLarge = 400
	peakOfFour  = peakOfLarge + 3*64
)

// outlasts says that a pull gets over what goes wrong for a while.
func (w *world) outlasts(megabytes int64, options ...string) {
	w.Helper()
	e := w.run(command{Args: append([]string{"pull"}, options...)})
	w.endsWith(e, 0)
	w.peaksBelow(e, megabytes)
	w.isWhole()
}

// givesUp says that a pull ends as one that can be resumed where something stays wrong, and
// that the next one goes on when it does not.
func (w *world) givesUp(megabytes int64, options ...string) harness.Result {
	w.Helper()
	e := w.run(pull(options...))
	w.endsWith(e, 4)
	w.says(e, "the same command")
	w.peaksBelow(e, megabytes)
	w.recovers()
	return e
}

// answering answers with that status, headers and body.
func answering(status int, body string, header ...string) http.HandlerFunc {
	return func(rw http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(header); i += 2 {
			rw.Header().Set(header[i], header[i+1])
		}
		rw.WriteHeader(status)
		if body != "" {
			_, _ = io.WriteString(rw, body)
		}
	}
}

// changed answers with what change makes of the API's answer.
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

// fault is an answer that goes wrong.
type fault struct {
	name string
	http.HandlerFunc
}

// TestAnswersThatAreNoPage: what is no whole page is asked for again, and is never taken for
// the end.
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

// upgraded leaves a connection open that it answers so on.
func upgraded(answer string) http.HandlerFunc {
	return func(rw http.ResponseWriter, _ *http.Request) {
		conn, _, err := rw.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		_, _ = io.WriteString(conn, answer)
		_, _ = io.Copy(io.Discard, conn) // until the program ends it
		_ = conn.Close()
	}
}

// TestAnswersThatNobodyAskedFor: a 101 is a failed request. What follows it is another protocol,
// of which nothing is read, so that it cannot hold the pull up.
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
			// With the feed where the events endpoint is limited, without it where it is not.
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
				w.mend()
				w.isWhole()
			})
			t.Run(f.name+" of "+path+", for good", func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, tcpPages())
				fails(w, math.MaxInt64)
				e := w.givesUp(peak, "--max-retry-time", "1s", "--workers", "1")
				if path != "/stream-access" { // without which it goes on, as far as the other endpoint lets it
					w.says(e, "101 Switching Protocols", "which was not requested")
				}
			})
		}
	}
}

// lines writes each event of a page on a line of its own.
func lines(page string) string { return strings.ReplaceAll(page, `},{"id"`, "},\n{\"id\"") }

// cut answers with the API's answer, cut off at n bytes in one of several ways.
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

// TestBodiesAreCut: a page that ends too soon, in whatever way and wherever, is read again as
// a whole, and nothing of it is stored before.
func TestBodiesAreCut(t *testing.T) {
	t.Parallel()
	ways := []string{"Content-Length", "chunked", "between chunks", "to the end of the connection", "whole as it seems"}
	for _, way := range harness.Some(ways, 2) {
		t.Run(way, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, tcpPages())
			// Every other request is cut, each at another place: at each border of events,
			// and behind each byte of what stands before the first and behind the last.
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

// TestEachRequestFails lets the nth request of a pull fail, once, which the pull outlasts, or
// it and all after it, which ends the pull as one that can be resumed; and so for each n.
func TestEachRequestFails(t *testing.T) {
	t.Parallel()
	o := tcpPages()
	o.Data.Events = 1000
	o.Events.RateLimit = mockserver.RateLimit{Requests: 4, Window: time.Second, Named: mockserver.RetryAfterSeconds}
	o.Feed.Until, o.Grace = mockserver.Inclusive, underWay
	faults := []fault{
		{"cut", hijack("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")},
		{"500", answering(500, "{}")},
		{"nothing", hijack("")},
		{"garbage", hijack("\x00\x01\x02\x03")},
	}
	var numbers []int64
	for n := range int64(24) {
		numbers = append(numbers, n)
	}
	for _, n := range harness.Some(numbers, 2) {
		f := faults[int(n)%len(faults)]
		t.Run(fmt.Sprintf("%s at %d", f.name, n+1), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, o)
			w.breakFor(n, 1, f.HandlerFunc)
			w.outlasts(peak, "--workers", "2")
		})
		t.Run(fmt.Sprintf("%s from %d on", f.name, n+1), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, o)
			var requests atomic.Int64
			w.breakAfter(n, func(rw http.ResponseWriter, r *http.Request) {
				requests.Add(1)
				f.HandlerFunc(rw, r)
			})
			e := w.run(pull("--workers", "2", "--max-retry-time", "1s"))
			if requests.Load() == 0 {
				w.endsWith(e, 0)
			} else {
				w.endsWith(e, 4)
				w.says(e, "the same command")
			}
			w.recovers()
		})
	}
}

// TestManyRequestsFail: a pull of which three requests in ten fail, each in another way, is
// complete and has just the API's events.
func TestManyRequestsFail(t *testing.T) {
	t.Parallel()
	faults := []mockserver.Fault{
		mockserver.Reset(), mockserver.Status(500), mockserver.Status(502), mockserver.StatusAfter(503, time.Second),
		mockserver.Truncate(700), mockserver.TruncateChunked(700), mockserver.ResetAfter(500), mockserver.Clip(900),
		mockserver.Trailing("{}"), mockserver.HTML(), mockserver.Empty(), mockserver.Null(), mockserver.NoContent(),
		mockserver.Body("application/json", `{"streamAccess":{}}`), mockserver.Header("Content-Encoding", "gzip"),
		mockserver.Delayed(300*time.Millisecond, mockserver.Reset()), mockserver.Delayed(500*time.Millisecond, mockserver.Status(504)),
		mockserver.Status(206), mockserver.Returned(1),
		mockserver.RateLimitedIn(mockserver.RetryAfterBody, 100*time.Millisecond), mockserver.RateLimitedIn(mockserver.ResetBody, 300*time.Millisecond),
	}
	seeds := []uint64{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}
	var met, requests atomic.Int64
	t.Run("seeds", func(t *testing.T) {
		for _, seed := range harness.Some(seeds, 1) {
			for _, workers := range []string{"1", "4", "auto"} {
				t.Run(fmt.Sprint(seed, ", workers ", workers), func(t *testing.T) {
					t.Parallel()
					o := tcpPages()
					o.FaultSeed = seed
					o.Feed.Until = mockserver.Bound(seed % 3)
					o.Access.TokenLife = 2 * time.Second
					// Where some requests have to go to the feed.
					o.Events.RateLimit = mockserver.RateLimit{Requests: 10, Window: 2 * time.Second, Headers: seed%2 == 0, Named: mockserver.RetryAfterSeconds}
					for i := range faults {
						f := faults[(i+int(seed))%len(faults)]
						o.Random = append(o.Random, mockserver.RandomFault{Rate: 0.0169, Fault: f}) // 0.3 in all
					}
					o.Grace = underWay
					w := newWorld(t, o)
					w.outlasts(peak, "--workers", workers)
					w.isAsUndisturbed(o.Data)
					for _, entry := range w.API.Log() {
						requests.Add(1)
						if entry.Fault != "pass" {
							met.Add(1)
						}
					}
				})
			}
		}
	})
	if share := float64(met.Load()) / float64(requests.Load()); share < 0.25 || share > 0.4 {
		t.Errorf("%.2f of %d requests failed", share, requests.Load())
	}
}

// TestConnectionsAreUsedAgain: a thousand requests, 429s and errors among them, take as many
// connections as there are walks, or a few more.
func TestConnectionsAreUsedAgain(t *testing.T) {
	t.Parallel()
	for _, workers := range harness.Some([]int64{4, 1, 16}, 1) {
		t.Run(fmt.Sprint("workers ", workers), func(t *testing.T) {
			t.Parallel()
			o := tcpPages()
			o.Data.Events, o.Data.DirtyEvery, o.Events.Cap, o.Feed.Cap = 10_000, 0, 10, 10
			if !harness.All() {
				o.Data.Events = 4000
			}
			o.Feed.Until, o.Grace = mockserver.Inclusive, underWay
			o.Events.Latency, o.Feed.Latency = 10*time.Millisecond, 10*time.Millisecond
			o.Random = []mockserver.RandomFault{
				{Rate: 0.02, Fault: mockserver.RateLimitedRaw("", `{"rateLimit":{"retryAfter":0.01},"message":"`+strings.Repeat("x", 30_000)+`"}`, 10*time.Millisecond)},
				{Rate: 0.01, Fault: mockserver.Status(500)}, {Rate: 0.01, Fault: mockserver.Clip(900)}, {Rate: 0.01, Fault: mockserver.NoContent()},
			}
			w := newWorld(t, o)
			w.outlasts(peak, "--workers", fmt.Sprint(workers))
			s := w.API.Stats()
			requests, limited := s.Events.Requests+s.Feed.Requests, s.Events.Limited+s.Feed.Limited
			if requests < o.Data.Events/10 || limited < 5 {
				t.Errorf("%d requests, %d 429s", requests, limited)
			}
			if n := w.connections.Load(); n > workers+4 {
				t.Errorf("%d connections", n)
			}
			t.Logf("%d connections for %d requests with %d 429s", w.connections.Load(), requests, limited)
		})
	}
}

// flood answers with a head, and then with chunk again and again, until that are so many bytes.
func flood(head, chunk string, bytes int64) http.HandlerFunc {
	for len(chunk) < 32<<10 {
		chunk += chunk
	}
	return func(rw http.ResponseWriter, _ *http.Request) {
		conn, _, err := rw.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		defer func() { _ = conn.Close() }()
		_ = conn.SetDeadline(time.Now().Add(within))
		if _, err := io.WriteString(conn, head); err != nil {
			return
		}
		for sent := int64(0); sent < bytes; sent += int64(len(chunk)) {
			if _, err := io.WriteString(conn, chunk); err != nil {
				return
			}
		}
	}
}

// zipped is a gzip member of so many zeros, or of what is given.
func zipped(text string) string {
	var out strings.Builder
	z, err := gzip.NewWriterLevel(&out, gzip.BestCompression)
	if err != nil {
		panic(err)
	}
	_, _ = io.WriteString(z, text)
	_ = z.Close()
	return out.String()
}

// TestTooMuch: an API that sends without end, or more than it may, ends the pull as one that can be
// resumed, within bounds of time and memory.
func TestTooMuch(t *testing.T) {
	t.Parallel()
	const ok, gb, endless = "HTTP/1.1 200 OK\r\n", int64(1) << 30, int64(1) << 40
	event := `{"id":"6ba7b810-9dad-41d1-80b4-00c04fd430c8","sessionId":"6ba7b811-9dad-41d1-80b4-00c04fd430c8","type":"click","timestamp":1769541612369,"properties":{"page":"/"}},`
	spaces := strings.Repeat(" ", 16<<10)
	cookie := "Set-Cookie: a=" + strings.Repeat("b", 20) + "\r\n"
	bodies := harness.Some([]fault{
		{"a page of 1 GB", flood(ok+"Content-Length: 1073741833\r\n\r\n{\"data\":[", event, gb)},
		{"1 GB of garbage", flood(ok+"Content-Length: 1073741824\r\n\r\n", "\x00\xff garbage", gb)},
		{"a page without end", flood(ok+"Connection: close\r\n\r\n{\"data\":[", event, endless)},
		{"spaces without end", flood(ok+"Connection: close\r\n\r\n{\"data\":[", spaces, endless)},
		{"one string without end", flood(ok+"Connection: close\r\n\r\n{\"data\":[{\"id\":\"", "x", endless)},
		{"arrays without end", flood(ok+"Connection: close\r\n\r\n{\"data\":[", "[", endless)},
		{"small elements without end", flood(ok+"Connection: close\r\n\r\n{\"data\":[", "1,", endless)},
		{"chunks without end", flood(ok+"Transfer-Encoding: chunked\r\n\r\n", "4000\r\n"+spaces+"\r\n", endless)},
		{"chunks of one byte without end", flood(ok+"Transfer-Encoding: chunked\r\n\r\n", "1\r\n \r\n", endless)},
		{"a length of 2^62", flood(ok+"Content-Length: 4611686018427387904\r\n\r\n{\"data\":[", event, endless)},
	}, 1)
	others := harness.Some([]fault{
		{"a header of 10 MB", flood(ok+"X-Long: ", "x", 10<<20)},
		{"1xx without end", flood("", "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", endless)},
		{"a chunk's extension without end", flood(ok+"Transfer-Encoding: chunked\r\n\r\n1;", "x", endless)},
		{"a trailer without end", flood(ok+"Transfer-Encoding: chunked\r\nTrailer: X\r\n\r\n2\r\n{}\r\n0\r\n", "X: y\r\n", endless)},
		{"headers without end", flood(ok, "X-A: b\r\n", endless)},
		{"a million cookies", flood(ok, cookie, 1e6*int64(len(cookie)))},
		{"a status line without end", flood("HTTP/1.1 200 ", "x", endless)},
		{"a length beyond 2^64", flood(ok+"Content-Length: 99999999999999999999\r\n\r\n", "x", endless)},
		{"two lengths", flood(ok+"Content-Length: 2\r\nContent-Length: 3\r\n\r\n", "{}x", 3)},
		{"an error without end", flood("HTTP/1.1 500 No\r\nConnection: close\r\n\r\n", "x", endless)},
		{"a 429 without end", flood("HTTP/1.1 429 No\r\nRetry-After: 0\r\nConnection: close\r\n\r\n", `{"rateLimit":{`, endless)},
	}, 2)
	for i, f := range append(bodies, others...) {
		t.Run(f.name, func(t *testing.T) {
			w := newWorld(t, tcpPages())
			w.breakAfter(5, f.HandlerFunc)
			most := int64(peak) // nothing of it is kept
			if i < len(bodies) {
				most = peakOfLarge
			}
			e := w.givesUp(most, "--max-retry-time", "1s", "--workers", "1")
			t.Logf("%d MB, %s", e.Peak>>20, e.Took)
		})
	}
	if !harness.All() {
		return // the rest may wait for half a minute until the feed is asked again
	}
	// Where they come side by side, from both endpoints, there is room for one only.
	t.Run("of four walks", func(t *testing.T) {
		o := tcpPages()
		o.Feed.Until = mockserver.Inclusive
		w := newWorld(t, o)
		large := flood(ok+"Connection: close\r\n\r\n{\"data\":[", event, endless)
		w.breakAfter(14, func(rw http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost {
				w.API.ServeHTTP(rw, r)
				return
			}
			large(rw, r)
		})
		e := w.givesUp(peakOfFour, "--max-retry-time", "1s", "--workers", "4")
		t.Logf("%d MB, %s", e.Peak>>20, e.Took)
	})
}

// TestBombs: what inflates to more than a page may have, or is not compressed as it says, ends
// the pull as one that can be resumed, within the memory that the largest page takes.
func TestBombs(t *testing.T) {
	t.Parallel()
	megabyte := zipped(strings.Repeat(" ", 1<<20))
	bomb := func(head string) http.HandlerFunc { // of 10 GB, 10 MB as sent
		return flood(head+"Content-Encoding: gzip\r\nConnection: close\r\n\r\n"+zipped(`{"data":[`), megabyte, 10240*int64(len(megabyte)))
	}
	const page = `{"data":[],"pagination":{"hasMore":false,"nextCursor":null}}`
	for _, f := range harness.Some([]fault{
		{"10 GB", bomb("HTTP/1.1 200 OK\r\n")},
		{"compressed twice", answering(200, zipped(zipped(page)), "Content-Encoding", "gzip, gzip")},
		{"10 GB in an error", bomb("HTTP/1.1 503 No\r\n")},
		{"10 GB in a 429", bomb("HTTP/1.1 429 No\r\nRetry-After: 0\r\n")},
		{"a bomb in gzip", answering(200, zipped(strings.Repeat(megabyte, 10240)), "Content-Encoding", "gzip")},
		{"a bomb in gzip, as it says", answering(200, zipped(strings.Repeat(megabyte, 1024)), "Content-Encoding", "gzip, gzip")},
		{"no gzip", answering(200, page, "Content-Encoding", "gzip")},
		{"gzip that is not said", answering(200, zipped(page))},
		{"brotli", answering(200, page, "Content-Encoding", "br")},
		{"deflate", answering(200, page, "Content-Encoding", "deflate")},
		{"zstd", answering(200, page, "Content-Encoding", "zstd")},
		{"unknown", answering(200, page, "Content-Encoding", strings.Repeat("\u20acx", 2000))},
		{"gzip cut off", answering(200, zipped(page)[:len(zipped(page))-9], "Content-Encoding", "gzip")},
		{"a wrong checksum", answering(200, zipped(page)[:len(zipped(page))-8]+"\x01\x02\x03\x04\x05\x06\x07\x08", "Content-Encoding", "gzip")},
		{"compressed twice, as one", answering(200, zipped(zipped(page)), "Content-Encoding", "gzip")},
	}, 2) {
		t.Run(f.name, func(t *testing.T) {
			w := newWorld(t, tcpPages())
			w.breakAfter(5, f.HandlerFunc)
			e := w.givesUp(peakOfLarge, "--max-retry-time", "1s", "--workers", "1")
			t.Logf("%d MB, %s", e.Peak>>20, e.Took)
		})
	}
	t.Run("for stream-access", func(t *testing.T) {
		o := tcpPages()
		o.Events.RateLimit = mockserver.RateLimit{Requests: 10, Window: time.Second, Named: mockserver.RetryAfterSeconds}
		w := newWorld(t, o)
		w.answer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			if r.Method == http.MethodPost {
				bomb("HTTP/1.1 200 OK\r\n")(rw, r)
				return
			}
			w.API.ServeHTTP(rw, r)
		}))
		w.outlasts(peak)
	})
}

// full returns the address of a socket that takes no more connections, as that of a port that
// is filtered: what is sent there is dropped.
func (w *world) full() string {
	w.Helper()
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { _ = syscall.Close(fd) })
	if err := errors.Join(syscall.Bind(fd, &syscall.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}), syscall.Listen(fd, 0)); err != nil {
		w.Fatal(err)
	}
	name, err := syscall.Getsockname(fd)
	if err != nil {
		w.Fatal(err)
	}
	address := "127.0.0.1:" + strconv.Itoa(name.(*syscall.SockaddrInet4).Port)
	for range 10 {
		conn, err := net.DialTimeout("tcp", address, 2*time.Second) // long enough for a busy machine
		if err != nil {
			return address
		}
		w.Cleanup(func() { _ = conn.Close() })
	}
	w.Fatal("there is always room for a connection")
	return ""
}

// TestNobodyIsThere: an API that cannot be reached ends the pull with the host's name, soon.
func TestNobodyIsThere(t *testing.T) {
	t.Parallel()
	closed := "127.0.0.1:1"
	for _, c := range harness.Some([]struct {
		name, base string
		says       []string
	}{
		{"refused", "http://" + closed, []string{closed, "refused"}},
		{"no such name", "http://no-such-host.invalid", []string{"no-such-host.invalid", "--base-url"}},
		{"filtered", "", []string{"timeout"}},
		{"refused by IPv6", "http://[::1]:1", []string{"[::1]:1"}},
		{"https where nobody is", "https://" + closed, []string{closed, "refused"}},
	}, 1) {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, tcpPages())
			w.Base = c.base
			if c.base == "" {
				address := w.full()
				w.Base = "http://" + address
				c.says = append(c.says, address)
			}
			options := []string{"pull"}
			if !harness.All() {
				options = pull().Args
			}
			e := w.run(command{Args: options})
			w.endsWith(e, 4)
			w.says(e, c.says...)
			w.peaksBelow(e, peak)
			t.Logf("%s: %s", e.Took, e.Err)
		})
	}
}

// TestTheWayThereIsCut: in a network that leads nowhere, without routes and without a server
// for names, a pull ends soon; when the way is there again the next one goes on.
func TestTheWayThereIsCut(t *testing.T) {
	t.Parallel()
	for _, base := range []string{"http://192.0.2.1", "http://[2001:db8::1]", "http://api.example"} {
		t.Run(base, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, tcpPages())
			w.Base = base
			// A network of its own, in which nothing is up.
			e := w.run(command{Program: "unshare", Args: append([]string{"-n", harness.Program(w)}, pull("--max-retry-time", "1s").Args...)})
			if strings.Contains(e.Err, "unshare") {
				t.Skip("no network of its own can be made here: ", e.Err)
			}
			w.endsWith(e, 4)
			w.says(e, strings.Trim(strings.TrimPrefix(base, "http://"), "[]"))
			t.Logf("%s: %s", e.Took, e.Err)
		})
	}
}
