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

// patience is how long a request may fail before anything has answered, and after that.
type patience struct{ unreached, reached time.Duration }

// defaultPatience makes an address that is mistyped known soon.
var defaultPatience = patience{30 * time.Second, 3 * time.Minute}

// slowestLink is the rate in bytes a second that a request must have at least.
const slowestLink = 32 << 10

// try calls once until it succeeds, fails for good, or has failed for too long. Pauses have full jitter.
// The request sends or receives about that many bytes. lost is whether an earlier attempt may have
// succeeded although its answer says nothing of it.
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

// attempt calls once with the time that the bytes may take.
func (b *Bucket) attempt(ctx context.Context, bytes int64, once func(context.Context) error) error {
	limited, cancel := context.WithTimeout(ctx, 2*answerTimeout+time.Duration(bytes/slowestLink)*time.Second)
	defer cancel()
	err := once(limited)
	if status, _ := answer(err); err == nil || status != 0 {
		b.reached.Store(true)
	}
	return err
}

// passing are the codes of failures that pass. Those of a damaged body are among them: what sends them is
// between here and the service.
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

// isCutShort reports whether there is no answer, or only the beginning of one.
func isCutShort(err error) bool {
	var send *smithyhttp.RequestSendError
	var answer *smithy.DeserializationError
	var network net.Error
	return errors.As(err, &send) || errors.As(err, &answer) || errors.As(err, &network) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, context.DeadlineExceeded)
}

// mayHaveSucceeded reports whether the service may have carried out a request that failed so. A gateway
// answers 5xx for a service that it has lost.
func mayHaveSucceeded(err error) bool {
	status, _ := answer(err)
	return status == 0 || status >= 500 || status == http.StatusRequestTimeout || status == http.StatusOK
}
