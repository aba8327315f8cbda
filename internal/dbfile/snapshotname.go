package dbfile

import (
	"crypto/rand"
	"encoding/hex"
	"regexp"
	"strings"
)

// SnapshotMark stands between the database's name and the random end of a snapshot's.
const SnapshotMark = ".snapshot-"

var snapshotEnd = regexp.MustCompile(`^[0-9a-f]{16}$`)

// IsSnapshot reports whether path is what a snapshot of the database at that absolute
// path can be called.
func IsSnapshot(database, path string) bool {
	end, ok := strings.CutPrefix(path, database+SnapshotMark)
	return ok && snapshotEnd.MatchString(end)
}

func RandomEnd() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // which does not fail
	return hex.EncodeToString(b[:])
}
