package api

import (
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/url"
	"strings"
	"syscall"
)

// NetworkError is the error of a request that got no answer, in words for a person: package net repeats
// operation, protocol and addresses of sockets.
type NetworkError struct {
	// Endpoint is the one that was asked.
	Endpoint string
	// Host is the host and port of the server, or of a proxy.
	Host string
	// Unreachable says that there was no connection to the host. Early says that nothing has answered in
	// this run.
	Unreachable, Early bool
	// Proxy says that Host is a proxy of the environment.
	Proxy bool
	// Cause says why, such as "connection refused".
	Cause string
	// Err is the error of the transport.
	Err error
}

func (e *NetworkError) Error() string {
	if e.Unreachable {
		return e.Host + " unreachable: " + e.Cause
	}
	return "request the " + e.Endpoint + " endpoint: " + e.Cause
}

// Unwrap returns Err.
func (e *NetworkError) Unwrap() error { return e.Err }

// newNetworkError describes the error of a request that got no answer.
func newNetworkError(endpoint string, base *url.URL, err error) *NetworkError {
	e := &NetworkError{Endpoint: endpoint, Host: net.JoinHostPort(base.Hostname(), portOf(base)), Err: err}
	var op *net.OpError
	isOp := errors.As(err, &op)
	var name *net.DNSError
	var certificate *tls.CertificateVerificationError
	var notTLS tls.RecordHeaderError
	var number syscall.Errno
	switch {
	case errors.Is(err, ErrPlainPort), errors.Is(err, ErrTLSPort):
		e.Cause = "the port speaks https, not http"
		if errors.Is(err, ErrPlainPort) {
			e.Cause = "the port speaks http, not https"
		}
		return e
	case errors.As(err, &certificate):
		e.Cause = "failed to verify certificate: " + strings.TrimPrefix(certificate.Err.Error(), "x509: ")
		return e
	case errors.As(err, &notTLS):
		e.Cause = notTLS.Msg
		return e
	case errors.As(err, &name):
		e.Unreachable, e.Cause = true, nameFailure(name)
	case errors.As(err, &number):
		e.Unreachable = isOp && (op.Op == "dial" || op.Op == "proxyconnect") && number != syscall.EMFILE && number != syscall.ENFILE
		e.Cause = number.Error()
	case isOp && op.Op == "remote error":
		e.Cause = "the server refused the TLS handshake: " + strings.TrimPrefix(op.Err.Error(), "tls: ")
	case isOp && op.Timeout():
		e.Unreachable, e.Cause = op.Op == "dial" || op.Op == "proxyconnect", "connection timed out"
	case errors.Is(err, io.ErrUnexpectedEOF):
		e.Cause = "the server closed the connection before the end of its answer"
	case errors.Is(err, io.EOF):
		e.Cause = "the server closed the connection without an answer"
	default:
		e.Cause = withoutPackage(err.Error())
	}
	if isOp && op.Op == "proxyconnect" {
		e.viaProxy(op)
	}
	return e
}

// viaProxy names the proxy instead of the server.
func (e *NetworkError) viaProxy(op *net.OpError) {
	e.Host, e.Proxy = "the proxy of the environment (HTTPS_PROXY)", true
	var dial *net.OpError
	if errors.As(op.Err, &dial) && dial.Addr != nil {
		e.Host += " at " + dial.Addr.String()
	}
	if !e.Unreachable {
		e.Cause = "reach the proxy of the environment (HTTPS_PROXY): " + e.Cause
	}
}

// nameFailure says why a host name has no address.
func nameFailure(err *net.DNSError) string {
	switch {
	case err.IsNotFound:
		return "no such host"
	case err.IsTimeout:
		return "the lookup of its name timed out"
	}
	return "the lookup of its name failed: " + err.Err
}

// withoutPackage removes the name of a package from an error's text, and the source of an answer that is not
// HTTP.
func withoutPackage(text string) string {
	if _, quoted, ok := strings.Cut(text, "malformed HTTP response "); ok {
		return "the answer is not HTTP: " + quoted
	}
	for _, prefix := range []string{"net/http: ", "http2: ", "http: ", "tls: ", "x509: "} {
		text = strings.TrimPrefix(text, prefix)
	}
	return text
}
