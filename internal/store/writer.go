package store

import (
	"context"
	"fmt"
	"slices"

	"datasync/internal/duck"
	"datasync/internal/failpoint"
	"datasync/internal/model"
)

// writer is a connection that commits batches, with its temporary tables and table functions. It is not
// safe for concurrent use.
type writer struct {
	conn    *duck.Conn
	number  int64
	sources map[string]*duck.TableFunc // by table
	// events and pages are buffers that commits reuse.
	events []*model.Event
	pages  []int
	// around, if not nil, is called with every operation, which it runs or makes fail. Only tests set
	// it.
	around func(do func() error) error
}

// newWriter connects to the instance that this process has open at path. The caller closes the writer
// before the instance and calls forget after that, even if there is an error beside the writer.
func newWriter(path string, number int) (w *writer, err error) {
	conn, err := duck.Connect(path, duck.Sandbox())
	if err != nil {
		return nil, err
	}
	w = &writer{conn: conn, number: int64(number), sources: map[string]*duck.TableFunc{}}
	for _, table := range []string{
		`incoming AS SELECT 0::BIGINT AS n, * EXCLUDE (batch) FROM main.events LIMIT 0`,
		`incoming_rejects AS SELECT 0::BIGINT AS n, raw, reason, reject_key, id, "timestamp", endpoint FROM main.rejected_events LIMIT 0`,
		`candidates (id UUID)`,
	} {
		if _, err := w.exec("CREATE TEMP TABLE " + table); err != nil {
			return w, err
		}
	}
	for _, table := range []string{"events", "incoming", "incoming_rejects", "page_log", "candidates", "batches", "waits", "refusals"} {
		src, err := duck.NewTableFunc(w.conn, fmt.Sprint("rows_for_", table, number), table)
		if err != nil {
			return w, err
		}
		w.sources[table] = src
	}
	return w, nil
}

func (w *writer) forget() {
	for _, src := range w.sources {
		src.Forget()
	}
}

func (w *writer) do(operation func() error) error {
	if w.around != nil {
		return w.around(operation)
	}
	return operation()
}

// exec runs one statement without parameters and returns how many rows it changed.
func (w *writer) exec(query string) (changed int64, err error) {
	err = w.do(func() (err error) {
		changed, err = w.conn.Run(query)
		return err
	})
	return changed, err
}

// execArgs runs one statement with values for $1, $2 and so on: int64, model.Instant, string, bool,
// uuid.UUID or nil. It returns how many rows it changed.
func (w *writer) execArgs(query string, args ...any) (changed int64, err error) {
	args = slices.Clone(args)
	for i, arg := range args {
		if at, ok := arg.(model.Instant); ok {
			args[i] = duck.Timestamp(at)
		}
	}
	err = w.do(func() (err error) {
		changed, err = w.conn.RunArgs(query, args)
		return err
	})
	return changed, err
}

// count runs a query of one BIGINT.
func (w *writer) count(query string) (n int64, err error) {
	err = w.pairs("SELECT ("+query+"), true", func(v int64, _ bool) { n = v })
	return n, err
}

// pairs runs a query of a BIGINT and a BOOLEAN column and calls yield with each row.
func (w *writer) pairs(query string, yield func(n int64, flag bool)) error {
	return w.do(func() error { return w.conn.Pairs(query, yield) })
}

// close closes the connection; forget follows when the instance is closed.
func (w *writer) close() { w.conn.Close() }

// readIDs runs a query of one column of ids without NULLs and calls yield with them while the query
// runs. It ends when ctx does.
func (w *writer) readIDs(ctx context.Context, query string, yield func(ids []halves) error) error {
	return w.do(func() error { return w.conn.StreamUUIDs(ctx, query, yield) })
}

// insertFew adds a few rows to a table, as duck.TableFunc.Insert does. It is one step less for tests that end the
// program within a batch.
func (w *writer) insertFew(table string, rows int, fill func(columns []duck.Column, row, n int)) error {
	if rows == 0 {
		return nil
	}
	return w.do(func() error { return w.sources[table].Insert(rows, fill, nil) })
}

// insert adds rows to a table, as duck.TableFunc.Insert does.
func (w *writer) insert(table string, rows int, fill func(columns []duck.Column, row, n int), copied func(rows int)) error {
	if rows == 0 {
		return w.sources[table].Insert(0, fill, copied)
	}
	return w.do(func() error {
		err := w.sources[table].Insert(rows, func(columns []duck.Column, row, n int) {
			if n == rows/2 {
				failpoint.Hit("f6")
			}
			fill(columns, row, n)
		}, copied)
		if err == nil {
			failpoint.Hit("f7")
		}
		return err
	})
}
