package inspect

import (
	"context"
	"strings"

	"datasync/internal/duck"
)

// Column is a column of a table or view.
type Column struct{ Table, Name, Type string }

// Columns returns the columns of the tables and views of the file and of the session's temporary
// ones, table by table, each in its order.
func (s *Session) Columns(ctx context.Context) ([]Column, error) {
	var columns []Column
	err := s.Rows(ctx, `SELECT table_name, column_name, data_type FROM duckdb_columns()
		WHERE NOT internal AND schema_name = 'main' ORDER BY table_name, column_index`, nil, func(r *duck.Result, row int) {
		var texts [3]string
		for i := range texts {
			text, _ := r.Text(i, row)
			texts[i] = strings.Clone(text)
		}
		columns = append(columns, Column{texts[0], texts[1], texts[2]})
	})
	return columns, err
}

// maxNames is the number of columns that OpenNames accepts: another program can write any number.
const maxNames = 10_000

// OpenNames returns an in-memory session with an empty table for each table of columns. It binds
// statements as the file would, and keeps no file open. The caller closes it.
func OpenNames(ctx context.Context, columns []Column) (*Session, error) {
	conn, err := duck.ConnectMemory(append(duck.Sandbox(), duck.Setting{Name: "threads", Value: "1"}))
	if err != nil {
		return nil, err
	}
	s := &Session{Conn: conn}
	for columns = columns[:min(len(columns), maxNames)]; len(columns) > 0; {
		table, n := columns[0].Table, 0
		for n < len(columns) && columns[n].Table == table {
			n++
		}
		s.createNames(ctx, table, columns[:n])
		columns = columns[n:]
	}
	return s, nil
}

// createNames creates a table with these columns, as far as DuckDB allows. A type that this
// instance does not know becomes VARCHAR.
func (s *Session) createNames(ctx context.Context, table string, columns []Column) {
	create := func(typeOf func(Column) string) error {
		parts := make([]string, len(columns))
		for i, c := range columns {
			parts[i] = identifier(c.Name) + " " + typeOf(c)
		}
		_, err := s.Exec(ctx, "CREATE TABLE "+identifier(table)+" ("+strings.Join(parts, ", ")+")")
		return err
	}
	if create(func(c Column) string { return c.Type }) != nil {
		_ = create(func(Column) string { return "VARCHAR" })
	}
}

func identifier(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }
