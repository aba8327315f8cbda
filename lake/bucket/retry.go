package bucket

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/cenkalti/backoff/v4"
)

// patience bounds the retries of a request: before the service's first response, and after it.
type patience struct{ unreached, reached time.Duration }

// defaultPatience is short before the first response, so that a mistyped address fails soon.
var defaultPatience = patience{30 * time.Second, 3 * time.Minute}

// slowestLink is the lowest rate of a request, in bytes a second.
const slowestLink = 32 << 10

// try calls once until it succeeds, fails permanently, or exceeds the patience. Pauses have full jitter.
// The request transfers about that many bytes. lost reports whether an earlier attempt may have succeeded
// without a response.
func (b *Bucket) try(ctx context.Context, bytes int64, once func(ctx context.Context, lost bool) error) error {
	pauses := backoff.NewExponentialBackOff(backoff.WithInitialInterval(50*time.Millisecond), backoff.WithMultiplier(2),
		backoff.WithRandomizationFactor(1), backoff.WithMaxInterval(4*time.Second), backoff.WithMaxElapsedTime(0))
	began, lost := time.Now(), false
	return backoff.Retry(func() error {
		err := b.attempt(ctx, bytes, func(ctx context.Context) error { return once(ctx, lost) })
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return backoff.Permanent(ctx.Err())
		}
		limit := b.patience.unreached
		if b.reached.Load() {
			limit = b.patience.reached
		}
		if !isPassing(err) || time.Since(began) > limit {
			return backoff.Permanent(err)
		}
		lost = lost || mayHaveSucceeded(err)
		return err
	}, backoff.WithContext(pauses, ctx))
}

// attempt calls once with a deadline for that many bytes.
func (b *Bucket) attempt(ctx context.Context, bytes int64, once func(context.Context) error) error {
	limited, cancel := context.WithTimeout(ctx, 2*answerTimeout+time.Duration(bytes/slowestLink)*time.Second)
	defer cancel()
	err := once(limited)
	if status, _ := answer(err); err == nil || status != 0 {
		b.reached.Store(true)
	}
	return err
}

// passing are the codes of transient failures. They include codes for damaged bodies, as the network causes
// the damage.
var passing = map[string]bool{
	"BadDigest": true, "ConditionalRequestConflict": true, "IncompleteBody": true, "InternalError": true, "OperationAborted": true,
	"RequestTimeout": true, "ServiceUnavailable": true, "SlowDown": true, "Throttling": true, "ThrottlingException": true, "XAmzContentSHA256Mismatch": true,
}

// isPassing reports whether the same request may succeed later.
func isPassing(err error) bool {
	status, code := answer(err)
	switch {
	case passing[code], status == http.StatusRequestTimeout, status == http.StatusTooManyRequests, status == http.StatusTooEarly:
		return true
	case status >= 500:
		return status != http.StatusNotImplemented
	case status >= 300:
		return false
	case isUntrusted(err):
		return false
	}
	var unknownHost *net.DNSError
	if errors.As(err, &unknownHost) && unknownHost.IsNotFound {
		return false
	}
	return isCutShort(err)
}

// isCutShort reports whether the response is missing or incomplete.
func isCutShort(err error) bool {
	var send *smithyhttp.RequestSendError
	var answer *smithy.DeserializationError
	var network net.Error
	return errors.As(err, &send) || errors.As(err, &answer) || errors.As(err, &network) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, context.DeadlineExceeded)
}

// mayHaveSucceeded reports whether the service may have executed a request despite its error. A gateway
// answers 5xx when it loses the connection to the service.
func mayHaveSucceeded(err error) bool {
	status, _ := answer(err)
	return status == 0 || status >= 500 || status == http.StatusRequestTimeout || status == http.StatusOK
}
