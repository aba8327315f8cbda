package api

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"datasync/ingest/decode"
	"datasync/internal/failpoint"
	"datasync/internal/human"
)

// sender sends the requests of a client, one at a time or several at once.
type sender struct {
	transport http.RoundTripper
	secrets   *secrets
	base      *url.URL
	// largeSlot has room for one page whose text is larger than maxPooledText.
	largeSlot   chan struct{}
	hasAnswered atomic.Bool // an answer in this run may be the API's
	// began is when the client began, heard how long after that the last byte arrived.
	began time.Time
	heard atomic.Int64
}

// exchange is one request and the reading of its answer.
type exchange struct {
	endpoint string
	want     Request
	limit    int64 // of the body, in bytes after decompression
	into     *Buffer
	watchdog *watchdog
	conn     *connection
}

// response holds what an answer says besides its body.
type response struct {
	status    int   // 0 if no answer came
	bytes     int64 // of the body, before decompression
	gzipped   bool
	rateLimit RateLimit
	took      time.Duration // from the request to the last byte
}

// heardNow records that bytes arrived.
func (s *sender) heardNow() { s.heard.Store(int64(time.Since(s.began))) }

// do sends the request and reads the whole body of a 200 into the buffer, decompressed and at most
// limit bytes. Everything else is an error: an *Error if the API answered. It uses the
// transport without an http.Client, since that reads the target of a redirect even if it does
// not follow it.
func (s *sender) do(endpoint string, req *http.Request, want Request, limit int64, into *Buffer) (answer response, err error) {
	began := time.Now()
	into.text = into.text[:0] // that of an earlier page
	defer func() {
		answer.took = time.Since(began)
		err = s.secrets.redact(endpoint, err)
	}()
	ctx, cancel := context.WithCancelCause(req.Context())
	defer cancel(nil)
	conn := &connection{cancel: cancel}
	watchdog := newWatchdog(s.heardNow, func(after time.Duration) {
		conn.abort(&stalledError{endpoint, after})
	})
	defer watchdog.stop()
	tracked, release := conn.track(ctx, endpoint)
	defer release()
	failpoint.Hit("f1")
	resp, err := s.transport.RoundTrip(req.WithContext(tracked))
	if err != nil {
		err = s.requestError(ctx, endpoint, err)
		var answer *Error
		if errors.As(err, &answer) {
			s.hasAnswered.Store(true)
		}
		return response{}, err
	}
	failpoint.Hit("f2")
	s.heardNow()
	defer func() { _ = resp.Body.Close() }()
	watchdog.Reader = resp.Body
	x := &exchange{endpoint: endpoint, want: want, limit: limit, into: into, watchdog: watchdog, conn: conn}
	answer, err = s.readResponse(ctx, x, resp)
	answer.status, answer.bytes = resp.StatusCode, watchdog.bytes
	return answer, err
}

// stalledError is the error of a request whose answer does not begin, pauses for too long, or is too slow.
type stalledError struct {
	endpoint string
	after    time.Duration
}

func (e *stalledError) Error() string {
	return fmt.Sprintf("the %s endpoint sent too few bytes in %s", e.endpoint, human.Span(e.after))
}

// readResponse reads an answer to its end. A body that is neither a page nor an access is an error.
func (s *sender) readResponse(ctx context.Context, x *exchange, resp *http.Response) (response, error) {
	answer := response{rateLimit: readRateLimit(resp.Header, time.Now())}
	x.into.Cached = isCached(resp.Header)
	if resp.StatusCode != http.StatusOK {
		s.hasAnswered.Store(true)
		if resp.StatusCode == http.StatusSwitchingProtocols {
			x.conn.close() // it no longer speaks HTTP
		}
		body := errorBody(resp, x.watchdog)
		e := newError(x.endpoint, resp, body, x.want)
		if saysTLS(resp, body) {
			e.Means, e.Kind = MeansRefused, ErrTLSPort
		}
		return answer, e
	}
	var err error
	answer.gzipped, err = x.readBody(resp, func() error { return x.into.acquireLargeSlot(ctx, s.largeSlot) })
	// A login page, or the page or the JSON of another server, does not count as an answer of the API.
	if !s.hasAnswered.Load() && (err != nil || looksLikeOurs(x.endpoint, x.into.Text())) {
		s.hasAnswered.Store(true)
	}
	if err := s.bodyError(ctx, x, err); err != nil {
		return answer, err
	}
	return answer, rateLimitIn(x.endpoint, resp, x.into.text, x.want)
}

