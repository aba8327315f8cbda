package store

import (
	"context"
	"database/sql"
	"fmt"

	"datasync/internal/inspect"
)

// removeUncommitted removes the events of a transaction whose end is missing in the log.
func (s *Store) removeUncommitted(ctx context.Context) error {
	var batch, highest int64
	err := s.db.QueryRowContext(ctx, "SELECT "+inspect.Uncommitted+", (SELECT coalesce(max(batch), 0) FROM events)").Scan(&batch, &highest)
	if err != nil || highest < batch {
		return err
	}
	return s.inTransaction(ctx, func(tx *sql.Tx) error {
		res, err := tx.ExecContext(ctx, fmt.Sprintf("DELETE FROM events WHERE batch = %d", batch))
		if err == nil {
			s.opened.removed, err = res.RowsAffected()
		}
		return err
	})
}

// OpenedAt returns the number of the last batch that the file had when it was opened, 0 if it had none.
func (s *Store) OpenedAt() int64 { return s.opened.batch }

// Removed returns how many events of an uncommitted batch Open removed.
func (s *Store) Removed() int64 { return s.opened.removed }
