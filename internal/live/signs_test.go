package live

import (
	"errors"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

// TestSignsOfLife: while the pull sends signs of life, a client waits for an answer longer than
// maxSilence, but at most for maxWait.
func TestSignsOfLife(t *testing.T) {
	for _, tc := range []struct {
		name         string
		signs, takes time.Duration
		gaveUp       time.Duration // after this time; 0 if the answer arrives
	}{
		{"an answer at once", heartbeatEvery, 0, 0},
		{"a slow answer", heartbeatEvery, 3 * maxSilence, 0},
		{"a very slow answer", heartbeatEvery, maxWait - time.Second, 0},
		{"an answer that comes too late", heartbeatEvery, maxWait + time.Second, maxWait},
		{"no sign for too long", maxSilence + time.Second, 3 * maxSilence, maxSilence},
		{"signs that are just close enough", maxSilence - time.Second, 3 * maxSilence, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			// A pipe, because its deadlines use the time of the bubble.
			synctest.Test(t, func(t *testing.T) {
				client, conn := net.Pipe()
				defer func() { _ = client.Close() }()
				go func() {
					defer func() { _ = conn.Close() }()
					s := &Server{timeout: clientTimeout, heartbeat: tc.signs}
					stop := s.beat(conn)
					err := pause(t.Context(), tc.takes)
					stop()
					if err == nil {
						_ = s.reply(conn, "ok", nil)
					}
				}()
				began := time.Now()
				line, err := readLine(&silenceReader{t.Context(), client, began.Add(maxWait)})
				took := time.Since(began)
				if tc.gaveUp > 0 && (!errors.Is(err, os.ErrDeadlineExceeded) || took != tc.gaveUp) {
					t.Errorf("%q, %v after %s, want none after %s", line, err, took, tc.gaveUp)
				}
				if tc.gaveUp == 0 && (err != nil || took != tc.takes) {
					t.Errorf("%q, %v after %s, want an answer after %s", line, err, took, tc.takes)
				}
			})
		})
	}
}