// looksLikeOurs reports whether a body begins as a page does, or is an access from stream-access.
func looksLikeOurs(endpoint, body string) bool {
	if endpoint == StreamAccess {
		return strings.Contains(body, `"streamAccess"`)
	}
	return decode.BeginsAsPage(body)
}

// readBody reads the body into the buffer. It calls large before it takes much memory.
func (x *exchange) readBody(resp *http.Response, large func() error) (gzipped bool, err error) {
	x.into.cuts = nil
	// The compressed bytes are limited, too: endless gzip may decompress to nothing.
	maxCompressed := x.limit + 1
	if x.want.Truncated {
		maxCompressed = decode.MaxTruncatedPage + 1
	}
	content, gzipped, err := decompressed(resp, io.LimitReader(x.watchdog, maxCompressed))
	if err != nil {
		return gzipped, err
	}
	if x.want.Truncated {
		truncator := decode.NewTruncator(content)
		content, x.into.cuts = truncator, truncator.Cuts
	}
	return gzipped, x.into.read(content, resp.ContentLength, x.limit, large)
}

// bodyError returns the error of a body that was read with err, or that exceeds the limit.
func (s *sender) bodyError(ctx context.Context, x *exchange, err error) error {
	switch {
	case err != nil && (x.watchdog.failed || ctx.Err() != nil):
		return s.requestError(ctx, x.endpoint, err)
	case errors.Is(err, decode.ErrEndless):
		return &decode.TooLarge{Endpoint: x.endpoint, Limit: human.Thousands(int64(decode.MaxTruncatedPage)>>20) + " MiB"}
	case err != nil:
		return fmt.Errorf("%w: cannot decompress the answer of the %s endpoint: %w", decode.ErrMalformed, x.endpoint, err)
	case int64(len(x.into.text)) > x.limit:
		return &decode.TooLarge{Endpoint: x.endpoint, Limit: human.Thousands(x.limit>>20) + " MiB"}
	}
	return nil
}

// rateLimitIn returns an *Error if the body of a 200 is not a page but reports a rate limit. A service
// behind a gateway may do that.
func rateLimitIn(endpoint string, resp *http.Response, body []byte, want Request) error {
	if len(body) > maxErrorBody || bytes.Contains(body, []byte(`"data"`)) || bytes.Contains(body, []byte(`"streamAccess"`)) {
		return nil
	}
	if e := newError(endpoint, resp, body, want); e.Means == MeansRateLimited {
		return e
	}
	return nil
}

// requestError names the endpoint of a request that failed. The cause of the context says why, such
// as the watchdog's error, and replaces the transport's error.
func (s *sender) requestError(ctx context.Context, endpoint string, err error) error {
	cause := context.Cause(ctx)
	if cause != nil {
		err = cause
	}
	if errors.Is(err, errSwitched) {
		return &Error{Endpoint: endpoint, Status: http.StatusSwitchingProtocols, Means: MeansFailed}
	}
	var answer *Error
	switch {
	case errors.As(err, &answer):
		return err // it names the endpoint
	case cause != nil:
		return fmt.Errorf("request the %s endpoint: %w", endpoint, err)
	case errors.Is(err, net.ErrClosed):
		err = errors.New("its connection was closed, since another request on it received too few bytes")
	}
	e := newNetworkError(endpoint, s.base, schemeError(err))
	e.Early = !s.hasAnswered.Load()
	return e
}
