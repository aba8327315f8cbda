package query

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
)

// Format is how a result is written.
type Format string

// The formats.
const (
	Table Format = "table" // for people: head and tail of the rows
	CSV   Format = "csv"   // RFC 4180, NULL as an empty field
	JSON  Format = "json"  // one array of objects, columns in their order
)

// ParseFormat returns the format of that name.
func ParseFormat(name string) (Format, error) {
	switch f := Format(name); f {
	case Table, CSV, JSON:
		return f, nil
	}
	return "", fmt.Errorf("format %q is none of table, csv, json", name)
}

// Options says what to run and how to write it.
type Options struct {
	SQL    string
	Format Format
	// Location is the time zone in which times are written; nil is UTC. It must be
	// that of the database connection.
	Location *time.Location
}

// ErrEmpty says that there is no SQL.
var ErrEmpty = errors.New("the SQL is empty")

// Run runs the SQL on db and writes its result to w. Of several statements that of
// the last one is written.
func Run(ctx context.Context, db *sql.DB, opts Options, w io.Writer) (err error) {
	if strings.Trim(opts.SQL, " \t\r\n;") == "" {
		return ErrEmpty
	}
	if opts.Location == nil {
		opts.Location = time.UTC
	}
	// One connection, so that a temporary table lives as long as its statements.
	conn, err := db.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	rows, columns, err := open(ctx, conn, opts)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	return write(rows, columns, opts, w)
}

// open runs the SQL. What a single SELECT gives is turned into text by DuckDB
// itself, but for times, so that each of its types comes out as it writes it; the
// driver would decode JSON and lose digits and the order of keys.
func open(ctx context.Context, conn *sql.Conn, opts Options) (*sql.Rows, []column, error) {
	if wrapped, columns, ok := wrap(ctx, conn, opts); ok {
		if rows, err := conn.QueryContext(ctx, wrapped); err == nil {
			return rows, columns, nil
		}
		// The plain statement says in its own words what is wrong with it.
	}
	rows, err := conn.QueryContext(ctx, opts.SQL)
	if err != nil {
		return nil, nil, err
	}
	types, err := rows.ColumnTypes()
	if err != nil {
		return nil, nil, errors.Join(err, rows.Close())
	}
	columns := make([]column, len(types))
	for i, t := range types {
		columns[i] = newColumn(t.Name(), t.DatabaseTypeName())
	}
	return rows, columns, nil
}

// wrap puts the SQL, if it is one SELECT, into one that casts its columns.
func wrap(ctx context.Context, conn *sql.Conn, opts Options) (string, []column, bool) {
	var selects int
	err := conn.QueryRowContext(ctx, "SELECT coalesce(json_array_length(json_serialize_sql(?::VARCHAR), '$.statements'), 0)", opts.SQL).Scan(&selects)
	if err != nil || selects != 1 {
		return "", nil, false
	}
	text := strings.TrimRight(opts.SQL, " \t\r\n;")
	columns, err := describe(ctx, conn, text)
	if err != nil || len(columns) == 0 {
		return "", nil, false
	}
	names, casts := make([]string, len(columns)), make([]string, len(columns))
	for i, c := range columns {
		names[i] = fmt.Sprintf("c%d", i)
		switch {
		case c.kind == kindTime:
			casts[i] = names[i]
		case c.kind == kindNested && opts.Format == JSON:
			casts[i] = fmt.Sprintf("CAST(to_json(%s) AS VARCHAR)", names[i])
		default:
			casts[i] = fmt.Sprintf("CAST(%s AS VARCHAR)", names[i])
		}
	}
	return fmt.Sprintf("SELECT %s FROM (%s\n) AS result(%s)", strings.Join(casts, ", "), text, strings.Join(names, ", ")), columns, true
}

// describe returns the columns of a SELECT.
func describe(ctx context.Context, conn *sql.Conn, text string) (_ []column, err error) {
	rows, err := conn.QueryContext(ctx, "SELECT column_name, column_type FROM (DESCRIBE "+text+"\n)")
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	var columns []column
	for rows.Next() {
		var name, typeName string
		if err := rows.Scan(&name, &typeName); err != nil {
			return nil, err
		}
		columns = append(columns, newColumn(name, typeName))
	}
	return columns, rows.Err()
}

// sink takes a result row by row. A cell is nil or its text.
type sink interface {
	row(cells []*string) error
	end() error
}

func write(rows *sql.Rows, columns []column, opts Options, w io.Writer) error {
	var out sink
	var err error
	switch opts.Format {
	case CSV:
		out, err = newCSVSink(w, columns)
	case JSON:
		out, err = newJSONSink(w, columns)
	default:
		out = newTableSink(w, columns)
	}
	if err != nil {
		return err
	}
	values, targets := make([]any, len(columns)), make([]any, len(columns))
	for i := range values {
		targets[i] = &values[i]
	}
	cells := make([]*string, len(columns))
	for rows.Next() {
		if err := rows.Scan(targets...); err != nil {
			return err
		}
		for i, v := range values {
			cells[i] = columns[i].text(v, opts.Location)
		}
		if err := out.row(cells); err != nil {
			return err
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	return out.end()
}
