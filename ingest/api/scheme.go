package api

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

// A base URL with https for a plain http port, or the opposite, is a frequent mistake. Its errors do not name
// it: a failed handshake, a 400, a malformed answer or a closed connection.

// toTLSPort matches the bodies of a 400 by which servers answer plain http on a port for TLS: those of Go, nginx,
// Apache and Tomcat.
var toTLSPort = regexp.MustCompile(`(?i)HTTP request (was sent )?to (an )?HTTPS|plain HTTP to an SSL|host and port requires TLS`)

// schemeError returns err, with ErrPlainPort or ErrTLSPort if a request failed because of the URL's scheme.
func schemeError(err error) error {
	var notTLS tls.RecordHeaderError
	switch {
	case errors.As(err, &notTLS) && beginsHTTP(notTLS.RecordHeader):
		return fmt.Errorf("%w: %w", ErrPlainPort, err)
	case strings.Contains(err.Error(), `malformed HTTP response "\x15\x03`): // an alert of TLS
		return fmt.Errorf("%w: %w", ErrTLSPort, err)
	}
	return err
}

// beginsHTTP reports whether the first bytes of a server are an HTTP answer. A server that reads a handshake
// as a request without a version sends only a body (HTTP/0.9), an error page.
func beginsHTTP(first [5]byte) bool { return string(first[:]) == "HTTP/" || first[0] == '<' }

// saysTLS reports whether an answer to plain http says that the port is for TLS.
func saysTLS(resp *http.Response, body []byte) bool {
	return resp.StatusCode == http.StatusBadRequest && resp.Request != nil && resp.Request.URL.Scheme == "http" && toTLSPort.Match(body)
}

// handshakeLimit is the time limit of the handshake that shows whether a server speaks TLS.
const handshakeLimit = 5 * time.Second

// schemeTransport recognizes a TLS port that closes each connection with plain http. Once, and only before the
// first answer, it starts a handshake and sends nothing.
type schemeTransport struct {
	next  http.RoundTripper
	known atomic.Bool // a server has answered, or the port was tried
}

// RoundTrip implements http.RoundTripper. It fails with ErrTLSPort if the port speaks TLS.
func (t *schemeTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	resp, err := t.next.RoundTrip(req)
	switch {
	case err == nil:
		t.known.Store(true)
	case req.URL.Scheme == "http" && closed(err) && !t.known.Swap(true) && speaksTLS(req.Context(), req.URL.Host):
		err = fmt.Errorf("%w: %w", ErrTLSPort, err)
	}
	return resp, err
}

// closed reports whether the server closed the connection instead of answering.
func closed(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// speaksTLS reports whether the server answers a TLS handshake, whatever its certificate.
func speaksTLS(ctx context.Context, host string) bool {
	if _, _, err := net.SplitHostPort(host); err != nil {
		host = net.JoinHostPort(strings.Trim(host, "[]"), "80")
	}
	ctx, cancel := context.WithTimeout(ctx, handshakeLimit)
	defer cancel()
	dialer := tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true}} //nolint:gosec // nothing is sent on it
	conn, err := dialer.DialContext(ctx, "tcp", host)
	if err == nil {
		_ = conn.Close()
		return true
	}
	// Package tls gives an alert its own type only over QUIC.
	var remote *net.OpError
	return errors.As(err, &remote) && remote.Op == "remote error"
}
