package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/duckdb/duckdb-go/v2/mapping"
)

// Session is a database file that is open for reading and for nothing else, and one
// connection to it, on which temporary tables live as long as it does. It is not safe
// for concurrent use, but for Progress.
type Session struct {
	path string
	db   *sql.DB // nil in one that Another returned
	conn connection
}

// OpenSession is OpenReadOnly for results of any size and type, and for statements that
// write what the options allow. The caller closes the session.
func OpenSession(ctx context.Context, name string, opts ReadOptions) (*Session, error) {
	s := &Session{}
	path, db, err := openToRead(ctx, name, opts, func(path string) (err error) {
		if s.conn, err = connect(path, openToBeClosed()); err != nil {
			return err
		}
		return s.knowProgress(ctx)
	})
	if err != nil {
		if s.conn.conn.Ptr != nil {
			s.conn.close()
		}
		return nil, err
	}
	s.path, s.db = path, db
	return s, nil
}

// knowProgress has DuckDB count how far statements are, and print nothing of it.
func (s *Session) knowProgress(ctx context.Context) error {
	for _, setting := range []string{"enable_progress_bar_print = false", "enable_progress_bar = true", "progress_bar_time = 0"} {
		if _, err := s.Exec(ctx, "SET "+setting); err != nil {
			return err
		}
	}
	return nil
}

// Another returns another connection to the file, for a goroutine of its own, which shares
// no temporary tables with the first. The caller closes it before the first.
func (s *Session) Another() (*Session, error) {
	conn, err := connect(s.path, openToBeClosed())
	return &Session{path: s.path, conn: conn}, err
}

// Close closes the connection, and the file if it is the first one.
func (s *Session) Close() error {
	s.conn.close()
	if s.db == nil {
		return nil
	}
	return s.db.Close()
}

// DB is the file for database/sql, on connections of their own.
func (s *Session) DB() *sql.DB { return s.db }

// QueryRow reads the one row of a query, on a connection of its own.
func (s *Session) QueryRow(ctx context.Context, query string, args []any, into ...any) error {
	err := s.db.QueryRowContext(ctx, query, args...).Scan(into...)
	if err == nil || errors.Is(err, sql.ErrNoRows) || ctx.Err() != nil {
		return err
	}
	return s.failure(err.Error())
}

