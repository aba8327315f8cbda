package api

import (
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"slices"
	"strings"
)

// Permanent tells the errors that asking again cannot mend.
func Permanent(err error) bool {
	for _, kind := range []error{ErrKeyRefused, ErrCursorExpired, ErrRedirected, http.ErrSchemeMismatch} {
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

// refusals are the alerts (RFC 8446, section 6.2) of a server that would not have it
// otherwise the next time: no version, cipher or protocol in common, a certificate that is
// wanted, a name that is not known.
var refusals = []tls.AlertError{40, 42, 43, 48, 49, 70, 71, 112, 116, 120}

// noCommonTLS reports whether a handshake failed because the two do not fit together.
func noCommonTLS(err error) bool {
	// An alert has a type of its own over QUIC alone, and a version that is too old none.
	var said *net.OpError
	if errors.As(err, &said) && said.Op == "remote error" {
		return slices.ContainsFunc(refusals, func(a tls.AlertError) bool { return said.Err.Error() == a.Error() })
	}
	return strings.Contains(err.Error(), "tls: server selected unsupported protocol version")
}
