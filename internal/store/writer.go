package store

import (
	"errors"
	"fmt"

	duckdb "github.com/duckdb/duckdb-go/v2"
	"github.com/duckdb/duckdb-go/v2/mapping"
	"github.com/google/uuid"

	"datasync/internal/model"
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

// writer is a connection that commits batches, with what it needs for that. It is not
// safe for concurrent use.
type writer struct {
	connection
	number  int64
	sources map[string]*source // by table
	// events and pages are memory for a commit, kept for the next one.
	events []*model.Event
	pages  []int
	// around, where it is not nil, is handed every operation to carry it out, or to
	// fail: for tests.
	around func(do func() error) error
}

// newWriter connects to the instance that this process has open at path. It must be closed
// before the instance, and forgotten after that, also where there is an error with it.
func newWriter(path string, number int) (w *writer, err error) {
	conn, err := connect(path, closedWorld)
	if err != nil {
		return nil, err
	}
	w = &writer{connection: conn, number: int64(number), sources: map[string]*source{}}
	for _, table := range []string{
		`incoming AS SELECT 0::BIGINT AS n, * EXCLUDE (batch) FROM main.events LIMIT 0`,
		`incoming_rejects AS SELECT 0::BIGINT AS n, raw, reason, reject_key, id, "timestamp", endpoint FROM main.rejected_events LIMIT 0`,
		`suspects (id UUID)`,
	} {
		if _, err := w.exec("CREATE TEMP TABLE " + table); err != nil {
			return w, err
		}
	}
	for _, table := range []string{"events", "incoming", "incoming_rejects", "page_log", "suspects"} {
		src, err := w.newSource(fmt.Sprint("rows_for_", table, number), table)
		if err != nil {
			return w, err
		}
		w.sources[table] = src
	}
	return w, nil
}

func (w *writer) forget() {
	for _, src := range w.sources {
		src.forget()
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
		changed, err = w.query(query)
		return err
	})
	return changed, err
}

func (w *writer) query(query string) (changed int64, err error) {
	var res mapping.Result
	defer mapping.DestroyResult(&res)
	if mapping.Query(w.conn, query, &res) == mapping.StateError {
		return 0, errors.New(mapping.ResultError(&res))
	}
	return int64(mapping.RowsChanged(&res)), nil
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
		case model.Instant:
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

// count runs a query of one BIGINT.
func (w *writer) count(query string) (n int64, err error) {
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
