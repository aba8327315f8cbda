package query

import (
	"context"
	"fmt"
	"io"
	"time"

	"datasync/internal/duck"
	"datasync/internal/inspect"
	"datasync/internal/model"
)

// ErrEmpty says that there is no SQL.
var ErrEmpty = model.NewFailure(model.ExitUsage, "", "the SQL is empty")

// ErrResults says that a second result would make a file of JSON invalid.
var ErrResults = model.NewFailure(model.ExitUsage, "", "a JSON file takes one result, and this is another one; give one statement, or name the file .jsonl")

// Run runs the statements on the session, one after another until one fails, and writes their
// results to w. It fails with ErrEmpty, ErrParams, ErrResults, an error of w, or DuckDB's error, which is a
// *StatementError if it has a position in the SQL.
func Run(ctx context.Context, session *inspect.Session, opts Options, w io.Writer) error {
	statements, _ := split(opts.SQL)
	if len(statements) == 0 {
		return ErrEmpty
	}
	if opts.Location == nil {
		opts.Location = time.UTC
	}
	if err := checkParams(statements, opts.Params); err != nil {
		return err
	}
	for _, s := range statements {
		if err := run(ctx, session, s, opts, w); err != nil {
			return err
		}
	}
	remark, err := remarkOn(ctx, session, opts)
	if err == nil && remark != "" && opts.Remark != nil {
		opts.Remark(remark)
	}
	return err
}

// run runs one statement.
func run(ctx context.Context, session *inspect.Session, s statement, opts Options, w io.Writer) error {
	began := time.Now()
	p, err := prepare(ctx, session, s.text, opts)
	if err != nil {
		return s.located(refusal(s.text, err, &opts), p.text.origin)
	}
	defer p.Close()
	err = p.write(ctx, opts, w, began)
	return s.located(refusal(s.text, err, &opts), p.text.origin)
}

// write runs the statement and writes its result.
func (p *prepared) write(ctx context.Context, opts Options, w io.Writer, began time.Time) error {
	if p.Kind != duck.Other && opts.Results != nil {
		if *opts.Results > 0 && opts.Format == JSON {
			return ErrResults
		}
		*opts.Results++
	}
	result, err := p.Run(ctx)
	if err != nil {
		return err
	}
	defer result.Close()
	if p.Kind == duck.Other {
		_, _, err = copyRows(result, p, discard{}, &opts)
		return err
	}
	out, err := newSink(w, p.columns, p.Kind, &opts)
	if err != nil {
		return err
	}
	rows, written, err := copyRows(result, p, out, &opts)
	if err == nil {
		err = out.end()
	}
	if err == nil && opts.Done != nil {
		opts.Done(rows, written, time.Since(began))
	}
	return err
}

// copyRows hands the rows of a result to a sink, up to the maximum of the options. It returns
// how many rows there are and how many are written. If it stops at the maximum, it counts one more
// row for all that are left.
func copyRows(result *duck.Result, p *prepared, out sink, opts *Options) (rows, written int64, err error) {
	most := int64(opts.MaxRows)
	if opts.MaxRows <= 0 || opts.Format == Table {
		most = -1
	}
	reader := rowReader{result: result, columns: p.columns, asText: p.asText, zone: opts.Location, cells: make([]cell, len(p.columns))}
	for {
		n, err := result.Next()
		if err != nil || n == 0 {
			if e, ok := out.(excerpt); ok {
				return rows, e.shown(), err
			}
			return rows, rows, err
		}
		for row := range n {
			if rows == most {
				return rows + 1, rows, nil
			}
			rows++
			cells, err := reader.read(row)
			if err != nil {
				return rows, 0, err
			}
			if err := out.row(cells); err != nil {
				return rows, 0, err
			}
		}
	}
}

// rowReader reads the rows of a result as text.
type rowReader struct {
	result  *duck.Result
	columns []column
	asText  bool // as of prepared
	zone    *time.Location
	cells   []cell
	buffer  []byte // holds the texts of a row's times
}

// read returns the cells of a row of the current chunk. They are valid until the next call.
func (r *rowReader) read(row int) (_ []cell, err error) {
	r.buffer = r.buffer[:0]
	for i := range r.columns {
		if r.cells[i], err = r.cell(i, row); err != nil {
			return nil, err
		}
	}
	return r.cells, nil
}

func (r *rowReader) cell(i, row int) (cell, error) {
	if r.columns[i].kind == kindTime {
		v, ok := r.result.Int64(i, row)
		if !ok {
			return cell{}, nil
		}
		from := len(r.buffer)
		r.buffer = r.columns[i].appendTime(r.buffer, v, r.zone)
		return cell{string(r.buffer[from:]), true}, nil
	}
	if r.asText {
		text, ok := r.result.Text(i, row)
		return cell{text, ok}, nil
	}
	text, ok, err := r.result.Plain(i, row)
	return cell{text, ok}, err
}

// newSink returns the sink of a format. A plan of EXPLAIN is no table: it is a drawing.
func newSink(w io.Writer, columns []column, k duck.StatementKind, opts *Options) (sink, error) {
	switch opts.Format {
	case CSV:
		return newDelimitedSink(w, columns, ',', opts)
	case TSV:
		return newDelimitedSink(w, columns, '\t', opts)
	case JSON:
		return newJSONSink(w, columns), nil
	case JSONLines:
		return newJSONLinesSink(w, columns), nil
	case Markdown:
		return newMarkdownSink(w, columns), nil
	case Line:
		return newLineSink(w, columns, opts), nil
	case HTML:
		return newHTMLSink(w, columns), nil
	case Box:
		return &boxSink{w: w, columns: columns, opts: opts}, nil
	case Table:
		if k == duck.Explain {
			return &planSink{w}, nil
		}
		return newTableSink(w, columns, opts), nil
	}
	return nil, fmt.Errorf("format %q is none of %s", opts.Format, Formats())
}
