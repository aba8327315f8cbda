package live

import (
	"time"
)


// BePatientFor sets how long a client may take.
func BePatientFor(s *Server, d time.Duration) { s.patience = d }

// GiveSignsEvery sets how far signs of life are apart.
func GiveSignsEvery(s *Server, d time.Duration) { s.signs = d }

// Wait sets for how long clients bear silence, and wait in all, until undo is called.
func Wait(silence, all time.Duration) (undo func()) {
	silenceBefore, allBefore := longestSilence, longestWait
	longestSilence, longestWait = silence, all
	return func() { longestSilence, longestWait = silenceBefore, allBefore }
}
