package mockserver

import (
	"context"
	"io"
	"net/http"
	"time"
)

const (
	// packet is what goes out at once of a body that is paced, at most; it is less
	// where the link would take longer than a tenth of a second for it.
	packet = 32 << 10
	// timerGrain is what is not waited for: timers are no finer.
	timerGrain = time.Millisecond
)

// link is the speed at which bodies go out, in bytes a second.
func (s *Server) link() float64 { return float64(s.opts.Rate) * s.opts.TimeScale }

// packetSize is how much of a paced body goes out at once.
func (s *Server) packetSize() int { return int(max(1, min(packet, s.link()/10))) }

// onLink is how long the link takes for n bytes.
func (s *Server) onLink(n int) time.Duration {
	return time.Duration(float64(n) / s.link() * float64(time.Second))
}

// pace sends a body at the link's speed. Each packet goes out at its own time from the
// beginning on, so that late timers do not add up.
func (s *Server) pace(ctx context.Context, w io.Writer, flusher *http.ResponseController, body []byte) {
	began := time.Now()
	for sent := 0; sent < len(body); {
		next := min(sent+s.packetSize(), len(body))
		if left := s.onLink(next) - time.Since(began); left > timerGrain || next == len(body) {
			_ = flusher.Flush() // what has been sent does not wait for the rest
			if sleep(ctx, left) != nil {
				panic(http.ErrAbortHandler)
			}
		}
		if _, err := w.Write(body[sent:next]); err != nil {
			return // the client is gone, which is its own affair
		}
		sent = next
	}
}

// sleep waits for d, or until ctx is done; then it returns the cause.
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
