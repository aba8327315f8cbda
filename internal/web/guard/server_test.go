package guard

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"
)

// TestFlood: 10,000 connections that send nothing, or headers without an end, do not keep the page out, and at most
// MaxConnections of them stay open.
func TestFlood(t *testing.T) {
	s := serve(t)
	const many = 10_000
	conns := make([]net.Conn, 0, many)
	defer func() {
		for _, c := range conns {
			_ = c.Close()
		}
	}()
	for i := range many {
		c, err := net.Dial("tcp", s.address)
		if err != nil {
			t.Fatalf("connection %d: %v", i, err)
		}
		conns = append(conns, c)
		if i%2 == 0 {
			_, _ = io.WriteString(c, "GET /stream HTTP/1.1\r\nHost: ")
		}
		if i%1000 == 999 {
			if a := s.ask(t, "GET", "/stream", s.bearer()); a.code != 200 || a.body != secret {
				t.Fatalf("after %d connections: %+v", i+1, a)
			}
		}
	}
	// The server closes all but the last ones, whose end is not awaited.
	for i, c := range conns[:many-2*MaxConnections] {
		_ = c.SetReadDeadline(time.Now().Add(time.Minute))
		if _, err := io.Copy(io.Discard, c); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("connection %d is still open", i)
		}
	}
}

// TestStreamsOutliveAFlood: a request with the token is not closed for strangers.
func TestStreamsOutliveAFlood(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := New(l.Addr().String())
	begun, more := make(chan struct{}), make(chan struct{})
	server := NewServer(g.Handler(http.NotFoundHandler(), http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w := NewWriter(rw)
		_, _ = io.WriteString(w, "begun ")
		_ = w.Flush()
		close(begun)
		select {
		case <-more:
			_, _ = io.WriteString(w, "and ended")
		case <-r.Context().Done():
		}
	}), ""))
	go func() { _ = server.Serve(l) }()
	defer func() { _ = server.Close() }()
	s := &served{Guard: g, address: l.Addr().String()}
	got := make(chan answer, 1)
	go func() { got <- s.ask(t, "GET", "/stream", s.bearer()) }()
	<-begun
	for range 3 * MaxConnections {
		c, err := net.Dial("tcp", s.address)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Close() }()
	}
	if a := s.ask(t, "GET", "/", "Host: other"); a.code != 421 { // the server has accepted all before
		t.Error(a)
	}
	close(more)
	if a := <-got; a.body != "begun and ended" {
		t.Errorf("%+v", a)
	}
}

// connect serves until the test ends, and opens a connection.
func connect(t *testing.T, s *http.Server) net.Conn {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = s.Serve(l) }()
	t.Cleanup(func() { _ = s.Close() })
	conn, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// TestSlowHeaders: a client that does not end its headers is dropped.
func TestSlowHeaders(t *testing.T) {
	s := NewServer(http.NotFoundHandler())
	if s.ReadHeaderTimeout != headerTimeout || s.ReadTimeout != bodyTimeout || s.IdleTimeout != idleTimeout || s.MaxHeaderBytes != maxHeader {
		t.Errorf("%+v", s)
	}
	s.ReadHeaderTimeout = time.Millisecond
	conn := connect(t, s)
	_, _ = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: ")
	_ = conn.SetReadDeadline(time.Now().Add(time.Minute))
	if _, err := io.Copy(io.Discard, conn); errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("the connection is still open")
	}
}

// TestLargeHeaders: headers have a limit.
func TestLargeHeaders(t *testing.T) {
	s := serve(t)
	if a := s.ask(t, "GET", "/", "X-Large: "+strings.Repeat("x", 64<<10)); a.code != 431 {
		t.Errorf("%d, want 431", a.code)
	}
}

// TestSlowReaders: a client that does not read its answer is dropped.
func TestSlowReaders(t *testing.T) {
	failed := make(chan error, 1)
	s := NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w := NewWriter(rw)
		w.patience = 10 * time.Millisecond
		for {
			_, err := w.Write(make([]byte, 1<<20))
			if err == nil {
				err = w.Flush()
			}
			if err != nil {
				failed <- err
				return
			}
		}
	}))
	conn := connect(t, s)
	_, _ = fmt.Fprintf(conn, "GET / HTTP/1.1\r\nHost: %s\r\n\r\n", conn.RemoteAddr())
	if err := <-failed; !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error(err)
	}
}
