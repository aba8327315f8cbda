package duck

import (
	"context"
	"errors"

	bindings "github.com/duckdb/duckdb-go-bindings"
	"github.com/duckdb/duckdb-go/v2/mapping"
)

// Result is the rows that a statement gives, a chunk at a time.
type Result struct {
	ctx          context.Context
	conn         *Conn
	stopWatching func()
	result       mapping.Result
	chunk        mapping.DataChunk
	columns      []readVector
}

// Next goes on to the next chunk and returns how many rows it has, 0 after the last. What
// was read of the chunk before is invalid then.
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
		r.columns = append(r.columns, newReadColumn(mapping.DataChunkGetVector(r.chunk, i)))
	}
	return rows, nil
}

// Text returns a value of a VARCHAR column of the chunk, and false for NULL. The text is
// valid until the chunk is left.
func (r *Result) Text(column, row int) (string, bool) { return r.columns[column].text(row) }

// Int64 returns a value of a BIGINT or TIMESTAMP column of the chunk, and false for NULL.
func (r *Result) Int64(column, row int) (int64, bool) { return r.columns[column].int64(row) }

// Plain returns a value of any scalar type that the chunk's column can have as text, and
// false for NULL. It fails for types that only SQL can turn into text.
func (r *Result) Plain(column, row int) (text string, ok bool, err error) {
	return r.columns[column].plain(row)
}

// Close ends the statement, if it has not come to its end, and frees the result.
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

// failure is DuckDB's text as an error, or that of the context where it ended.
func (r *Result) failure(text string) error {
	if err := r.ctx.Err(); err != nil {
		return err
	}
	return r.conn.Failure(text)
}

// stream runs a prepared statement so that its rows come while it is still running, chunk by
// chunk: any other way holds the whole result in memory.
func stream(statement mapping.PreparedStatement, result *mapping.Result) error {
	var pending mapping.PendingResult
	defer mapping.DestroyPending(&pending)
	// The driver's mapping lacks the function, which DuckDB wants to replace some day.
	if bindings.PendingPreparedStreaming(statement, &pending) == mapping.StateError { //nolint:staticcheck // there is no other way to a result that is not held in memory

		return errors.New(mapping.PendingError(pending))
	}
	if mapping.ExecutePending(pending, result) == mapping.StateError {
		return errors.New(mapping.ResultError(result))
	}
	return nil
}
