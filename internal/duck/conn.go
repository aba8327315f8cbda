package duck

import (
	"context"
	"errors"
	"fmt"
	"unsafe"

	duckdb "github.com/duckdb/duckdb-go/v2" // also registers the driver
	"github.com/duckdb/duckdb-go/v2/mapping"
	"github.com/google/uuid"
)

// Conn is one to an instance that database/sql has open, by the driver's public
// mapping of DuckDB's C API: database/sql can neither append whole columns nor read a
// result that is still being made.
type Conn struct {
	Path string
	db   mapping.Database
	conn mapping.Connection
}

// Connect connects to the instance that this process has open at path with the same
// settings.
func Connect(path string, settings []Setting) (_ *Conn, err error) {
	c := &Conn{Path: path}
	var config mapping.Config
	if mapping.CreateConfig(&config) == mapping.StateError {
		return nil, errors.New("create DuckDB configuration")
	}
	defer mapping.DestroyConfig(&config)
	for _, s := range append([]Setting{{"duckdb_api", "go"}}, settings...) {
		if mapping.SetConfig(config, s.Name, s.Value) == mapping.StateError {
			return nil, fmt.Errorf("set DuckDB option %s", s.Name)
		}
	}
	var message string
	if mapping.GetOrCreateFromCache(duckdb.GetInstanceCache(), path, &c.db, config, &message) == mapping.StateError {
		mapping.Close(&c.db)
		return nil, errors.New(message)
	}
	if mapping.Connect(c.db, &c.conn) == mapping.StateError {
		mapping.Close(&c.db)
		return nil, errors.New("connect to DuckDB")
	}
	return c, nil
}

func (c *Conn) Close() {
	mapping.Disconnect(&c.conn)
	mapping.Close(&c.db)
}

func (c *Conn) Query(query string) (changed int64, err error) {
	var res mapping.Result
	defer mapping.DestroyResult(&res)
	if mapping.Query(c.conn, query, &res) == mapping.StateError {
		return 0, errors.New(mapping.ResultError(&res))
	}
	return int64(mapping.RowsChanged(&res)), nil
}

func (c *Conn) Execute(query string, args []any) (int64, error) {
	var stmt mapping.PreparedStatement
	defer mapping.DestroyPrepare(&stmt)
	if mapping.Prepare(c.conn, query, &stmt) == mapping.StateError {
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
		case Timestamp:
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

func (c *Conn) Pairs(query string, yield func(n int64, flag bool)) error {
	var res mapping.Result
	defer mapping.DestroyResult(&res)
	if mapping.Query(c.conn, query, &res) == mapping.StateError {
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

func (c *Conn) StreamUUIDs(ctx context.Context, query string, yield func(ids [][2]uint64) error) error {
	var stmt mapping.PreparedStatement
	defer mapping.DestroyPrepare(&stmt)
	if mapping.Prepare(c.conn, query, &stmt) == mapping.StateError {
		return errors.New(mapping.PrepareError(stmt))
	}
	var res mapping.Result
	defer mapping.DestroyResult(&res)
	if err := stream(stmt, &res); err != nil {
		return err
	}
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		raw := mapping.FetchChunk(res)
		if raw.Ptr == nil {
			if text := mapping.ResultError(&res); text != "" {
				return errors.New(text)
			}
			return nil
		}
		data := mapping.VectorGetData(mapping.DataChunkGetVector(raw, 0))
		err := yield(unsafe.Slice((*[2]uint64)(data), int(mapping.DataChunkGetSize(raw))))
		mapping.DestroyDataChunk(&raw)
		if err != nil {
			return err
		}
	}
}

// Timestamp is a parameter of type TIMESTAMP WITH TIME ZONE, in microseconds since 1970.
type Timestamp int64
