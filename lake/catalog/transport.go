package catalog

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"
)

const (
	// answerTimeout is the longest time until a catalog begins its response.
	answerTimeout = 2 * time.Minute
	// attempts is the number of attempts for a safe request. The pause between them doubles.
	attempts   = 8
	firstPause = 100 * time.Millisecond
	lastPause  = 5 * time.Second
)

// retrying repeats safe requests after transient failures. It sends a commit once.
type retrying struct {
	next *http.Transport
}

func newRetrying() retrying {
	transport := &http.Transport{
		Proxy: http.ProxyFromEnvironment, ResponseHeaderTimeout: answerTimeout, ForceAttemptHTTP2: true,
		DialContext: (&net.Dialer{Timeout: 30 * time.Second, KeepAlive: 30 * time.Second}).DialContext, TLSHandshakeTimeout: 30 * time.Second,
		MaxIdleConns: 10, IdleConnTimeout: 90 * time.Second,
	}
	return retrying{transport}
}

func (r retrying) RoundTrip(request *http.Request) (*http.Response, error) {
	changes := request.Method != http.MethodGet && request.Method != http.MethodHead && !strings.HasSuffix(request.URL.Path, "/oauth/tokens")
	for pause, i := firstPause, 1; ; pause, i = min(2*pause, lastPause), i+1 {
		attempt := request.Clone(request.Context())
		if request.GetBody != nil && i > 1 {
			body, err := request.GetBody()
			if err != nil {
				return nil, err
			}
			attempt.Body = body
		}
		response, err := r.next.RoundTrip(attempt)
		if err == nil && !changes {
			err = readWhole(response) // an incomplete response counts as a failed attempt
		}
		switch {
		case err == nil && !passes(response.StatusCode), changes, i == attempts, request.Body != nil && request.GetBody == nil:
			return response, err
		case err != nil && isFinal(err):
			return nil, err
		}
		wait := time.Duration(rand.Int64N(int64(pause))) + pause/2
		if err == nil {
			if asked, errHeader := strconv.Atoi(response.Header.Get("Retry-After")); errHeader == nil && asked > 0 && asked <= 60 {
				wait = max(wait, time.Duration(asked)*time.Second)
			}
		}
		timer := time.NewTimer(wait)
		select {
		case <-request.Context().Done():
			timer.Stop()
			return nil, fmt.Errorf("wait before another attempt: %w", request.Context().Err())
		case <-timer.C:
		}
	}
}

// readWhole reads a response into memory.
func readWhole(response *http.Response) error {
	content, err := io.ReadAll(response.Body)
	err = errors.Join(err, response.Body.Close())
	response.Body = io.NopCloser(bytes.NewReader(content))
	return err
}

// passes reports whether a status is transient.
func passes(status int) bool {
	return status == http.StatusTooManyRequests || status == http.StatusRequestTimeout || status >= 500 && status != http.StatusNotImplemented
}

// isFinal reports whether a retry would fail in the same way.
func isFinal(err error) bool {
	var unknownHost *net.DNSError
	return errors.As(err, &unknownHost) && unknownHost.IsNotFound || strings.Contains(err.Error(), "certificate")
}
