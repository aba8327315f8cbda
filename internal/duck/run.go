package duck

import (
	"context"
	"errors"
	"fmt"
	"unsafe"

	"github.com/duckdb/duckdb-go/v2/mapping"
	"github.com/google/uuid"
)

// Statements for writers: no context interrupts them, as half a transaction is worth nothing.

// Timestamp is a parameter of type TIMESTAMP WITH TIME ZONE: microseconds since 1970, in UTC.
type Timestamp int64

// Run runs one statement without parameters and returns how many rows it changed.
func (c *Conn) Run(query string) (changed int64, err error) {
	var res mapping.Result
	defer mapping.DestroyResult(&res)
	if mapping.Query(c.conn, query, &res) == mapping.StateError {
		return 0, errors.New(mapping.ResultError(&res))
	}
	return int64(mapping.RowsChanged(&res)), nil
}

// RunArgs runs one statement with values for $1, $2 and so on: int64, Timestamp, string, bool,
// uuid.UUID or nil. It returns how many rows the statement changed.
func (c *Conn) RunArgs(query string, args []any) (int64, error) {
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

// Pairs runs a query of a BIGINT and a BOOLEAN column, neither of them with a NULL, and calls
// yield with each row.
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

// StreamUUIDs runs a query of one UUID column without NULLs and calls yield with the ids of a
// chunk, while the query is running. Each id is two halves as DuckDB stores them: the low one,
// then the high one with its highest bit flipped. They are valid until yield returns. The query
// ends when ctx does.
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
