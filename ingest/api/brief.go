package api

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"strconv"
	"syscall"

	"datasync/ingest/decode"
)

// Brief names the cause of a failed request in a few words, such as "502", "no answer" or "refused".
func Brief(err error) string {
	var answer *Error
	var stalled *stalledError
	var large *decode.TooLarge
	var name *net.DNSError
	var timeout net.Error
	var notTLS tls.RecordHeaderError
	var certificate *tls.CertificateVerificationError
	switch {
	case errors.Is(err, ErrNoAPI):
		return "not this API"
	case errors.As(err, &answer):
		return strconv.Itoa(answer.Status)
	case errors.As(err, &stalled), errors.Is(err, context.DeadlineExceeded):
		return "no answer"
	case errors.As(err, &large):
		return "page too large"
	case errors.Is(err, decode.ErrMalformed):
		return "malformed page"
	case errors.As(err, &name):
		return "no such host"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "refused"
	case errors.As(err, &notTLS), errors.As(err, &certificate):
		return "no TLS"
	case errors.As(err, &timeout) && timeout.Timeout():
		return "no answer"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "cut off"
	}
	return "no connection"
}
