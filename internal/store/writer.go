package store

import (
	"errors"
	"fmt"

	"datasync/internal/failpoint"

	duckdb "github.com/duckdb/duckdb-go/v2"
	"github.com/duckdb/duckdb-go/v2/mapping"
	"github.com/google/uuid"
)

// connection is one to an instance that database/sql has open, by the driver's public
// mapping of DuckDB's C API: database/sql can neither append whole columns nor read a
// result that is still being made.
type connection struct {
	db   mapping.Database
	conn mapping.Connection
}

// connect connects to the instance that this process has open at path with the same
// settings.
func connect(path string, settings []setting) (c connection, err error) {
	var config mapping.Config
	if mapping.CreateConfig(&config) == mapping.StateError {
		return c, errors.New("create DuckDB configuration")
	}
	defer mapping.DestroyConfig(&config)
	for _, s := range append([]setting{{"duckdb_api", "go"}}, settings...) {
		if mapping.SetConfig(config, s.name, s.value) == mapping.StateError {
			return c, fmt.Errorf("set DuckDB option %s", s.name)
		}
	}
	var message string
	if mapping.GetOrCreateFromCache(duckdb.GetInstanceCache(), path, &c.db, config, &message) == mapping.StateError {
		mapping.Close(&c.db)
		return c, errors.New(message)
	}
	if mapping.Connect(c.db, &c.conn) == mapping.StateError {
		mapping.Close(&c.db)
		return c, errors.New("connect to DuckDB")
	}
	return c, nil
}

func (c *connection) close() {
	mapping.Disconnect(&c.conn)
	mapping.Close(&c.db)
}

// writer is the one connection that commits batches. It is not safe for concurrent
// use.
type writer struct {
	connection
	// events and pages are memory for a commit, kept for the next one.
	events []*Event
	pages  []int
	// around, where it is not nil, is handed every operation to carry it out, or to
	// fail: for tests.
	around func(do func() error) error
}

func (w *writer) do(operation func() error) error {
	if w.around != nil {
		return w.around(operation)
	}
	return operation()
}

// exec runs one statement without parameters and returns how many rows it changed.
func (w *writer) exec(query string) (changed int64, err error) {
	err = w.do(func() error {
		var res mapping.Result
		defer mapping.DestroyResult(&res)
		if mapping.Query(w.conn, query, &res) == mapping.StateError {
			return errors.New(mapping.ResultError(&res))
		}
		changed = int64(mapping.RowsChanged(&res))
		return nil
	})
	return changed, err
}

// execArgs runs one statement with parameters: int64, Instant, string, bool,
// uuid.UUID or nil.
func (w *writer) execArgs(query string, args ...any) (changed int64, err error) {
	err = w.do(func() (err error) {
		changed, err = w.executeWith(query, args)
		return err
	})
	return changed, err
}

func (w *writer) executeWith(query string, args []any) (int64, error) {
	var stmt mapping.PreparedStatement
	defer mapping.DestroyPrepare(&stmt)
	if mapping.Prepare(w.conn, query, &stmt) == mapping.StateError {
		return 0, errors.New(mapping.PrepareError(stmt))
	}
	for i, arg := range args {
		index := mapping.IdxT(i + 1)
		var state mapping.State
		switch v := arg.(type) {
		case nil:
			state = mapping.BindNull(stmt, index)
		case int64:
			state = mapping.BindInt64(stmt, index, v)
		case Instant:
			state = mapping.BindTimestampTZ(stmt, index, mapping.NewTimestamp(int64(v)))
		case string:
			state = mapping.BindVarcharLength(stmt, index, v, mapping.IdxT(len(v)))
		case uuid.UUID:
			state = mapping.BindVarchar(stmt, index, v.String())
		case bool:
			state = mapping.BindBoolean(stmt, index, v)
		default:
			return 0, fmt.Errorf("bind parameter %d: unsupported type %T", i+1, arg)
		}
		if state == mapping.StateError {
			return 0, fmt.Errorf("bind parameter %d: %s", i+1, mapping.PrepareError(stmt))
		}
	}
	var res mapping.Result
	defer mapping.DestroyResult(&res)
	if mapping.ExecutePrepared(stmt, &res) == mapping.StateError {
		return 0, errors.New(mapping.ResultError(&res))
	}
	return int64(mapping.RowsChanged(&res)), nil
}

// append adds rows to a table within the transaction that is open, chunk by
// chunk; fill, which another goroutine calls, writes row n into line row of the chunk's
// columns: one chunk is filled while the one before it is appended. An error leaves
// nothing behind that could still be flushed.
func (w *writer) append(table string, rows int, fill func(columns []column, row, n int)) error {
	if rows == 0 {
		return nil
	}
	return w.do(func() error { return w.appendChunks(table, rows, fill) })
}

