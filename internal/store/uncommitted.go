package store

import (
	"context"
	"database/sql"
	"fmt"

	"datasync/internal/inspect"
)

// removeUncommitted removes the events of a transaction whose end the log has not.
func (s *Store) removeUncommitted(ctx context.Context) error {
	var batch, highest int64
	err := s.db.QueryRowContext(ctx, "SELECT "+inspect.Uncommitted+", (SELECT coalesce(max(batch), 0) FROM events)").Scan(&batch, &highest)
	if err != nil || highest < batch {
		return err
	}
	return s.inTransaction(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, fmt.Sprintf("DELETE FROM events WHERE batch = %d", batch))
		if err == nil {
			s.removed, err = res.RowsAffected()
		}
		return err
	})
}

// Removed is how many events of a batch that was not committed Open has found and removed.
func (s *Store) Removed() int64 { return s.removed }
