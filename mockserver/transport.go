package mockserver

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"sync"
	"syscall"
	"time"
)

// BaseURL is the server's origin for Transport.
const BaseURL = "http://datasync.test"

// Transport returns a RoundTripper that calls the server in memory, as BaseURL. It starts no
// goroutine, does no I/O, and waits by package time. So it works in a testing/synctest bubble if
// the server is made inside it. A request to another origin fails and is a violation.
func (s *Server) Transport() http.RoundTripper { return &transport{s} }

// Client returns an HTTP client on Transport that follows no redirects.
func (s *Server) Client() *http.Client {
	return &http.Client{
		Transport:     s.Transport(),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

type transport struct{ s *Server }

func (t *transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		defer func() { _ = r.Body.Close() }() // as a RoundTripper must
	}
	ctx := r.Context()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if origin := r.URL.Scheme + "://" + r.URL.Host; origin != BaseURL {
		t.s.violate(fmt.Errorf("request to a foreign origin: %s", origin))
		return nil, &net.OpError{Op: "dial", Net: "tcp", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	}
	s, a := t.s, t.s.answer(r)
	err := sleep(ctx, a.delay)
	switch {
	case err != nil:
	case a.how == deliverReset:
		err = errReset()
	case a.how == deliverHang:
		<-ctx.Done()
		err = context.Cause(ctx)
	}
	if err != nil {
		s.finish(a)
		return nil, err
	}
	s.head(a)
	return s.response(ctx, r, a), nil
}

func (s *Server) response(ctx context.Context, r *http.Request, a *answer) *http.Response {
	resp := &http.Response{
		Status:     fmt.Sprintf("%d %s", a.status, http.StatusText(a.status)),
		StatusCode: a.status,
		Proto:      "HTTP/1.1",
		ProtoMajor: 1,
		ProtoMinor: 1,
		Header:     a.header,
		Request:    r,
	}
	if !a.hasBody() {
		if a.head && a.hasLength() && a.how != deliverChunked {
			resp.ContentLength = int64(len(a.body))
			resp.Header.Set("Content-Length", fmt.Sprint(len(a.body)))
		}
		s.finish(a)
		resp.Body = http.NoBody
		return resp
	}
	resp.ContentLength = int64(len(a.body))
	b := &memoryBody{ctx: ctx, s: s, a: a, rest: a.body[:a.deliverable()], end: io.EOF, closed: make(chan struct{})}
	switch a.how {
	case deliverCut:
		b.end = io.ErrUnexpectedEOF
	case deliverChunked:
		b.end = io.ErrUnexpectedEOF
		resp.ContentLength, resp.TransferEncoding = -1, []string{"chunked"}
	case deliverBroken:
		b.end = errReset()
	case deliverStall:
		b.end = nil
	case deliverDrip:
		b.step, b.pause = a.n, a.pause
	case deliverPaced:
		b.step, b.paced = s.packetSize(), true
	}
	if resp.ContentLength >= 0 {
		resp.Header.Set("Content-Length", fmt.Sprint(len(a.body)))
	}
	resp.Body = b
	return resp
}

func errReset() error {
	return &net.OpError{Op: "read", Net: "tcp", Err: os.NewSyscallError("read", syscall.ECONNRESET)}
}

var errBodyClosed = errors.New("http: read on closed response body")

// memoryBody is the body of an answer in memory. Close may be called while a Read waits.
type memoryBody struct {
	ctx context.Context
	s   *Server
	a   *answer

	end    error         // of Read after the last byte; nil blocks forever
	step   int           // bytes per pause; 0 means all at once
	pause  time.Duration // before each step
	paced  bool          // the pause is the link's time for the step instead
	closed chan struct{}

	mu     sync.Mutex
	rest   []byte
	ready  int // bytes left of the current step
	isOver bool
}

func (b *memoryBody) Read(p []byte) (int, error) {
	if err := b.ctx.Err(); err != nil {
		return 0, context.Cause(b.ctx)
	}
	for {
		n, wait, err := b.take(p)
		if n > 0 || err != nil || len(p) == 0 {
			return n, err
		}
		if err := b.waitFor(wait); err != nil {
			return 0, err
		}
	}
}

// take copies available bytes. If there are none it returns how long to wait for some; a negative
// wait is without end.
func (b *memoryBody) take(p []byte) (n int, wait time.Duration, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.isOver:
		return 0, 0, errBodyClosed
	case len(b.rest) == 0 && b.end == nil:
		return 0, -1, nil
	case len(b.rest) == 0:
		return 0, 0, b.end
	case b.step == 0:
		n = copy(p, b.rest)
	case b.ready == 0:
		b.ready = min(b.step, len(b.rest))
		if b.paced {
			return 0, b.s.onLink(b.ready), nil
		}
		return 0, b.pause, nil
	default:
		n = copy(p, b.rest[:b.ready])
		b.ready -= n
	}
	b.rest = b.rest[n:]
	if len(b.rest) == 0 && errors.Is(b.end, io.EOF) {
		// The last byte is read: the request is no longer in flight. Close returns its buffer.
		b.s.leave(b.a)
	}
	return n, 0, nil
}

func (b *memoryBody) waitFor(d time.Duration) error {
	var passed <-chan time.Time
	if d >= 0 {
		timer := time.NewTimer(d)
		defer timer.Stop()
		passed = timer.C
	}
	select {
	case <-passed:
		return nil
	case <-b.ctx.Done():
		return context.Cause(b.ctx)
	case <-b.closed:
		return errBodyClosed
	}
}

func (b *memoryBody) Close() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.isOver {
		b.isOver, b.rest = true, nil
		close(b.closed)
		b.s.finish(b.a)
	}
	return nil
}
