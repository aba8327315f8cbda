package query

import "time"

// Options says what to run and how to write the results.
type Options struct {
	// SQL is one or more statements.
	SQL string
	// Params are the values of the statements' parameters, $name, as text. They are bound and
	// never become a part of the SQL.
	Params map[string]string
	Format Format
	// Location is the time zone in which times are written; nil is UTC. It must be the zone of
	// the session.
	Location *time.Location
	// MaxRows is the number of rows that are written: in a Table the first and the last, in
	// other formats the first. 0 means 40 in a Table and all in others, less than 0 all.
	MaxRows int
	// Width is the largest width of a line of Table in characters; 0 is no limit.
	Width int
	// Terminal says that the output is a terminal. Then all formats escape characters that could
	// control it.
	Terminal bool
	// FormulaSafe makes CSV and TSV put ' before texts that a spreadsheet would run as formulas.
	FormulaSafe bool
	// Done is called after each statement with the rows of its result, the rows written, and the
	// time taken. It may be nil.
	Done func(rows, written int64, took time.Duration)
}
