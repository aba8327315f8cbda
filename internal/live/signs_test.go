package live

import (
	"errors"
	"net"
	"os"
	"testing"
	"testing/synctest"
	"time"
)

// TestSignsOfLife: an answer that takes longer than a client bears silence is waited for as
// long as the pull shows that it lives, but not for ever.
func TestSignsOfLife(t *testing.T) {
	for _, tc := range []struct {
		name         string
		signs, takes time.Duration
		gaveUp       time.Duration // after so long; 0 where the answer comes
	}{
		{"an answer at once", lifeSigns, 0, 0},
		{"a slow answer", lifeSigns, 3 * longestSilence, 0},
		{"a very slow answer", lifeSigns, longestWait - time.Second, 0},
		{"an answer that comes too late", lifeSigns, longestWait + time.Second, longestWait},
		{"no sign for too long", longestSilence + time.Second, 3 * longestSilence, longestSilence},
		{"signs that are just close enough", longestSilence - time.Second, 3 * longestSilence, 0},
	} {
		t.Run(tc.name, func(t *testing.T) {
			// Over a pipe, whose deadlines go by the time of the bubble.
			synctest.Test(t, func(t *testing.T) {
				client, conn := net.Pipe()
				defer func() { _ = client.Close() }()
				go func() {
					defer func() { _ = conn.Close() }()
					s := &Server{patience: patience, signs: tc.signs}
					silence := s.giveSigns(conn)
					err := pause(t.Context(), tc.takes)
					silence()
					if err == nil {
						_ = s.reply(conn, "ok", nil)
					}
				}()
				began := time.Now()
				line, err := readLine(&patientReader{t.Context(), client, began.Add(longestWait)})
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
