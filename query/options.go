package query

import "time"

// Options says what to run and how to write the results.
type Options struct {
	// SQL is one or more statements.
	SQL string
	// Params are the values of the statements' parameters, $name, as text. They are bound, not
	// put into the SQL.
	Params map[string]string
	Format Format
	// Location is the time zone in which times are written; nil is UTC. It must be the
	// session's.
	Location *time.Location
	// MaxRows is the number of rows of a result to write: half from the head and half from the
	// tail in a Table, the first ones in other formats. 0 means DefaultTableRows for a Table
	// and all rows for other formats; a negative number means all.
	MaxRows int
	// Width is the maximum width of a Table's line in characters; 0 is unlimited.
	Width int
	// Dim, if not nil, makes NULL in a Table, a Box or a Line dim. It must not change the width of
	// the text.
	Dim func(text string) string
	// Note, if not "", is shown below a Table or Box: it names what the values depend on.
	Note string
	// Terminal says that the output goes to a terminal: all formats escape control characters
	// then.
	Terminal bool
	// FormulaSafe makes CSV and TSV put ' before texts that a spreadsheet would take for
	// formulas.
	FormulaSafe bool
	// Results, if not nil, counts the results that are in the output, which may have only one of this
	// format. Run fails with ErrResults before another one.
	Results *int
	// Shell says that the user works in the shell: hints name its commands instead of options.
	Shell bool
	// Types are event types that the statements need. Since and Until, if not "", are the range of instants
	// that they read. Remark, if not nil, is called with a message to the user if that range has no
	// event, or no event has one of the types.
	Types        []string
	Since, Until string
	Remark       func(text string)
	// Done, if not nil, is called after each statement: with the number of rows in its result, the
	// number of written rows, and the duration.
	Done func(rows, written int64, took time.Duration)
}
