package duck

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/duckdb/duckdb-go/v2/mapping"

	"datasync/internal/dbfile"
)

// Statement is a prepared statement.
type Statement struct {
	conn       *Conn
	prepared   mapping.PreparedStatement
	Kind       StatementKind
	Columns    []ColumnType
	Parameters []Parameter
}

// StatementKind says what a statement is.
type StatementKind int

// The kinds that make a difference.
const (
	Other   StatementKind = iota
	Select                // what gives rows: SELECT, FROM, VALUES, DESCRIBE, SHOW, a PRAGMA that reads, CALL, EXECUTE
	Explain               // EXPLAIN, whose second column is a drawing
)

// ColumnType describes a column of a result.
type ColumnType struct {
	Name string
	// Type is DuckDB's name of the type, such as "DECIMAL(9,2)" or "INTEGER[]".
	Type string
}

// Parameter is one that a statement has: $name.
type Parameter struct {
	Name string
	// Type is DuckDB's name of the type that the statement asks for; empty where it
	// takes any.
	Type string
}

// ErrSeveral says that a text is more than one statement to DuckDB, which one with PIVOT
// is, too.
var ErrSeveral = errors.New("more than one statement at once")

// Prepare prepares one statement. It fails with ErrSeveral, or with what DuckDB says, and for
// a PRAGMA that sets something, such as that DuckDB prints profiles. The caller closes it.
func (c *Conn) Prepare(text string) (*Statement, error) {
	if strings.ContainsRune(text, 0) {
		return nil, errors.New("the SQL has a NUL character in it")
	}
	st := &Statement{conn: c}
	if mapping.Prepare(c.conn, text, &st.prepared) == mapping.StateError {
		message := mapping.PrepareError(st.prepared)
		st.Close()
		if strings.Contains(message, "Cannot prepare multiple statements") {
			return nil, ErrSeveral
		}
		return nil, errors.New(explained(message))
	}
	switch mapping.PreparedStatementType(st.prepared) {
	case mapping.StatementTypePragma: // one that reads has become a SELECT by now
		st.Close()
		return nil, errors.New("a PRAGMA that sets something is refused; EXPLAIN ANALYZE shows how a statement runs")
	case mapping.StatementTypeSelect, mapping.StatementTypeCall, mapping.StatementTypeExecute:
		st.Kind = Select
	case mapping.StatementTypeExplain:
		st.Kind = Explain
	}
	for i := range mapping.PreparedStatementColumnCount(st.prepared) {
		st.Columns = append(st.Columns, ColumnType{
			Name: mapping.PreparedStatementColumnName(st.prepared, i),
			Type: takeTypeName(mapping.PreparedStatementColumnLogicalType(st.prepared, i)),
		})
	}
	for i := range mapping.NParams(st.prepared) {
		st.Parameters = append(st.Parameters, Parameter{
			Name: mapping.ParameterName(st.prepared, i+1),
			Type: takeTypeName(mapping.ParamLogicalType(st.prepared, i+1)),
		})
	}
	return st, nil
}

// Close frees the statement.
func (st *Statement) Close() { mapping.DestroyPrepare(&st.prepared) }

// Bind gives parameter n, counted from 0, a value as text.
func (st *Statement) Bind(n int, value string) error {
	return st.bind(n, sql.NullString{String: value, Valid: true})
}

func (st *Statement) bind(n int, value sql.NullString) error {
	number := mapping.IdxT(n + 1)
	state := mapping.BindNull(st.prepared, number)
	if value.Valid {
		state = mapping.BindVarcharLength(st.prepared, number, value.String, mapping.IdxT(len(value.String)))
	}
	if state == mapping.StateError {
		return fmt.Errorf("bind parameter $%s: %s", st.Parameters[n].Name, explained(mapping.PrepareError(st.prepared)))
	}
	return nil
}

// Run runs the statement. Its rows come while it is still running, so that a result of
// any size needs little memory. When ctx ends the statement does, too. The caller
// closes the result, and runs nothing else on the session before that.
func (st *Statement) Run(ctx context.Context) (*Result, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	r := &Result{ctx: ctx, conn: st.conn, stopWatching: st.conn.interruptWhen(ctx)}
	if err := stream(st.prepared, &r.result); err != nil {
		r.Close()
		return nil, r.failure(err.Error())
	}
	return r, nil
}

// Exec runs one statement with values for its parameters $1, $2 and so on, and returns how
// many rows it wrote. When ctx ends the statement does, too.
func (c *Conn) Exec(ctx context.Context, text string, values ...sql.NullString) (rows int64, err error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	run := func(result *mapping.Result) mapping.State { return mapping.Query(c.conn, text, result) }
	if len(values) > 0 {
		// Only this way takes values, and only the other one takes PIVOT.
		st, err := c.Prepare(text)
		if err != nil {
			return 0, err
		}
		defer st.Close()
		for i, value := range values {
			if err := st.bind(i, value); err != nil {
				return 0, err
			}
		}
		run = func(result *mapping.Result) mapping.State { return mapping.ExecutePrepared(st.prepared, result) }
	}
	defer c.interruptWhen(ctx)()
	var result mapping.Result
	defer mapping.DestroyResult(&result)
	if run(&result) == mapping.StateError {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		return 0, c.Failure(mapping.ResultError(&result))
	}
	return int64(mapping.RowsChanged(&result)), nil
}

// Progress returns how far the statement is that runs, in percent, or -1 where DuckDB
// does not know. It may be called while Exec or Run is under way.
func (c *Conn) Progress() float64 {
	progress := mapping.QueryProgress(c.conn)
	percent, _, _ := mapping.QueryProgressTypeMembers(&progress)
	return percent
}

// interruptPause is how often a statement is interrupted until it ends: the first
// interrupt may come before it has begun.
const interruptPause = 20 * time.Millisecond

// interruptWhen interrupts what the session runs when ctx ends, until stop is called.
func (c *Conn) interruptWhen(ctx context.Context) (stop func()) {
	if ctx.Done() == nil {
		return func() {}
	}
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		select {
		case <-done:
			return
		case <-ctx.Done():
		}
		tick := time.NewTicker(interruptPause)
		defer tick.Stop()
		for {
			mapping.Interrupt(c.conn)
			select {
			case <-done:
				return
			case <-tick.C:
			}
		}
	}()
	return func() { close(done); <-ended }
}

// damage is how DuckDB says that what it reads of its file is not what it wrote; wrong SQL
// has other words at the beginning.
var damage = regexp.MustCompile(`^(IO|Serialization) Error: .*(Corrupt|checksum|enough bytes|deserialize)`)

// Failure is DuckDB's text as an error, an *Error where the file is damaged.
func (c *Conn) Failure(text string) error {
	err := errors.New(explained(text))
	switch {
	case damage.MatchString(err.Error()):
		return dbfile.Translate(c.Path, err)
	case dbfile.IsOutOfMemory(text) && !strings.Contains(text, "failed to offload data block"):
		return fmt.Errorf("%w: %s", dbfile.ErrMemory, dbfile.OneLine(text)) // below it are settings, which are locked here
	}
	return err
}

// explained is DuckDB's message on one line, with its hints, but without the drawing of
// where in the SQL it is and without long lists.
func explained(message string) string {
	for _, rest := range []string{"\n\nLINE ", "\n\tCandidate functions", "\n\tCandidate macros"} {
		message, _, _ = strings.Cut(message, rest)
	}
	return strings.Join(strings.Fields(strings.ReplaceAll(message, "\n", " ")), " ")
}
