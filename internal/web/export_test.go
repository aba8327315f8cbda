package web

import (
	"testing"
	"time"
)

// MaxClients is maxClients.
const MaxClients = maxClients

// SetStatementTime sets the limit of a statement until the test ends.
func SetStatementTime(t *testing.T, d time.Duration) {
	before := statementTime
	statementTime = d
	t.Cleanup(func() { statementTime = before })
}
