package api

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"datasync/ingest/decode"
)

func TestBrief(t *testing.T) {
	refused := &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	for _, tc := range []struct {
		err  error
		want string
	}{
		{&Error{Status: 502}, "502"},
		{fmt.Errorf("%w: %w", ErrNoAPI, decode.ErrMalformed), "not this API"},
		{fmt.Errorf("request: %w", &stalledError{Events, time.Minute}), "no answer"},
		{&net.OpError{Op: "dial", Err: os.ErrDeadlineExceeded}, "no answer"},
		{&decode.TooLarge{}, "page too large"},
		{decode.ErrMalformed, "malformed page"},
		{&net.DNSError{IsNotFound: true}, "no such host"},
		{refused, "refused"},
		{tls.RecordHeaderError{}, "no TLS"},
		{io.ErrUnexpectedEOF, "cut off"},
		{syscall.ECONNRESET, "cut off"},
		{errors.New("something"), "no connection"},
	} {
		if got := Brief(tc.err); got != tc.want {
			t.Errorf("%v: %q, want %q", tc.err, got, tc.want)
		}
	}
}

// TestOtherServers: no answer of another server counts as the API's, whatever it sends with a 200.
func TestOtherServers(t *testing.T) {
	for body, content := range map[string]string{
		"": "nothing", "<!DOCTYPE html><html>": "HTML or XML", "hello": "a text that is not JSON", "null": "JSON that is not a page of events",
		"[]": "JSON that is not a page of events", "{}": "JSON that is not a page of events", `{"status":"ok"}`: "JSON that is not a page of events",
		`{"message":"Welcome","data":{"id":1}}`: "JSON that is not a page of events", `{"items":[{"data":[]}]}`: "JSON that is not a page of events",
	} {
		c := newTestClient(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) })
		page := &Buffer{}
		if _, _, err := c.Page(t.Context(), Events, Request{}, nil, page); err != nil {
			t.Fatal(err)
		}
		err := c.DecodeError(Events, page, decode.ErrMalformed)
		if c.HasAnswered() || !errors.Is(err, ErrNoAPI) || !errors.Is(err, decode.ErrMalformed) || !strings.HasSuffix(err.Error(), c.base.Host+" answered "+content) {
			t.Errorf("%q: %v, answered: %v", body, err, c.HasAnswered())
		}
	}
	for _, body := range []string{`{"data":[]}`, " {\n\"meta\":{\"data\":1},\"data\" : [{\"id\"", `{"pagination":{},"data":[{}]`} {
		c := newTestClient(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) })
		if _, _, err := c.Page(t.Context(), Events, Request{}, nil, &Buffer{}); err != nil || !c.HasAnswered() {
			t.Errorf("%q: %v, answered: %v", body, err, c.HasAnswered())
		}
	}
}

// TestWrongScheme: the first request reports http on a TLS port, and https on a plain one.
func TestWrongScheme(t *testing.T) {
	handshakes := func(conn net.Conn, answer string) {
		_, _ = conn.Read(make([]byte, 1<<12))
		_, _ = io.WriteString(conn, answer)
		_ = conn.Close()
	}
	for name, tc := range map[string]struct {
		scheme string
		serve  func(net.Conn)
		want   error
	}{
		"https to HTTP/0.9": {"https", func(c net.Conn) { handshakes(c, "<!DOCTYPE HTML>") }, ErrPlainPort},
		"https to http":     {"https", func(c net.Conn) { handshakes(c, "HTTP/1.1 400 Bad Request\r\n\r\n") }, ErrPlainPort},
		"http to Go's TLS": {"http", func(c net.Conn) {
			handshakes(c, "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n")
		}, ErrTLSPort},
		"http to nginx": {"http", func(c net.Conn) {
			handshakes(c, "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n<html>The plain HTTP request was sent to HTTPS port")
		}, ErrTLSPort},
		"http to an alert":  {"http", func(c net.Conn) { handshakes(c, "\x15\x03\x01\x00\x02\x02\x46") }, ErrTLSPort},
		"http that is not":  {"http", func(c net.Conn) { handshakes(c, "") }, io.EOF},
		"http that refuses": {"http", func(c net.Conn) { handshakes(c, "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\nno") }, nil},
	} {
		t.Run(name, func(t *testing.T) {
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = listener.Close() })
			go serveEach(listener, tc.serve)
			c := New(NewTransport(), &url.URL{Scheme: tc.scheme, Host: listener.Addr().String()}, "ds_test_key", 10)
			_, _, err = c.Page(t.Context(), Events, Request{}, nil, &Buffer{})
			isScheme := errors.Is(err, ErrPlainPort) || errors.Is(err, ErrTLSPort)
			if err == nil || tc.want != nil && !errors.Is(err, tc.want) || isScheme != (errors.Is(tc.want, ErrPlainPort) || errors.Is(tc.want, ErrTLSPort)) || isScheme != Permanent(err) {
				t.Errorf("%v, want %v", err, tc.want)
			}
		})
	}
}

// serveEach serves each connection until the listener is closed.
func serveEach(listener net.Listener, serve func(net.Conn)) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		go serve(conn)
	}
}

// TestHTTPToASilentTLSPort: if a server closes each http connection, the client checks whether it speaks
// TLS.
func TestHTTPToASilentTLSPort(t *testing.T) {
	other := httptest.NewTLSServer(nil)
	t.Cleanup(other.Close)
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: other.TLS.Certificates})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go serveEach(listener, func(conn net.Conn) {
		_ = conn.(*tls.Conn).Handshake()
		_ = conn.Close()
	})
	c := New(NewTransport(), &url.URL{Scheme: "http", Host: listener.Addr().String()}, "ds_test_key", 10)
	if _, _, err = c.Page(t.Context(), Events, Request{}, nil, &Buffer{}); !errors.Is(err, ErrTLSPort) || !Permanent(err) {
		t.Errorf("%v", err)
	}
}
