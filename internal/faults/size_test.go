package faults

import (
	"compress/gzip"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"datasync/internal/e2e/harness"
	"datasync/mockserver"
)

// flood sends a head, and then chunk again and again, up to this many bytes.
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

// zipped returns a gzip member of this many zeros, or of this text.
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

// TestTooMuch: an API that sends endless or too large responses ends the pull as resumable, within
// bounds of time and memory.
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
			most := int64(peak) // none of it is kept
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
	// Where two such pages come in parallel, from both endpoints, only one is held.
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

// TestBombs: a response may inflate to more than a page may have, or not be compressed as it says.
// It ends the pull as resumable, within the memory of the largest page.
func TestBombs(t *testing.T) {
	t.Parallel()
	megabyte := zipped(strings.Repeat(" ", 1<<20))
	bomb := func(head string) http.HandlerFunc { // of 10 GB, 10 MB compressed
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
