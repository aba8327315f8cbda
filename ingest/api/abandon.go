package api

import (
	"context"
	"io"
	"net/http"
	"sync"
	"time"
)

// abandonDelay is how long a request whose context has ended, and then its connection, may take to
// return before it is left alone.
const abandonDelay = closeDelay + 250*time.Millisecond

// abandoningTransport is a transport that returns from each request and from each read of a body when their
// context ends. Package net/http does not for HTTP/2: one WINDOW_UPDATE that a stream's window has no
// room for has it wait for a lock that it holds itself. Neither the end of a context nor that of a
// connection ends this, and each other request of that transport waits for the same lock. So such a
// request is left where it is, and the next ones take another transport.
type abandoningTransport struct {
	newTransport func() http.RoundTripper
	mu           sync.Mutex
	current      http.RoundTripper
	generation   int // how many transports there were, next included
}

func newAbandoningTransport(renew func() http.RoundTripper) *abandoningTransport {
	return &abandoningTransport{newTransport: renew, current: renew(), generation: 1}
}

// replace has the following requests go by another transport than the one of that number.
func (l *abandoningTransport) replace(number int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.generation == number {
		l.current = l.newTransport()
		l.generation++
	}
}

// RoundTrip is http.RoundTripper's.
func (l *abandoningTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	type result struct {
		resp *http.Response
		err  error
	}
	l.mu.Lock()
	next, number := l.current, l.generation
	l.mu.Unlock()
	ctx, came := req.Context(), make(chan result)
	left, stop := abandonSignal(ctx)
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
		r.resp.Body = l.abandonableBody(ctx, r.resp.Body, number, left, stop)
		return r.resp, nil
	case <-left:
		l.replace(number)
		return nil, context.Cause(ctx)
	}
}

// abandonSignal returns a channel that is closed leaveAfter the end of the context, unless stop is called
// before.
func abandonSignal(ctx context.Context) (left chan struct{}, stop func()) {
	left = make(chan struct{})
	var mu sync.Mutex
	var timer *time.Timer
	stopped := false
	cancel := context.AfterFunc(ctx, func() {
		mu.Lock()
		defer mu.Unlock()
		if !stopped {
			timer = time.AfterFunc(abandonDelay, func() { close(left) })
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

// abandonableBody returns a body that is read by a goroutine of its own, which is left alone where it hangs.
// Its Close does not wait.
func (l *abandoningTransport) abandonableBody(ctx context.Context, body io.ReadCloser, number int, left chan struct{}, stop func()) io.ReadCloser {
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
			l.replace(number)
			_ = to.CloseWithError(context.Cause(ctx))
		}
	}()
	return from
}
