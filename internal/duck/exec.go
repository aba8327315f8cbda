package duck

import (
	"context"
	"database/sql"
	"time"

	"github.com/duckdb/duckdb-go/v2/mapping"
)

// Exec runs one statement with values for its parameters $1, $2 and so on. It returns how many
// rows the statement wrote. The statement ends when ctx does.
func (c *Conn) Exec(ctx context.Context, text string, values ...sql.NullString) (rows int64, err error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	run := func(result *mapping.Result) mapping.State { return mapping.Query(c.conn, text, result) }
	if len(values) > 0 {
		// A prepared statement takes values, but cannot be a PIVOT.
		st, err := c.Prepare(text)
		if err != nil {
			return 0, err
		}
		defer st.Close()
		for i, value := range values {
			if err := st.bind(i, value); err != nil {
				return 0, err
			}
		}
		run = func(result *mapping.Result) mapping.State { return mapping.ExecutePrepared(st.prepared, result) }
	}
	defer c.interruptWhen(ctx)()
	var result mapping.Result
	defer mapping.DestroyResult(&result)
	if run(&result) == mapping.StateError {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		return 0, c.Failure(mapping.ResultError(&result))
	}
	return int64(mapping.RowsChanged(&result)), nil
}

// Progress returns how far the running statement is, in percent, or -1 if DuckDB does not know.
// It may be called from another goroutine while a statement runs.
func (c *Conn) Progress() float64 {
	progress := mapping.QueryProgress(c.conn)
	percent, _, _ := mapping.QueryProgressTypeMembers(&progress)
	return percent
}

// interruptPause is the time between two interrupts of a statement. One interrupt is not enough:
// it has no effect if the statement has not begun.
const interruptPause = 20 * time.Millisecond

// interruptWhen interrupts the connection's statement when ctx ends, until stop is called.
func (c *Conn) interruptWhen(ctx context.Context) (stop func()) {
	if ctx.Done() == nil {
		return func() {}
	}
	done, ended := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(ended)
		select {
		case <-done:
			return
		case <-ctx.Done():
		}
		tick := time.NewTicker(interruptPause)
		defer tick.Stop()
		for {
			mapping.Interrupt(c.conn)
			select {
			case <-done:
				return
			case <-tick.C:
			}
		}
	}()
	return func() { close(done); <-ended }
}
