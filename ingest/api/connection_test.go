package api

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// clientOver returns a client whose connections come from dial, with serve at the other end.
func clientOver(t *testing.T, dial func(serve func(net.Conn)) net.Conn, h2 bool, serve func(net.Conn)) *Client {
	t.Helper()
	transport := newHTTPTransport()
	transport.DialContext = func(context.Context, string, string) (net.Conn, error) {
		conn := dial(serve)
		// A connection of HTTP/2 outlives its requests.
		t.Cleanup(func() { _ = conn.Close() })
		return conn, nil
	}
	if h2 {
		transport.Protocols = new(http.Protocols)
		transport.Protocols.SetUnencryptedHTTP2(true)
	}
	return New(transport, &url.URL{Scheme: "http", Host: "api.test"}, "ds_test_key", 100)
}

// piped is a connection in memory, which uses a bubble's time.
func piped(serve func(net.Conn)) net.Conn {
	ours, theirs := net.Pipe()
	go func() {
		defer func() { _ = theirs.Close() }()
		serve(theirs)
	}()
	return ours
}

// repeat sends a text, and then sends more at intervals until the client closes the connection. If more
// is empty, it sends only the text.
func repeat(conn net.Conn, closed <-chan struct{}, text, more string, every time.Duration) {
	_, err := io.WriteString(conn, text)
	for more != "" && err == nil {
		select {
		case <-time.After(every):
			_, err = io.WriteString(conn, more)
		case <-closed:
			return
		}
	}
}

// respond answers one request by a text, which repeat sends.
func respond(text, more string, every time.Duration) func(net.Conn) {
	return func(conn net.Conn) {
		if _, err := http.ReadRequest(bufio.NewReader(conn)); err != nil {
			return
		}
		closed := make(chan struct{})
		defer close(closed)
		go repeat(conn, closed, text, more, every)
		_, _ = io.Copy(io.Discard, conn)
	}
}

// frame returns a frame of HTTP/2 (RFC 9113, section 4.1).
func frame(kind, flags byte, stream uint32, payload string) string {
	head := binary.BigEndian.AppendUint32(nil, uint32(len(payload))<<8|uint32(kind))
	return string(binary.BigEndian.AppendUint32(append(head, flags), stream)) + payload
}

const (
	frameData, frameHeaders, frameSettings, framePing, frameWindow, frameContinuation = 0, 1, 4, 6, 8, 9
	endHeaders                                                                        = 4
)

// status returns a header block with only the status.
func status(code string) string { return "\x08" + string(rune(len(code))) + code }

// readFrame reads a frame and returns its type; frameHeaders at the end.
func readFrame(from io.Reader) byte {
	head := make([]byte, 9)
	if _, err := io.ReadFull(from, head); err != nil {
		return frameHeaders
	}
	_, _ = io.CopyN(io.Discard, from, int64(binary.BigEndian.Uint32(head)>>8))
	return head[3]
}

// preface begins a connection of HTTP/2 (RFC 9113, section 3.4).
const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

// respondFrames does the same as respond over HTTP/2.
func respondFrames(text, more string, every time.Duration) func(net.Conn) {
	return func(conn net.Conn) {
		if _, err := io.ReadFull(conn, make([]byte, len(preface))); err != nil {
			return
		}
		requested, closed := make(chan struct{}), make(chan struct{})
		defer close(closed)
		go func() {
			_, _ = io.WriteString(conn, frame(frameSettings, 0, 0, "")+frame(frameSettings, 1, 0, ""))
			<-requested
			repeat(conn, closed, text, more, every)
		}()
		for readFrame(conn) != frameHeaders {
		}
		close(requested)
		_, _ = io.Copy(io.Discard, conn)
	}
}

const okHead, okChunked = "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