func (w *writer) appendChunks(table string, rows int, fill func(columns []column, row, n int)) error {
	a, err := w.newAppender(table)
	if err != nil {
		return err
	}
	if err := a.fill(rows, fill); err != nil {
		a.drop()
		return err
	}
	return a.flush()
}

// tableAppender collects rows for a table, outside of any transaction, and stores them
// in the one that is open when it is flushed. It must be flushed or dropped.
type tableAppender struct {
	table string
	raw   mapping.Appender
}

func (w *writer) newAppender(table string) (*tableAppender, error) {
	a := &tableAppender{table: table}
	if mapping.AppenderCreate(w.conn, "", table, &a.raw) == mapping.StateError {
		err := a.failure()
		mapping.AppenderDestroy(&a.raw)
		return nil, err
	}
	return a, nil
}

func (a *tableAppender) failure() error {
	return fmt.Errorf("append to %s: %s", a.table, mapping.AppenderError(a.raw))
}

// drop forgets the rows, if it was not flushed or dropped before; to destroy the appender
// alone would flush them.
func (a *tableAppender) drop() {
	if a.raw.Ptr == nil {
		return
	}
	mapping.AppenderClear(a.raw)
	mapping.AppenderDestroy(&a.raw)
	a.raw.Ptr = nil
}

// flush stores the rows, or nothing of them.
func (a *tableAppender) flush() error {
	if mapping.AppenderFlush(a.raw) == mapping.StateError {
		err := a.failure()
		a.drop()
		return err
	}
	mapping.AppenderDestroy(&a.raw)
	a.raw.Ptr = nil
	failpoint.Hit("f7")
	return nil
}

// fill adds rows, at most MaxRows in all: with 204,800 DuckDB flushes by itself.
func (a *tableAppender) fill(rows int, fill func(columns []column, row, n int)) (err error) {
	chunks, destroy := newChunks(a.raw)
	defer destroy()
	filled := make(chan *chunk)
	go func() {
		defer close(filled)
		for n := 0; n < rows; {
			c := <-chunks
			c.begin()
			for c.rows < vectorSize && n < rows {
				if n == rows/2 {
					failpoint.Hit("f6")
				}
				fill(c.columns, c.rows, n)
				c.rows++
				n++
			}
			filled <- c
		}
	}()
	for c := range filled {
		if err != nil {
			chunks <- c
			continue
		}
		mapping.DataChunkSetSize(c.raw, mapping.IdxT(c.rows))
		if mapping.AppendDataChunk(a.raw, c.raw) == mapping.StateError {
			err = a.failure()
		}
		chunks <- c
	}
	return err
}

// newChunks makes the chunks that append uses in turn, of the appender's columns.
func newChunks(appender mapping.Appender) (chunks chan *chunk, destroy func()) {
	types := make([]mapping.LogicalType, mapping.AppenderColumnCount(appender))
	for i := range types {
		types[i] = mapping.AppenderColumnType(appender, mapping.IdxT(i))
	}
	chunks = make(chan *chunk, 2)
	for range cap(chunks) {
		chunks <- &chunk{raw: mapping.CreateDataChunk(types), columns: make([]column, len(types))}
	}
	for i := range types {
		mapping.DestroyLogicalType(&types[i])
	}
	return chunks, func() {
		for range cap(chunks) {
			mapping.DestroyDataChunk(&(<-chunks).raw)
		}
	}
}

// number runs a query of one BIGINT.
func (w *writer) number(query string) (n int64, err error) {
	err = w.pairs("SELECT ("+query+"), true", func(v int64, _ bool) { n = v })
	return n, err
}

// pairs runs a query of a BIGINT and a BOOLEAN column and hands each row to yield.
func (w *writer) pairs(query string, yield func(n int64, flag bool)) error {
	return w.do(func() error { return w.readPairs(query, yield) })
}

func (w *writer) readPairs(query string, yield func(n int64, flag bool)) error {
	var res mapping.Result
	defer mapping.DestroyResult(&res)
	if mapping.Query(w.conn, query, &res) == mapping.StateError {
		return errors.New(mapping.ResultError(&res))
	}
	for {
		raw := mapping.FetchChunk(res)
		rows := 0
		if raw.Ptr != nil {
			rows = int(mapping.DataChunkGetSize(raw))
		}
		if rows == 0 {
			mapping.DestroyDataChunk(&raw)
			return nil
		}
		numbers, flags := readPairs(raw, rows)
		for i := range rows {
			yield(numbers[i], flags[i])
		}
		mapping.DestroyDataChunk(&raw)
	}
}
