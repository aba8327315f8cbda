package duck

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"datasync/internal/dbfile"
)

// SQLError is DuckDB's refusal of a statement, or its failure.
type SQLError struct {
	// Text is DuckDB's message on one line.
	Text string
	// Position is the byte offset of the error in the statement, or -1. Only a connection with the
	// setting errors_as_json has it. It may refer to a text within the statement.
	Position int
}

// Error returns the message.
func (e *SQLError) Error() string { return e.Text }

// newSQLError returns DuckDB's message as an error of the statement, which is "" if it is not known.
func newSQLError(message, statement string) *SQLError {
	message, position := decoded(message)
	if strings.HasPrefix(message, parserError) {
		position = byteOf(statement, position)
	}
	return &SQLError{explained(message), position}
}

// parserError begins the messages of DuckDB's parser.
const parserError = "Parser Error: "

// decoded returns the message and the position of an error of a connection with errors_as_json, and
// any other message unchanged. The position is -1 if there is none. The parser counts it in
// characters, other parts of DuckDB in bytes.
func decoded(message string) (text string, position int) {
	kind, object, _ := strings.Cut(message, "{")
	var e struct {
		Type     string `json:"exception_type"`
		Message  string `json:"exception_message"`
		Position string `json:"position"`
	}
	if json.Unmarshal([]byte("{"+object), &e) != nil || e.Type == "" || kind != "" && !strings.HasSuffix(kind, " Error: ") {
		return message, -1
	}
	if kind == "" {
		kind = e.Type + " Error: "
	}
	position, err := strconv.Atoi(e.Position)
	if err != nil {
		position = -1
	}
	return kind + e.Message, position
}

// byteOf returns the byte offset of a character in the text, len(text) for the one after the last, and
// -1 for others.
func byteOf(text string, character int) int {
	for at := range text {
		if character == 0 {
			return at
		}
		character--
	}
	if character == 0 {
		return len(text)
	}
	return -1
}

// damage matches DuckDB's errors about a damaged file. Errors about wrong SQL begin otherwise,
// even if they quote these words.
var damage = regexp.MustCompile(`^(IO|Serialization) Error: .*(Corrupt|checksum|enough bytes|deserialize)`)

// closedFiles matches DuckDB's errors about files, which the session's settings forbid to reach.
var closedFiles = regexp.MustCompile(`^Permission Error: (File system LocalFileSystem|Cannot access file) .*disabled by configuration$`)

// Failure turns DuckDB's text into an error on one line: a *model.FileError if the file is
// damaged, dbfile.ErrMemory if memory ran out, else an *SQLError.
func (c *Conn) Failure(text string) error {
	err := newSQLError(text, "")
	text, _ = decoded(text)
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
