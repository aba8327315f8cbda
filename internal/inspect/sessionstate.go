package inspect

import (
	"context"
	"strings"

	"datasync/internal/duck"
)

// stateQuery lists the state that the end of a session would lose. It omits datasync_steps, which
// package query makes anew for each statement.
const stateQuery = `SELECT 'variable ' || name FROM duckdb_variables()
UNION ALL SELECT 'temporary table ' || table_name FROM duckdb_tables() WHERE temporary AND table_name <> 'datasync_steps'
UNION ALL SELECT 'temporary view ' || view_name FROM duckdb_views() WHERE temporary AND NOT internal
UNION ALL SELECT 'temporary sequence ' || sequence_name FROM duckdb_sequences() WHERE temporary
UNION ALL SELECT 'temporary type ' || type_name FROM duckdb_types() WHERE database_name = 'temp' AND NOT internal
UNION ALL SELECT DISTINCT 'temporary macro ' || function_name FROM duckdb_functions() WHERE database_name = 'temp' AND NOT internal
UNION ALL SELECT 'prepared statement ' || name FROM duckdb_prepared_statements()
UNION ALL SELECT 'current schema ' || current_schema() WHERE current_schema() <> 'main'
ORDER BY ALL`

// openTransaction is the state of a session between BEGIN and its end.
const openTransaction = "the open transaction"

// State returns the state that the end of the session would lose, in words such as "variable x". An
// open transaction is first.
func (s *Session) State(ctx context.Context) ([]string, error) {
	open, err := s.inTransaction(ctx)
	if err != nil {
		return nil, err
	}
	var state []string
	if open {
		state = append(state, openTransaction)
	}
	err = s.Rows(ctx, stateQuery, nil, func(r *duck.Result, row int) {
		text, _ := r.Text(0, row)
		state = append(state, strings.Clone(text))
	})
	if err != nil && strings.Contains(err.Error(), "transaction is aborted") {
		return []string{openTransaction}, nil // only ROLLBACK is possible
	}
	return state, err
}

// inTransaction reports whether a transaction is open; otherwise each statement has its own.
func (s *Session) inTransaction(ctx context.Context) (bool, error) {
	var ids [2]string
	for i := range ids {
		err := s.Rows(ctx, "SELECT CAST(txid_current() AS VARCHAR)", nil, func(r *duck.Result, row int) {
			text, _ := r.Text(0, row)
			ids[i] = strings.Clone(text)
		})
		if err != nil && strings.Contains(err.Error(), "transaction is aborted") {
			return true, nil
		}
		if err != nil {
			return false, err
		}
	}
	return ids[0] == ids[1], nil
}
