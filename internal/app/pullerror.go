package app

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"datasync/ingest"
	"datasync/ingest/api"
	"datasync/ingest/dispatch"
	"datasync/ingest/walk"
	"datasync/internal/model"
	"datasync/internal/term"
)

const resume = "run the same command to resume"

// The ends of a pull that can be resumed. They carry the topics of errors from the network,
// which have no sentinel of their own.
var (
	errFailing     = model.NewFailure(model.ExitAPI, "api-failing", resume)
	errAddress     = model.NewFailure(model.ExitAPI, "wrong-address", resume)
	errCertificate = model.NewFailure(model.ExitAPI, "certificate", resume)
	errLimits      = model.NewFailure(model.ExitAPI, "limits", resume)
)

// pullError adds to an error what the user can do, and that the pull can be resumed.
func pullError(ctx context.Context, err error) error {
	var stopped signalled
	var file *model.FileError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &file) && file.Kind != nil:
		return err
	case errors.As(context.Cause(ctx), &stopped):
		return fmt.Errorf("%w; %s", stopped, resume)
	case errors.Is(err, api.ErrKeyRefused):
		return fmt.Errorf("%w; check the key and whether it has expired: a key lives for at most three hours; then %s", err, resume)
	case errors.Is(err, walk.ErrMissing), errors.Is(err, ingest.ErrUnusable), file != nil:
		return err
	case errors.Is(err, ingest.ErrFrom):
		return usage("%w; give --restart to pull earlier events", err)
	case outOfFiles(err):
		return fmt.Errorf("%w; %w", err, errLimits)
	case errors.Is(err, api.ErrPlainPort):
		return fmt.Errorf("%w; write http:// in --base-url (DATASYNC_BASE_URL), or %w", err, errAddress)
	case errors.Is(err, api.ErrTLSPort):
		return fmt.Errorf("%w; write https:// in --base-url (DATASYNC_BASE_URL), or %w", err, errAddress)
	case wrongAddress(err):
		return fmt.Errorf("%w; check --base-url (DATASYNC_BASE_URL), or %w", err, errAddress)
	case untrusted(err):
		return fmt.Errorf("%w; %w", err, errCertificate)
	}
	var network *api.NetworkError
	early := errors.As(err, &network) && network.Unreachable && network.Early
	var gaveUp *dispatch.GaveUpError
	if errors.As(err, &gaveUp) && gaveUp.Failures > 1 && gaveUp.After >= time.Second {
		err = gaveUpAfter(err, gaveUp, network)
	}
	if early && network.Proxy {
		return fmt.Errorf("%w; check HTTPS_PROXY and NO_PROXY, or %w", err, errFailing)
	}
	if early {
		return fmt.Errorf("%w; check --base-url (DATASYNC_BASE_URL), or %w", err, errFailing)
	}
	return fmt.Errorf("%w; %w", err, errFailing)
}

// gaveUpAfter adds to an error how often and for how long the request failed. Network is its network error, or
// nil.
func gaveUpAfter(err error, gaveUp *dispatch.GaveUpError, network *api.NetworkError) error {
	after, times := term.Duration(gaveUp.After.Round(time.Second)), term.Counted(int64(gaveUp.Failures), "time")
	if network != nil && network.Unreachable && network.Error() == gaveUp.Error() { // else its text is withheld
		return restated{fmt.Sprintf("%s unreachable for %s: %s; tried %s", network.Host, after, network.Cause, times), err}
	}
	return fmt.Errorf("%w; tried %s in %s", err, times, after)
}

// restated is an error with another text.
type restated struct {
	text string
	error
}

func (e restated) Error() string { return e.text }

// Unwrap returns the error.
func (e restated) Unwrap() error { return e.error }

// wrongAddress reports whether the base URL does not lead to the API.
func wrongAddress(err error) bool {
	var answer *api.Error
	var host *net.DNSError
	var dial *net.OpError
	var notTLS tls.RecordHeaderError
	switch {
	case errors.As(err, &dial) && dial.Op == "proxyconnect":
		return false // the address of the proxy is wrong
	case errors.As(err, &answer) && answer.Status == http.StatusNotFound, errors.As(err, &host) && host.IsNotFound, errors.As(err, &notTLS):
		return true
	}
	return errors.Is(err, api.ErrRedirected) || errors.Is(err, api.ErrNoAPI)
}

// untrusted reports whether the TLS handshake failed.
func untrusted(err error) bool {
	var certificate *tls.CertificateVerificationError
	var alert tls.AlertError
	return errors.As(err, &certificate) || errors.As(err, &alert)
}
