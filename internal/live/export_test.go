package live

import "time"

// SetClientTimeout sets how long a client may take.
func SetClientTimeout(s *Server, d time.Duration) { s.timeout = d }

// SetHeartbeat sets how far signs of life are apart.
func SetHeartbeat(s *Server, d time.Duration) { s.heartbeat = d }

// SetLimits sets for how long clients bear silence, and wait in all, until undo is called.
func SetLimits(silence, all time.Duration) (undo func()) {
	silenceBefore, allBefore := maxSilence, maxWait
	maxSilence, maxWait = silence, all
	return func() { maxSilence, maxWait = silenceBefore, allBefore }
}
