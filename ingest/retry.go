package ingest

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"datasync/ingest/decode"
	"datasync/internal/model"

	"github.com/cenkalti/backoff/v4"
)

// firstConnect is how long a run tries to reach the API at all.
const firstConnect = 30 * time.Second

// retry runs op until it succeeds, fails for good, or has failed for longer than
// limit says; time that waited reports to have gone by waiting as asked is not
// counted. Pauses have full jitter. A new backoff is made for each request: one
// that is shared counts the time of the whole pull.
func retry(ctx context.Context, limit, waited func() time.Duration, notice func(string), op func() error) error {
	pauses := backoff.NewExponentialBackOff(
		backoff.WithInitialInterval(250*time.Millisecond), backoff.WithMultiplier(2),
		backoff.WithRandomizationFactor(1), backoff.WithMaxInterval(15*time.Second), backoff.WithMaxElapsedTime(0))
	var first time.Time
	var waitedBefore time.Duration
	failures, refusals := 0, 0
	return backoff.Retry(func() error {
		err := op()
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return backoff.Permanent(ctx.Err())
		case permanent(err):
			return backoff.Permanent(err)
		}
		if refused(err) {
			if refusals++; refusals == fewTries {
				return backoff.Permanent(err)
			}
		}
		if first.IsZero() {
			first, waitedBefore = time.Now(), waited()
		}
		if failures++; failures == noticedFailure {
			notice(fmt.Sprintf("%v; trying again for up to %s", err, limit()))
		}
		return err
	}, backoff.WithContext(bounded{pauses, func() time.Duration {
		return limit() - (time.Since(first) - (waited() - waitedBefore))
	}}, ctx))
}

// bounded cuts the last pause short, so that the last try comes when no time is
// left and not long after.
type bounded struct {
	backoff.BackOff
	left func() time.Duration
}

// NextBackOff returns the next pause, or backoff.Stop.
func (b bounded) NextBackOff() time.Duration {
	left := b.left()
	if left <= 0 {
		return backoff.Stop
	}
	return min(b.BackOff.NextBackOff(), left)
}

// fewTries is how often a request is sent that the API refuses for no known reason: it may have
// been taken a minute ago.
const fewTries = 4

// refused reports whether the API refuses a request in a way that hardly passes, or sends a page that
// is too large and cannot be asked for in smaller ones.
func refused(err error) bool {
	var answer *APIError
	var page *decode.TooLarge
	if errors.As(err, &page) && page.Final {
		return true
	}
	return errors.As(err, &answer) && (answer.means == meansRefused || answer.means == meansCursorPerhaps || answer.means == meansPageSize)
}

// noticedFailure is the failure in a row of which a person is told: one or two
// are nothing special.
const noticedFailure = 3

// permanent tells the errors that asking again cannot mend.
func permanent(err error) bool {
	for _, kind := range []error{ErrKeyRefused, ErrCursorDead, ErrRedirected, ErrClosed, ErrLimited, errNoBound, http.ErrSchemeMismatch} {
		if errors.Is(err, kind) {
			return true
		}
	}
	var certificate *tls.CertificateVerificationError
	var notTLS tls.RecordHeaderError
	var name *net.DNSError
	var file *model.FileError
	if errors.As(err, &certificate) || errors.As(err, &notTLS) || noCommonTLS(err) ||
		errors.As(err, &file) || errors.As(err, &name) && name.IsNotFound {
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
