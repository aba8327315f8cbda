package shell

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"datasync/internal/inspect"
	"datasync/internal/term"
	"datasync/query"

	"github.com/ergochat/readline"
)

// Options describe a shell.
type Options struct {
	IO term.IO
	// Database is the name of the file, for messages. Own are the files that belong to it: the shell
	// opens none of them itself, as DuckDB would lose its lock.
	Database string
	Own      []string
	// Open opens the file, with times in that zone. The shell closes it.
	Open func(ctx context.Context, timezone string) (*File, error)
	// Wanted reports whether another process waits for the file to be closed.
	Wanted func() bool
	// Query has the options of results, Timezone the name of their location. Timing shows the time of
	// each statement. Commands change all of them.
	Query    query.Options
	Timezone string
	Timing   bool
	// Greeting returns the first line.
	Greeting func(ctx context.Context, f *File) string
	// Run runs statements and writes their results to out, which it ends. It returns when ctx ends.
	Run func(ctx context.Context, session *inspect.Session, opts query.Options, timing bool, out term.Output) error
	// Page returns an output for the terminal.
	Page func() term.Output
	// Create creates a file for results; Replace may replace an existing one. The file gets its name
	// when it ends.
	Create, Replace func(name string) (term.Output, error)
	// Explain returns the line that tells a person of an error.
	Explain func(err error) string
}

// shell is a running shell.
type shell struct {
	Options
	line    *readline.Instance
	history *history
	file    file
	target  target
	// names has the names that completion offers while the file is closed.
	names *inspect.Session
	// pending is the beginning of a statement whose end is not typed yet.
	pending strings.Builder
	last    request
	// depth is the number of files that .read reads, each within the one before.
	depth int
	// failed says that the last line had an error.
	failed bool
	// stderr shows messages above the prompt.
	stderr io.Writer
	// interrupts receives Ctrl-C while statements run. At the prompt Ctrl-C is a key.
	interrupts chan os.Signal
}

// request is SQL to run.
type request struct {
	text string
	// bound is a named query with its parameters, nil for other SQL.
	bound *query.Bound
}

// print writes a line to stdout.
func (s *shell) print(text string) { _, _ = fmt.Fprintln(s.IO.Stdout, text) }

// say writes a message to stderr. The shell's messages have no prefix: no other program writes here.
func (s *shell) say(text string) {
	_, _ = fmt.Fprintln(s.stderr, term.Wrap(term.Visible(text), s.IO.ErrorWidth(), 2))
}

// complain is say for an error.
func (s *shell) complain(text string) {
	s.failed = true
	s.say(text)
}

// helpWidth is the widest line of a list of the shell's own.
const helpWidth = 80

// beside returns a text in a column beside another one.
func (s *shell) beside(left string, indent int, text string) string {
	width := helpWidth
	if columns := s.IO.Width(); columns > 0 {
		width = min(width, max(columns, indent+10))
	}
	wrapped := term.Wrap(text, width-indent, 0)
	return fmt.Sprintf("%-*s", indent, left) + strings.ReplaceAll(wrapped, "\n", "\n"+strings.Repeat(" ", indent))
}
