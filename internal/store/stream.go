package store

// The driver's mapping has no way to a result that is read while it is being made: it
// would hold all of it in memory. DuckDB's library, which the driver links, has one.

// int duckdb_pending_prepared_streaming(void *statement, void **pending);
import "C"

import (
	"errors"
	"unsafe"

	"github.com/duckdb/duckdb-go/v2/mapping"
)

// pendingStream begins a prepared statement whose result is fetched chunk by chunk. The
// caller destroys what is pending, also after an error.
func pendingStream(statement mapping.PreparedStatement) (mapping.PendingResult, error) {
	var pending unsafe.Pointer
	state := C.duckdb_pending_prepared_streaming(statement.Ptr, &pending)
	p := mapping.PendingResult{Ptr: pending}
	if mapping.State(state) == mapping.StateError {
		return p, errors.New(mapping.PendingError(p))
	}
	return p, nil
}
