package dbfile

import (
	"crypto/rand"
	"encoding/hex"
	"regexp"
	"strings"
)

// snapshotMark and rewriteMark are between the database's name and the random end of a copy's name.
const (
	snapshotMark = ".snapshot-"
	rewriteMark  = ".rewrite-"
)

var randomEnd = regexp.MustCompile(`^[0-9a-f]{16}$`)

// IsSnapshot reports whether path can be the name of a snapshot of the database at that absolute
// path.
func IsSnapshot(database, path string) bool { return isCopy(database, path, snapshotMark) }

// isRewrite reports whether path can be the name of a rewritten file that has not replaced the database.
func isRewrite(database, path string) bool { return isCopy(database, path, rewriteMark) }

func isCopy(database, path, mark string) bool {
	end, ok := strings.CutPrefix(path, database+mark)
	return ok && randomEnd.MatchString(end)
}

// NewSnapshot returns a new name for a snapshot of the database at that absolute path.
func NewSnapshot(database string) string { return newCopy(database, snapshotMark) }

// NewRewrite returns a new name for a file that is to replace the database at that absolute path. RemoveLeftovers
// removes it after a kill.
func NewRewrite(database string) string { return newCopy(database, rewriteMark) }

func newCopy(database, mark string) string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // which does not fail
	return database + mark + hex.EncodeToString(b[:])
}