// Exec runs one statement with values for its parameters $1, $2 and so on, and returns how
// many rows it wrote. When ctx ends the statement does, too.
func (s *Session) Exec(ctx context.Context, text string, values ...sql.NullString) (rows int64, err error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	run := func(result *mapping.Result) mapping.State { return mapping.Query(s.conn.conn, text, result) }
	if len(values) > 0 {
		// Only this way takes values, and only the other one takes PIVOT.
		st, err := s.Prepare(text)
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
	defer s.interruptWhen(ctx)()
	var result mapping.Result
	defer mapping.DestroyResult(&result)
	if run(&result) == mapping.StateError {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		return 0, s.failure(mapping.ResultError(&result))
	}
	return int64(mapping.RowsChanged(&result)), nil
}

// Progress returns how far the statement is that runs, in percent, or -1 where DuckDB
// does not know. It may be called while Exec or Run is under way.
func (s *Session) Progress() float64 {
	progress := mapping.QueryProgress(s.conn.conn)
	percent, _, _ := mapping.QueryProgressTypeMembers(&progress)
	return percent
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

// Statement is a prepared statement.
type Statement struct {
	session    *Session
	prepared   mapping.PreparedStatement
	Kind       StatementKind
	Columns    []ColumnType
	Parameters []Parameter
}

// ErrSeveral says that a text is more than one statement to DuckDB, which one with PIVOT
// is, too.
var ErrSeveral = errors.New("more than one statement at once")

// Prepare prepares one statement. It fails with ErrSeveral, or with what DuckDB says, and for
// a PRAGMA that sets something, such as that DuckDB prints profiles. The caller closes it.
func (s *Session) Prepare(text string) (*Statement, error) {
	if strings.ContainsRune(text, 0) {
		return nil, errors.New("the SQL has a NUL character in it")
	}
	st := &Statement{session: s}
	if mapping.Prepare(s.conn.conn, text, &st.prepared) == mapping.StateError {
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
	r := &Result{ctx: ctx, session: st.session, stopWatching: st.session.interruptWhen(ctx)}
	pending, err := pendingStream(st.prepared)
	if err == nil {
		if mapping.ExecutePending(pending, &r.result) == mapping.StateError {
			err = errors.New(mapping.ResultError(&r.result))
		}
	}
	mapping.DestroyPending(&pending)
	if err != nil {
		r.Close()
		return nil, r.failure(err.Error())
	}
	return r, nil
}

// interruptPause is how often a statement is interrupted until it ends: the first
// interrupt may come before it has begun.
const interruptPause = 20 * time.Millisecond

// interruptWhen interrupts what the session runs when ctx ends, until stop is called.
func (s *Session) interruptWhen(ctx context.Context) (stop func()) {
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
			mapping.Interrupt(s.conn.conn)
			select {
			case <-done:
				return
			case <-tick.C:
			}
		}
	}()
	return func() { close(done); <-ended }
}

// Result is the rows that a statement gives, a chunk at a time.
type Result struct {
	ctx          context.Context
	session      *Session
	stopWatching func()
	result       mapping.Result
	chunk        mapping.DataChunk
	columns      []readColumn
}

// Next goes on to the next chunk and returns how many rows it has, 0 after the last. What
// was read of the chunk before is invalid then.
func (r *Result) Next() (rows int, err error) {
	r.closeChunk()
	r.chunk = mapping.FetchChunk(r.result)
	if r.chunk.Ptr == nil {
		if text := mapping.ResultError(&r.result); text != "" {
			return 0, r.failure(text)
		}
		return 0, r.ctx.Err()
	}
	rows = int(mapping.DataChunkGetSize(r.chunk))
	r.columns = r.columns[:0]
	for i := range mapping.DataChunkGetColumnCount(r.chunk) {
		r.columns = append(r.columns, newReadColumn(mapping.DataChunkGetVector(r.chunk, i)))
	}
	return rows, nil
}

// Text returns a value of a VARCHAR column of the chunk, and false for NULL. The text is
// valid until the chunk is left.
func (r *Result) Text(column, row int) (string, bool) { return r.columns[column].text(row) }

// Int64 returns a value of a BIGINT or TIMESTAMP column of the chunk, and false for NULL.
func (r *Result) Int64(column, row int) (int64, bool) { return r.columns[column].int64(row) }

// Plain returns a value of any scalar type that the chunk's column can have as text, and
// false for NULL. It fails for types that only SQL can turn into text.
func (r *Result) Plain(column, row int) (text string, ok bool, err error) {
	return r.columns[column].plain(row)
}

// Close ends the statement, if it has not come to its end, and frees the result.
func (r *Result) Close() {
	r.closeChunk()
	r.stopWatching()
	mapping.DestroyResult(&r.result)
}

func (r *Result) closeChunk() {
	if r.chunk.Ptr != nil {
		mapping.DestroyDataChunk(&r.chunk)
	}
}

// failure is DuckDB's text as an error, or that of the context where it ended.
func (r *Result) failure(text string) error {
	if err := r.ctx.Err(); err != nil {
		return err
	}
	return r.session.failure(text)
}

// damage is how DuckDB says that what it reads of its file is not what it wrote; wrong SQL
// has other words at the beginning.
var damage = regexp.MustCompile(`^(IO|Serialization) Error: .*(Corrupt|checksum|enough bytes|deserialize)`)

// failure is DuckDB's text as an error, an *Error where the file is damaged.
func (s *Session) failure(text string) error {
	err := errors.New(explained(text))
	switch {
	case damage.MatchString(err.Error()):
		return translate(s.path, err)
	case isOutOfMemory(text) && !strings.Contains(text, "failed to offload data block"):
		return fmt.Errorf("%w: %s", ErrMemory, oneLine(text)) // below it are settings, which are locked here
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
