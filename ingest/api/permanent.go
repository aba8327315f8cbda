package api

import (
	"crypto/tls"
	"errors"
	"net"
	"slices"
	"strings"
)

// Permanent reports whether a retry of the request fails in the same way.
func Permanent(err error) bool {
	for _, kind := range []error{ErrKeyRefused, ErrCursorExpired, ErrRedirected, ErrPlainPort, ErrTLSPort} {
		if errors.Is(err, kind) {
			return true
		}
	}
	var certificate *tls.CertificateVerificationError
	var notTLS tls.RecordHeaderError
	var name *net.DNSError
	if errors.As(err, &certificate) || errors.As(err, &notTLS) || noCommonTLS(err) ||
		errors.As(err, &name) && name.IsNotFound {
		return true
	}
	return false
}

// permanentAlerts are the alerts (RFC 8446, section 6.2) that a retry does not change: no common
// version, cipher or protocol, a required client certificate, an unknown server name.
var permanentAlerts = []tls.AlertError{40, 42, 43, 48, 49, 70, 71, 112, 116, 120}

// noCommonTLS reports whether a handshake failed for lack of a common version, cipher or certificate.
func noCommonTLS(err error) bool {
	// Package tls gives an alert its own type only over QUIC, and an old version none.
	var remote *net.OpError
	if errors.As(err, &remote) && remote.Op == "remote error" {
		return slices.ContainsFunc(permanentAlerts, func(a tls.AlertError) bool { return remote.Err.Error() == a.Error() })
	}
	var network *NetworkError // its text is for people
	if errors.As(err, &network) {
		err = network.Err
	}
	return strings.Contains(err.Error(), "tls: server selected unsupported protocol version")
}
