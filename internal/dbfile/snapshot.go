package dbfile

import (
	"crypto/rand"
	"encoding/hex"
	"regexp"
	"strings"
)

// snapshotMark is between the database's name and the random end of a snapshot's name.
const snapshotMark = ".snapshot-"

var snapshotEnd = regexp.MustCompile(`^[0-9a-f]{16}$`)

// IsSnapshot reports whether path can be the name of a snapshot of the database at that absolute
// path.
func IsSnapshot(database, path string) bool {
	end, ok := strings.CutPrefix(path, database+snapshotMark)
	return ok && snapshotEnd.MatchString(end)
}

// NewSnapshot returns a new name for a snapshot of the database at that absolute path.
func NewSnapshot(database string) string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // which does not fail
	return database + snapshotMark + hex.EncodeToString(b[:])
}
