package web

import (
	"testing"
	"time"

	"datasync/internal/report"
)

// MaxClients is maxClients.
const MaxClients = maxClients

// SetStatementTime sets the limit of a statement until the test ends.
func SetStatementTime(t *testing.T, d time.Duration) {
	before := statementTime
	statementTime = d
	t.Cleanup(func() { statementTime = before })
}

// SetParts sets what the page takes for the parts of a report, until the test ends.
func SetParts(t *testing.T, of func(*report.Report) []report.Part) {
	before := parts
	parts = of
	t.Cleanup(func() { parts = before })
}

// SetFirstReading sets how long a pull runs before its first reading of figures, until the test ends.
func SetFirstReading(t *testing.T, d time.Duration) {
	before := firstReading
	firstReading = d
	t.Cleanup(func() { firstReading = before })
}

// FirstPause is firstPause.
func FirstPause(events int64) time.Duration { return firstPause(events) }

// Redraw is redraw.
func (s *Server) Redraw() { s.redraw() }

// BatchOf returns the batch of a section, 0 if it was never drawn.
func (s *Server) BatchOf(id string) int64 {
	s.view.mu.Lock()
	defer s.view.mu.Unlock()
	if d := s.view.sections[id]; d != nil {
		return d.batch
	}
	return 0
}
