package mockserver

import (
	"context"
	"io"
	"net"
	"net/http"
	"strconv"
	"time"
)

// ServeHTTP answers a request, with its faults.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a := s.answer(r)
	defer s.finish(a)
	ctx := r.Context()
	if sleep(ctx, a.delay) != nil {
		panic(http.ErrAbortHandler)
	}
	switch a.how {
	case deliverReset:
		s.reset(w)
		return
	case deliverHang:
		<-ctx.Done()
		panic(http.ErrAbortHandler)
	}

	body := a.body[:a.deliverable()]
	s.head(a)
	h := w.Header()
	for name, values := range a.header {
		h[name] = values
	}
	if a.how != deliverChunked && a.hasLength() {
		h.Set("Content-Length", strconv.Itoa(len(a.body)))
	}
	w.WriteHeader(a.status)
	if a.head {
		return
	}
	s.deliverBody(ctx, w, a, body)
}

// deliverBody sends the body as the answer says.
func (s *Server) deliverBody(ctx context.Context, w http.ResponseWriter, a *answer, body []byte) {
	flusher := http.NewResponseController(w)
	switch a.how {
	case deliverWhole:
		if a.hasBody() {
			_, _ = w.Write(body) // an error means that the client has gone
		}
	case deliverDrip:
		drip(ctx, w, flusher, body, a.n, a.pause)
	case deliverPaced:
		s.pace(ctx, w, flusher, body)
	default:
		_, _ = w.Write(body)
		_ = flusher.Flush()
		switch a.how {
		case deliverBroken:
			s.reset(w)
			return
		case deliverStall:
			<-ctx.Done()
		}
		panic(http.ErrAbortHandler)
	}
}

// drip sends n bytes at a time, with a pause before each.
func drip(ctx context.Context, w io.Writer, flusher *http.ResponseController, body []byte, n int, pause time.Duration) {
	for len(body) > 0 {
		if sleep(ctx, pause) != nil {
			panic(http.ErrAbortHandler)
		}
		next := min(n, len(body))
		if _, err := w.Write(body[:next]); err != nil {
			return
		}
		_ = flusher.Flush()
		body = body[next:]
	}
}

// reset ends the connection by a TCP reset if it can.
func (s *Server) reset(w http.ResponseWriter) {
	conn, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

// hasBody reports whether HTTP allows the answer to have a body.
func (a *answer) hasBody() bool {
	return !a.head && a.hasLength()
}

// hasLength reports whether the answer has a Content-Length.
func (a *answer) hasLength() bool {
	return a.status != http.StatusNoContent && a.status != http.StatusNotModified
}

// deliverable returns how many bytes of the body are sent.
func (a *answer) deliverable() int {
	switch a.how {
	case deliverCut, deliverChunked, deliverBroken:
		return max(0, min(a.n, len(a.body)-1))
	case deliverStall:
		return min(a.n, len(a.body))
	}
	return len(a.body)
}

// head completes the head of an answer when it is sent: its dates and waits count from now.
func (s *Server) head(a *answer) {
	now := time.Now()
	if a.header == nil {
		a.header = http.Header{}
	}
	date := now.Add(s.opts.ClockSkew).UTC().Truncate(time.Second)
	if a.header.Get("Date") == "" {
		a.header.Set("Date", date.Format(http.TimeFormat))
	}
	if a.retryDate > 0 {
		// Round up: an HTTP date has whole seconds.
		until := now.Add(s.opts.ClockSkew + a.retryDate + time.Second - 1).UTC().Truncate(time.Second)
		a.header.Set("Retry-After", until.Format(http.TimeFormat))
		a.wait = max(a.wait, until.Sub(date))
	}
	if a.wait > 0 {
		s.journalWait(a.endpoint, now, a.wait)
	}
}
