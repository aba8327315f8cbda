package live

import (
	"time"
)

// SetClientTimeout sets how long a client may take to send or to read.
func SetClientTimeout(s *Server, d time.Duration) { s.timeout = d }

// SetHeartbeat sets the interval between signs of life.
func SetHeartbeat(s *Server, d time.Duration) { s.heartbeat = d }

// SetLimits sets how long clients wait for a sign of life, and for an answer, until undo is
// called.
func SetLimits(silence, all time.Duration) (undo func()) {
	silenceBefore, allBefore := maxSilence, maxWait
	maxSilence, maxWait = silence, all
	return func() { maxSilence, maxWait = silenceBefore, allBefore }
}
