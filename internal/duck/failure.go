package duck

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"datasync/internal/dbfile"
)

// damage matches DuckDB's errors about a damaged file. Errors about wrong SQL begin otherwise,
// even if they quote these words.
var damage = regexp.MustCompile(`^(IO|Serialization) Error: .*(Corrupt|checksum|enough bytes|deserialize)`)

// closedFiles matches DuckDB's errors about files, which the session's settings forbid to reach.
var closedFiles = regexp.MustCompile(`^Permission Error: (File system LocalFileSystem|Cannot access file) .*disabled by configuration$`)

// Failure turns DuckDB's text into an error on one line: a *model.FileError if the file is
// damaged, dbfile.ErrMemory if memory ran out.
func (c *Conn) Failure(text string) error {
	err := errors.New(explained(text))
	switch {
	case damage.MatchString(err.Error()):
		return dbfile.Translate(c.path, err)
	case dbfile.IsOutOfMemory(text) && !strings.Contains(text, "failed to offload data block"):
		return fmt.Errorf("%w: %s", dbfile.ErrMemory, dbfile.OneLine(text)) // DuckDB's next lines advise settings, which are locked here
	}
	return err
}

// explained returns DuckDB's message and its hints on one line. It leaves out the excerpt of the
// SQL, which needs more lines, and long lists of candidates.
func explained(message string) string {
	for _, rest := range []string{"\n\nLINE ", "\n\tCandidate functions", "\n\tCandidate macros"} {
		message, _, _ = strings.Cut(message, rest)
	}
	line := strings.Join(strings.Fields(strings.ReplaceAll(message, "\n", " ")), " ")
	if closedFiles.MatchString(line) {
		line += "; a query can reach no file but the database"
	}
	return line
}
