package api

import (
	"context"
	"io"
	"net/http"
	"sync"
	"time"
)

// leaveAfter is how long a request whose context has ended, and then its connection, may take to
// return before it is left alone.
const leaveAfter = cutAfter + 250*time.Millisecond

// leaver is a transport that returns from each request and from each read of a body when their
// context ends. Package net/http does not for HTTP/2: one WINDOW_UPDATE that a stream's window has no
// room for has it wait for a lock that it holds itself. Neither the end of a context nor that of a
// connection ends this, and each other request of that transport waits for the same lock. So such a
// request is left where it is, and the next ones take another transport.
type leaver struct {
	renew func() http.RoundTripper
	mu    sync.Mutex
	next  http.RoundTripper
	made  int // how many transports there were, next included
}

func newLeaver(renew func() http.RoundTripper) *leaver {
	return &leaver{renew: renew, next: renew(), made: 1}
}

// leave has the following requests go by another transport than the one of that number.
func (l *leaver) leave(number int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.made == number {
		l.next = l.renew()
		l.made++
	}
}

// RoundTrip is http.RoundTripper's.
func (l *leaver) RoundTrip(req *http.Request) (*http.Response, error) {
	type result struct {
		resp *http.Response
		err  error
	}
	l.mu.Lock()
	next, number := l.next, l.made
	l.mu.Unlock()
	ctx, came := req.Context(), make(chan result)
	left, stop := leaving(ctx)
	go func() {
		resp, err := next.RoundTrip(req)
		select {
		case came <- result{resp, err}:
		case <-left:
			if err == nil {
				_ = resp.Body.Close()
			}
		}
	}()
	select {
	case r := <-came:
		if r.err != nil || r.resp.ProtoMajor != 2 {
			stop()
			return r.resp, r.err
		}
		r.resp.Body = l.leavable(ctx, r.resp.Body, number, left, stop)
		return r.resp, nil
	case <-left:
		l.leave(number)
		return nil, context.Cause(ctx)
	}
}

// leaving returns a channel that is closed leaveAfter the end of the context, unless stop is called
// before.
func leaving(ctx context.Context) (left chan struct{}, stop func()) {
	left = make(chan struct{})
	var mu sync.Mutex
	var timer *time.Timer
	stopped := false
	cancel := context.AfterFunc(ctx, func() {
		mu.Lock()
		defer mu.Unlock()
		if !stopped {
			timer = time.AfterFunc(leaveAfter, func() { close(left) })
		}
	})
	return left, func() {
		cancel()
		mu.Lock()
		defer mu.Unlock()
		if stopped = true; timer != nil {
			timer.Stop()
		}
	}
}

// leavable returns a body that is read by a goroutine of its own, which is left alone where it hangs.
// Its Close does not wait.
func (l *leaver) leavable(ctx context.Context, body io.ReadCloser, number int, left chan struct{}, stop func()) io.ReadCloser {
	from, to := io.Pipe()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_, err := io.Copy(to, body)
		_ = to.CloseWithError(err)
		_ = body.Close()
	}()
	go func() {
		select {
		case <-ended:
			stop()
		case <-left:
			l.leave(number)
			_ = to.CloseWithError(context.Cause(ctx))
		}
	}()
	return from
}