// endlessAnswers are answers that never end.
func endlessAnswers() map[string]func(net.Conn) {
	const upgrade = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
	ok, on := frame(frameHeaders, endHeaders, 1, status("200")), frame(frameHeaders, 0, 1, status("200"))
	early := frame(frameHeaders, endHeaders, 1, status("103"))
	return map[string]func(net.Conn){
		"nothing":                 respond("", "", 0),
		"101":                     respond(upgrade+"\r\n", "", 0),
		"101 that drips":          respond(upgrade+"\r\n", "x", time.Second),
		"101 with a length":       respond(upgrade+"Content-Length: 1000\r\n\r\n{", "", 0),
		"101 in chunks":           respond(upgrade+"Transfer-Encoding: chunked\r\n\r\n", "", 0),
		"101 with gzip":           respond(upgrade+"Content-Encoding: gzip\r\n\r\n", "\x1f", time.Second),
		"101 without an upgrade":  respond("HTTP/1.1 101 \r\n\r\n", "", 0),
		"103 forever":             respond("", "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", time.Millisecond),
		"100 at times":            respond("", "HTTP/1.1 100 Continue\r\n\r\n", 20*time.Second),
		"a head that drips":       respond(okHead+"X: ", "y", time.Second),
		"heads that drip":         respond(okHead, "X: y\r\n", time.Second),
		"empty lines":             respond("", "\r\n", time.Second),
		"a body that drips":       respond(okHead+"\r\n", " ", time.Second),
		"chunks that drip":        respond(okChunked, "1\r\n \r\n", time.Second),
		"an extension that drips": respond(okChunked+"1;", "x", time.Second),
		"a trailer that drips":    respond(okChunked+"2\r\n{}\r\n0\r\nX: ", "y", time.Second),
		"an error that drips":     respond("HTTP/1.1 500 No\r\n\r\n", "x", time.Second),
		"204 with a body":         respond("HTTP/1.1 204 No\r\nContent-Length: 1000\r\n\r\n", "x", time.Second),
		"304 with a body":         respond("HTTP/1.1 304 No\r\nContent-Length: 1000\r\n\r\n", "x", time.Second),
		"000":                     respond("HTTP/1.1 000 \r\n\r\n", "x", time.Second),
		"999":                     respond("HTTP/1.1 999 \r\n\r\n", "", 0),
		"h2 nothing":              respondFrames("", "", 0),
		"h2 101":                  respondFrames(frame(frameHeaders, endHeaders, 1, status("101")), "", 0),
		"h2 101 with data":        respondFrames(frame(frameHeaders, endHeaders, 1, status("101"))+frame(frameData, 0, 1, "x"), "", 0),
		"h2 103 forever":          respondFrames("", early, time.Millisecond),
		"h2 103 at times":         respondFrames("", early, 20*time.Second),
		"h2 continued forever":    respondFrames(on, frame(frameContinuation, 0, 1, ""), time.Second),
		"h2 no end":               respondFrames(ok, "", 0),
		"h2 no end of a 204":      respondFrames(frame(frameHeaders, endHeaders, 1, status("204")), "", 0),
		"h2 empty data":           respondFrames(ok, frame(frameData, 0, 1, ""), time.Second),
		"h2 data that is padding": respondFrames(ok, frame(frameData, 8, 1, "\x03xxx"), time.Second),
		"h2 data that drips":      respondFrames(ok, frame(frameData, 0, 1, " "), time.Second),
		"h2 pings":                respondFrames("", frame(framePing, 0, 0, "12345678"), time.Second),
		"h2 pings after the head": respondFrames(ok, frame(framePing, 0, 0, "12345678"), time.Second),
		"h2 settings":             respondFrames("", frame(frameSettings, 0, 0, ""), time.Second),
		"h2 windows":              respondFrames("", frame(frameWindow, 0, 0, "\x00\x00\x00\x01"), time.Second),
		"h2 a frame that drips":   respondFrames("", "\x00", time.Second),
	}
}

// TestEveryRequestEnds: each request ends, whatever the answer: soon after its context, and otherwise
// within the limits: 90 s for the headers and a minute for a body that only drips.
func TestEveryRequestEnds(t *testing.T) {
	for name, serve := range endlessAnswers() {
		fetch := func(t *testing.T, ctx context.Context) (time.Duration, error) {
			c := clientOver(t, piped, strings.HasPrefix(name, "h2"), serve)
			began := time.Now()
			_, _, err := c.Page(ctx, Events, Request{}, nil, &Buffer{})
			return time.Since(began), err
		}
		t.Run(name+", by itself", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				took, err := fetch(t, t.Context())
				if most := headerLimit + time.Minute + 5*time.Second; err == nil || took > most {
					t.Errorf("ended after %s, %v; want at most %s", took, err, most)
				}
				if strings.Contains(name, "101") && (!strings.Contains(err.Error(), "101 Switching Protocols") || took > time.Second) {
					t.Errorf("after %s: %v", took, err)
				}
				if Permanent(err) != (name == "304 with a body") { // which is a redirect
					t.Errorf("retry: %v, %v", !Permanent(err), err)
				}
			})
		})
		t.Run(name+", with its context", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
				defer cancel()
				if took, err := fetch(t, ctx); err == nil || took > 2*time.Second {
					t.Errorf("ended after %s, %v", took, err)
				}
			})
		})
	}
}

