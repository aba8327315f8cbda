package api

import (
	"context"
	"io"
	"net/http"
	"sync"
	"time"
)

// abandonDelay is how long a request whose context has ended may take to return. It includes the
// time after which its connection is closed.
const abandonDelay = closeDelay + 250*time.Millisecond

// abandoningTransport is a transport whose requests and reads of a body return when their context
// ends. Those of package net/http do not for HTTP/2: a WINDOW_UPDATE that overflows the window of a
// stream makes it wait for a lock that it holds itself. Neither the end of the context nor that of
// the connection ends this, and every other request of that transport waits for the same lock. So
// such a request is abandoned, and later ones use a new transport.
type abandoningTransport struct {
	newTransport func() http.RoundTripper

	mu         sync.Mutex
	current    http.RoundTripper
	generation int // how many transports there were, current included
}

func newAbandoningTransport(newTransport func() http.RoundTripper) *abandoningTransport {
	return &abandoningTransport{newTransport: newTransport, current: newTransport(), generation: 1}
}

// replace makes a new transport current, unless another request has replaced that generation.
func (t *abandoningTransport) replace(generation int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.generation == generation {
		t.current = t.newTransport()
		t.generation++
	}
}

// RoundTrip implements http.RoundTripper.
func (t *abandoningTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	type result struct {
		resp *http.Response
		err  error
	}
	t.mu.Lock()
	current, generation := t.current, t.generation
	t.mu.Unlock()
	ctx, results := req.Context(), make(chan result)
	abandoned, stop := abandonSignal(ctx)
	go func() {
		resp, err := current.RoundTrip(req)
		select {
		case results <- result{resp, err}:
		case <-abandoned:
			if err == nil {
				_ = resp.Body.Close()
			}
		}
	}()
	select {
	case r := <-results:
		if r.err != nil || r.resp.ProtoMajor != 2 {
			stop()
			return r.resp, r.err
		}
		r.resp.Body = t.abandonableBody(ctx, r.resp.Body, generation, abandoned, stop)
		return r.resp, nil
	case <-abandoned:
		t.replace(generation)
		return nil, context.Cause(ctx)
	}
}

// abandonSignal returns a channel that is closed abandonDelay after the end of the context, unless
// stop is called before.
func abandonSignal(ctx context.Context) (abandoned chan struct{}, stop func()) {
	abandoned = make(chan struct{})
	var mu sync.Mutex
	var timer *time.Timer
	stopped := false
	cancel := context.AfterFunc(ctx, func() {
		mu.Lock()
		defer mu.Unlock()
		if !stopped {
			timer = time.AfterFunc(abandonDelay, func() { close(abandoned) })
		}
	})
	return abandoned, func() {
		cancel()
		mu.Lock()
		defer mu.Unlock()
		if stopped = true; timer != nil {
			timer.Stop()
		}
	}
}

// abandonableBody returns a body that another goroutine reads, which is abandoned if it hangs. Its
// Close does not wait.
func (t *abandoningTransport) abandonableBody(ctx context.Context, body io.ReadCloser, generation int, abandoned chan struct{}, stop func()) io.ReadCloser {
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
		case <-abandoned:
			t.replace(generation)
			_ = to.CloseWithError(context.Cause(ctx))
		}
	}()
	return from
}
