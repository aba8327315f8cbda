package mockserver

import (
	"context"
	"io"
	"net/http"
	"time"
)

const (
	// packet is the maximum number of bytes of a paced body that are written at once. It is less
	// if the link would take longer than a tenth of a second for them.
	packet = 32 << 10
	// timerGrain is the shortest wait: timers are not more precise.
	timerGrain = time.Millisecond
)

// link returns the speed of the link in bytes per second.
func (s *Server) link() float64 { return float64(s.opts.Rate) * s.opts.TimeScale }

// packetSize returns how many bytes of a paced body are written at once.
func (s *Server) packetSize() int { return int(max(1, min(packet, s.link()/10))) }

// onLink returns how long the link takes for n bytes.
func (s *Server) onLink(n int) time.Duration {
	return time.Duration(float64(n) / s.link() * float64(time.Second))
}

// pace sends a body at the link's speed. The time of each packet is counted from the beginning, so
// that late timers do not add up.
func (s *Server) pace(ctx context.Context, w io.Writer, flusher *http.ResponseController, body []byte) {
	began := time.Now()
	for sent := 0; sent < len(body); {
		next := min(sent+s.packetSize(), len(body))
		if left := s.onLink(next) - time.Since(began); left > timerGrain || next == len(body) {
			_ = flusher.Flush() // else the bytes so far would wait for the rest
			if sleep(ctx, left) != nil {
				panic(http.ErrAbortHandler)
			}
		}
		if _, err := w.Write(body[sent:next]); err != nil {
			return // the client has gone
		}
		sent = next
	}
}

// sleep waits for d, or until ctx is done: then it returns the cause.
func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