// TestHangingConnectionIsNotReused: after a request that received too little, its connection of HTTP/2 is
// not reused, although it still answers pings.
func TestHangingConnectionIsNotReused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var connections atomic.Int64 // the transport may make two at once
		hangs := respondFrames("", frame(framePing, 0, 0, "12345678"), time.Second)
		answers := respondFrames(frame(frameHeaders, endHeaders, 1, status("200"))+frame(frameData, 1, 1, "{}"), "", 0)
		c := clientOver(t, piped, true, func(conn net.Conn) {
			if connections.Add(1) == 1 {
				hangs(conn)
			} else {
				answers(conn)
			}
		})
		if _, _, err := c.Page(t.Context(), Events, Request{}, nil, &Buffer{}); err == nil || !strings.Contains(err.Error(), "sent too few bytes") {
			t.Error(err)
		}
		body, _, err := c.Page(t.Context(), Events, Request{}, nil, &Buffer{})
		for range 3 {
			if err == nil {
				break
			}
			// The transport may not have noticed yet that the first one is closed. Each other one answers one request.
			body, _, err = c.Page(t.Context(), Events, Request{}, nil, &Buffer{})
		}
		if body != "{}" || err != nil {
			t.Errorf("%q, %v", body, err)
		}
	})
}

// TestConnectionsClosedWithoutAnswer: a server that closes each connection without an answer receives a
// few requests, not as many as the client can send.
func TestConnectionsClosedWithoutAnswer(t *testing.T) {
	const frameGoAway = 7
	synctest.Test(t, func(t *testing.T) {
		var connections atomic.Int64
		closes := respondFrames(frame(frameGoAway, 0, 0, strings.Repeat("\x00", 8)), "", 0)
		c := clientOver(t, piped, true, func(conn net.Conn) {
			connections.Add(1)
			closes(conn)
		})
		_, _, err := c.Page(t.Context(), Events, Request{}, nil, &Buffer{})
		if n := connections.Load(); err == nil || Permanent(err) || n > maxSends+1 {
			t.Errorf("%d connections, %v", n, err)
		}
	})
}

// TestInterimAnswers: the client reads the answer after a few interim answers.
func TestInterimAnswers(t *testing.T) {
	hint := "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
	for n, good := range map[int]bool{1: true, maxInterim: true, maxInterim + 1: false} {
		synctest.Test(t, func(t *testing.T) {
			c := clientOver(t, piped, false, respond(strings.Repeat(hint, n)+okHead+"Content-Length: 2\r\n\r\n{}", "", 0))
			body, _, err := c.Page(t.Context(), Events, Request{}, nil, &Buffer{})
			if good != (body == "{}" && err == nil) || !good && !strings.Contains(err.Error(), "interim answers") {
				t.Errorf("%d: %q, %v", n, body, err)
			}
		})
	}
}

// nonReading listens on loopback and speaks HTTP/2 to each connection: it sends text, then more for as long
// as the client accepts that, and never reads. It closes full once its writes block.
func nonReading(t *testing.T, text, more string) (dial func(func(net.Conn)) net.Conn, full chan struct{}) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	full = make(chan struct{})
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		t.Cleanup(func() { _ = conn.Close() })
		_, _ = io.ReadFull(conn, make([]byte, len(preface)))
		for readFrame(conn) != frameHeaders {
		}
		_, err = io.WriteString(conn, frame(frameSettings, 0, 0, "")+text)
		for more = strings.Repeat(more, 1000); err == nil; {
			_ = conn.SetWriteDeadline(time.Now().Add(time.Second))
			_, err = io.WriteString(conn, more)
		}
		close(full)
	}()
	return func(func(net.Conn)) net.Conn {
		conn, err := net.Dial("tcp", listener.Addr().String())
		if err != nil {
			t.Error(err)
		}
		return conn
	}, full
}

// TestRequestEndsWhileWritesBlock: a server that makes the client answer its frames, and does not read
// these, blocks the whole connection. Then reading and closing a body block, too, and package net/http
// does not end them with the context.
func TestRequestEndsWhileWritesBlock(t *testing.T) {
	ping := frame(framePing, 0, 0, "12345678")
	for name, tc := range map[string]struct{ text, more string }{
		"pings":           {"", ping},
		"settings":        {"", frame(frameSettings, 0, 0, "")},
		"pings in a body": {frame(frameHeaders, endHeaders, 1, status("200")), frame(frameData, 0, 1, " ") + strings.Repeat(ping, 50)},
		"pings in an error": {frame(frameHeaders, endHeaders, 1, status("500")),
			frame(frameData, 0, 1, "x") + strings.Repeat(ping, 50)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dial, full := nonReading(t, tc.text, tc.more)
			c := clientOver(t, dial, true, nil)
			// Without the pings, which would detect this after half a minute.
			c.sender.transport.(*originGuard).next.(*http.Transport).HTTP2 = &http.HTTP2Config{}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			ended := make(chan error)
			go func() {
				_, _, err := c.Page(ctx, Events, Request{}, nil, &Buffer{})
				ended <- err
			}()
			select {
			case <-full:
			case err := <-ended:
				t.Fatalf("ended: %v", err)
			}
			cancel()
			select {
			case err := <-ended:
				var answer *Error // after its status
				if !errors.Is(err, context.Canceled) && !errors.As(err, &answer) {
					t.Error(err)
				}
			case <-time.After(time.Minute): // it would block forever
				t.Error("the request does not end with its context")
			}
		})
	}
}
