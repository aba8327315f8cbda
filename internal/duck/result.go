package duck

import (
	"context"
	"errors"

	bindings "github.com/duckdb/duckdb-go-bindings"
	"github.com/duckdb/duckdb-go/v2/mapping"
)

// Result is the rows that a statement returns, read one chunk at a time.
type Result struct {
	ctx          context.Context
	conn         *Conn
	stopWatching func()
	result       mapping.Result
	chunk        mapping.DataChunk
	columns      []readVector
}

// Next reads the next chunk and returns its number of rows, 0 after the last chunk. It ends the
// validity of all texts of the chunk before.
func (r *Result) Next() (rows int, err error) {
	r.closeChunk()
	r.chunk = mapping.FetchChunk(r.result)
	if r.chunk.Ptr == nil {
		if text := mapping.ResultError(&r.result); text != "" {
			return 0, r.failure(text)
		}
		return 0, r.ctx.Err()
	}
	rows = int(mapping.DataChunkGetSize(r.chunk))
	r.columns = r.columns[:0]
	for i := range mapping.DataChunkGetColumnCount(r.chunk) {
		r.columns = append(r.columns, newReadVector(mapping.DataChunkGetVector(r.chunk, i)))
	}
	return rows, nil
}

// Text returns a value of a VARCHAR column of the chunk, and false for NULL. The text is valid
// until Next or Close.
func (r *Result) Text(column, row int) (string, bool) { return r.columns[column].text(row) }

// Int64 returns a value of a BIGINT or TIMESTAMP column of the chunk, and false for NULL.
func (r *Result) Int64(column, row int) (int64, bool) { return r.columns[column].int64(row) }

// Plain returns a value of a column of any scalar type as text, and false for NULL. It fails
// for types that only SQL can turn into text. The text is valid until Next or Close.
func (r *Result) Plain(column, row int) (text string, ok bool, err error) {
	return r.columns[column].plain(row)
}

// Close interrupts the statement, if it is still running, and frees the result.
func (r *Result) Close() {
	r.closeChunk()
	r.stopWatching()
	mapping.DestroyResult(&r.result)
}

func (r *Result) closeChunk() {
	if r.chunk.Ptr != nil {
		mapping.DestroyDataChunk(&r.chunk)
	}
}

// failure returns DuckDB's text as an error, or the context's error once that has ended.
func (r *Result) failure(text string) error {
	if err := r.ctx.Err(); err != nil {
		return err
	}
	return r.conn.Failure(text)
}

// stream runs a prepared statement whose rows are fetched while it is running. Every other
// function of DuckDB holds the whole result in memory first. DuckDB calls this one deprecated and has
// no replacement for it.
func stream(statement mapping.PreparedStatement, result *mapping.Result) error {
	var pending mapping.PendingResult
	defer mapping.DestroyPending(&pending)
	if bindings.PendingPreparedStreaming(statement, &pending) == mapping.StateError {
		return errors.New(mapping.PendingError(pending))
	}
	if mapping.ExecutePending(pending, result) == mapping.StateError {
		return errors.New(mapping.ResultError(result))
	}
	return nil
}
