package query

import (
	"context"
	"fmt"
	"io"
	"time"

	"datasync/internal/model"
	"datasync/internal/store"
)

// ErrEmpty says that there is no SQL.
var ErrEmpty = model.NewFailure(model.ExitUsage, "", "the SQL is empty")

// Run runs the statements on the session, one after the other until one fails, and writes their
// results to w. It fails with ErrEmpty, ErrParams, an error of w or an error of DuckDB.
func Run(ctx context.Context, session *store.Session, opts Options, w io.Writer) error {
	statements, _ := Split(opts.SQL)
	if len(statements) == 0 {
		return ErrEmpty
	}
	if opts.Location == nil {
		opts.Location = time.UTC
	}
	if err := checkParams(statements, opts.Params); err != nil {
		return err
	}
	for _, text := range statements {
		if err := run(ctx, session, text, opts, w); err != nil {
			return err
		}
	}
	return nil
}

// run runs one statement.
func run(ctx context.Context, session *store.Session, text string, opts Options, w io.Writer) error {
	began := time.Now()
	st, columns, cast, err := prepare(ctx, session, text, opts)
	if err != nil {
		return err
	}
	defer st.Close()
	result, err := st.Run(ctx)
	if err != nil {
		return err
	}
	defer result.Close()
	var out sink = nothing{}
	if st.Kind != store.Other {
		if out, err = newSink(w, columns, st.Kind, &opts); err != nil {
			return err
		}
	}
	rows, written, err := copyRows(result, columns, cast, out, &opts)
	if err == nil {
		err = out.end()
	}
	if err == nil && opts.Done != nil && st.Kind != store.Other {
		opts.Done(rows, written, time.Since(began))
	}
	return err
}

// copyRows passes the rows of the result to the sink, up to opts.MaxRows. It returns how many rows
// there are, as far as it has read, and how many were written.
func copyRows(result *store.Result, columns []column, cast bool, out sink, opts *Options) (rows, written int64, err error) {
	most := int64(opts.MaxRows)
	if opts.MaxRows <= 0 || opts.Format == Table {
		most = -1
	}
	cells := make([]cell, len(columns))
	var instants []byte // the formatted times of a row
	for {
		n, err := result.Next()
		if err != nil || n == 0 {
			if table, ok := out.(*tableSink); ok {
				return rows, table.shown(), err
			}
			return rows, rows, err
		}
		for row := range n {
			if rows == most {
				return rows + 1, rows, nil // at least one more
			}
			rows++
			instants = instants[:0]
			for i := range columns {
				if cells[i], instants, err = read(result, &columns[i], i, row, cast, instants, opts.Location); err != nil {
					return rows, 0, err
				}
			}
			if err := out.row(cells); err != nil {
				return rows, 0, err
			}
		}
	}
}

// read reads one value. It appends to b the text that it formats, and returns b.
func read(result *store.Result, c *column, i, row int, cast bool, b []byte, zone *time.Location) (cell, []byte, error) {
	switch {
	case c.kind == kindTime:
		v, ok := result.Int64(i, row)
		if !ok {
			return cell{}, b, nil
		}
		from := len(b)
		b = c.appendTime(b, v, zone)
		return cell{string(b[from:]), true}, b, nil
	case cast:
		text, ok := result.Text(i, row)
		return cell{text, ok}, b, nil
	}
	text, ok, err := result.Plain(i, row)
	return cell{text, ok}, b, err
}

// nothing is the sink of statements without a result.
type nothing struct{}

func (nothing) row([]cell) error { return nil }
func (nothing) end() error       { return nil }

func newSink(w io.Writer, columns []column, k store.StatementKind, opts *Options) (sink, error) {
	switch opts.Format {
	case CSV:
		return newDelimitedSink(w, columns, ',', opts)
	case TSV:
		return newDelimitedSink(w, columns, '\t', opts)
	case JSON, JSONLines:
		return newJSONSink(w, columns, opts.Format), nil
	case Markdown:
		return newMarkdownSink(w, columns), nil
	case Line:
		return newLineSink(w, columns), nil
	case HTML:
		return newHTMLSink(w, columns), nil
	case Box:
		return &boxSink{w: w, columns: columns}, nil
	case Table:
		if k == store.Explain {
			return &planSink{w}, nil
		}
		return newTableSink(w, columns, opts), nil
	}
	return nil, fmt.Errorf("format %q is none of %s", opts.Format, Formats())
}
