package store

import (
	"context"
	"errors"
	"unsafe"

	"github.com/duckdb/duckdb-go/v2/mapping"
)

// readIDs runs a query of one column of ids, none of them NULL, and hands them to yield
// while it is running. It ends when ctx does.
func (w *writer) readIDs(ctx context.Context, query string, yield func(ids []halves) error) error {
	return w.do(func() error { return w.streamIDs(ctx, query, yield) })
}

func (w *writer) streamIDs(ctx context.Context, query string, yield func(ids []halves) error) error {
	var stmt mapping.PreparedStatement
	defer mapping.DestroyPrepare(&stmt)
	if mapping.Prepare(w.conn, query, &stmt) == mapping.StateError {
		return errors.New(mapping.PrepareError(stmt))
	}
	pending, err := pendingStream(stmt)
	defer mapping.DestroyPending(&pending)
	if err != nil {
		return err
	}
	var res mapping.Result
	defer mapping.DestroyResult(&res)
	if mapping.ExecutePending(pending, &res) == mapping.StateError {
		return errors.New(mapping.ResultError(&res))
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
		err := yield(unsafe.Slice((*halves)(data), int(mapping.DataChunkGetSize(raw))))
		mapping.DestroyDataChunk(&raw)
		if err != nil {
			return err
		}
	}
}
