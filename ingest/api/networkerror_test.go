package api

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"syscall"
	"testing"
)

// TestNetworkErrors: the errors of a network that fails name the host and the cause, without the words of
// package net.
func TestNetworkErrors(t *testing.T) {
	dial := func(err error) error { return &net.OpError{Op: "dial", Net: "tcp", Err: err} }
	errno := func(number syscall.Errno) error { return os.NewSyscallError("connect", number) }
	proxy := &net.OpError{Op: "dial", Net: "tcp", Addr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 3128}, Err: errno(syscall.ECONNREFUSED)}
	for _, tc := range []struct {
		err  error
		want string
	}{
		{dial(errno(syscall.ECONNREFUSED)), "api.test:443 unreachable: connection refused"},
		{dial(errno(syscall.EHOSTUNREACH)), "api.test:443 unreachable: no route to host"},
		{dial(&net.DNSError{Err: "no such host", Name: "api.test", Server: "10.0.0.1:53", IsNotFound: true}), "api.test:443 unreachable: no such host"},
		{dial(&net.DNSError{Err: "i/o timeout", Name: "api.test", IsTimeout: true}), "api.test:443 unreachable: the lookup of its name timed out"},
		{dial(&net.DNSError{Err: "server misbehaving", Name: "api.test"}), "api.test:443 unreachable: the lookup of its name failed: server misbehaving"},
		{dial(os.ErrDeadlineExceeded), "api.test:443 unreachable: connection timed out"},
		{dial(os.NewSyscallError("socket", syscall.EMFILE)), "request the events endpoint: too many open files"},
		{&net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", syscall.ECONNRESET)}, "request the events endpoint: connection reset by peer"},
		{&net.OpError{Op: "proxyconnect", Net: "tcp", Err: proxy}, "the proxy of the environment (HTTPS_PROXY) at 127.0.0.1:3128 unreachable: connection refused"},
		{&net.OpError{Op: "remote error", Err: tls.AlertError(40)}, "request the events endpoint: the server refused the TLS handshake: handshake failure"},
		{tls.RecordHeaderError{Msg: "first record does not look like a TLS handshake", RecordHeader: [5]byte{'S', 'S', 'H', '-', '2'}}, "request the events endpoint: first record does not look like a TLS handshake"},
		{tls.RecordHeaderError{Msg: "first record does not look like a TLS handshake", RecordHeader: [5]byte{'H', 'T', 'T', 'P', '/'}}, "request the events endpoint: the port speaks http, not https"},
		{errors.New("net/http: TLS handshake timeout"), "request the events endpoint: TLS handshake timeout"},
		{errors.New(`net/http: HTTP/1.x transport connection broken: malformed HTTP response "SSH-2.0"`), `request the events endpoint: the answer is not HTTP: "SSH-2.0"`},
		{io.EOF, "request the events endpoint: the server closed the connection without an answer"},
	} {
		s := sender{base: &url.URL{Scheme: "https", Host: "api.test"}}
		err := s.requestError(t.Context(), Events, tc.err)
		var network *NetworkError
		if !errors.As(err, &network) || !network.Early || !errors.Is(err, tc.err) || err.Error() != tc.want {
			t.Errorf("%v: %q, want %q", tc.err, err, tc.want)
		}
	}
}

// TestNetworkErrorOfIPv6: the error writes the address in brackets, as a URL does.
func TestNetworkErrorOfIPv6(t *testing.T) {
	s := sender{base: &url.URL{Scheme: "http", Host: "[::1]:1"}}
	err := s.requestError(t.Context(), Events, &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)})
	if want := "[::1]:1 unreachable: connection refused"; err.Error() != want {
		t.Errorf("%q, want %q", err, want)
	}
}

// TestOldTLS: a server that knows only an old version of TLS is not asked again.
func TestOldTLS(t *testing.T) {
	s := sender{base: &url.URL{Scheme: "https", Host: "api.test"}}
	err := s.requestError(t.Context(), Events, errors.New("tls: server selected unsupported protocol version 301"))
	if !Permanent(err) {
		t.Errorf("%v is tried again", err)
	}
}

// TestUntrustedCertificate: the error of a certificate has no name of a package.
func TestUntrustedCertificate(t *testing.T) {
	server := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(server.Close)
	base, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	_, _, err = New(NewTransport(), base, "ds_test_key", 10).Page(t.Context(), Events, Request{}, nil, &Buffer{})
	if err == nil || !strings.Contains(err.Error(), "endpoint: failed to verify certificate: ") || strings.Contains(err.Error(), "x509") {
		t.Errorf("%v", err)
	}
}
