package duck

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	"github.com/duckdb/duckdb-go/v2/mapping"
)

// Statement is a prepared statement.
type Statement struct {
	conn     *Conn
	prepared mapping.PreparedStatement

	Kind       StatementKind
	Columns    []ColumnType
	Parameters []Parameter
}

// StatementKind is the kind of a statement, as far as its result differs.
type StatementKind int

// The kinds of statements.
const (
	Other   StatementKind = iota
	Select                // returns rows: SELECT, FROM, VALUES, DESCRIBE, SHOW, a PRAGMA that reads, CALL, EXECUTE
	Explain               // EXPLAIN, whose second column is a drawing
)

// ColumnType describes a column of a result.
type ColumnType struct {
	Name string
	// Type is DuckDB's name for the type, such as "DECIMAL(9,2)" or "INTEGER[]".
	Type string
}

// Parameter is a parameter $name of a statement.
type Parameter struct {
	Name string
	// Type is DuckDB's name for the type of the parameter, "" if it takes any.
	Type string
}

// ErrSeveral means that DuckDB reads a text as more than one statement. It also does so for a
// single one with PIVOT.
var ErrSeveral = errors.New("more than one statement at once")

// Prepare prepares one statement. It fails with ErrSeveral or an *SQLError. It refuses a
// PRAGMA that changes a setting, as one of those makes DuckDB print profiles. The caller closes
// the statement.
func (c *Conn) Prepare(text string) (*Statement, error) {
	if strings.ContainsRune(text, 0) {
		return nil, errors.New("the SQL contains a NUL character; remove it")
	}
	st := &Statement{conn: c}
	if mapping.Prepare(c.conn, text, &st.prepared) == mapping.StateError {
		message := mapping.PrepareError(st.prepared)
		st.Close()
		if strings.Contains(message, "Cannot prepare multiple statements") {
			return nil, ErrSeveral
		}
		return nil, newSQLError(message, text)
	}
	switch mapping.PreparedStatementType(st.prepared) {
	case mapping.StatementTypePragma: // DuckDB has turned one that reads into a SELECT
		st.Close()
		return nil, errors.New("a PRAGMA that changes a setting is refused, settings are fixed; to see how a statement runs, use EXPLAIN ANALYZE")
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

// Bind sets parameter n, counted from 0, to a text, which DuckDB casts.
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

// Run runs the statement. The caller reads its rows while it is still running, so a result of
// any size needs little memory. The statement ends when ctx does. The caller closes the result
// before it runs anything else on the connection.
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

// Rows runs one statement with texts for its parameters, by name. It calls each with every row of the
// result, a number within the chunk. The texts that each reads are valid until it returns. It fails
// if the statement has a parameter without a value. The statement ends when ctx does.
func (c *Conn) Rows(ctx context.Context, text string, params map[string]string, each func(r *Result, row int)) error {
	st, err := c.Prepare(text)
	if err != nil {
		return err
	}
	defer st.Close()
	for n, p := range st.Parameters {
		value, ok := params[p.Name]
		if !ok {
			return fmt.Errorf("parameter $%s has no value", p.Name)
		}
		if err := st.Bind(n, value); err != nil {
			return err
		}
	}
	r, err := st.Run(ctx)
	if err != nil {
		return err
	}
	defer r.Close()
	for {
		rows, err := r.Next()
		if err != nil || rows == 0 {
			return err
		}
		for row := range rows {
			each(r, row)
		}
	}
}
