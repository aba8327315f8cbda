package store

import (
	"context"
	"database/sql"
	"fmt"
	"time"

	"datasync/internal/dbfile"
	"datasync/internal/inspect"
	"datasync/internal/model"
)

// Split splits the window or shard of that number at border. It returns the new shard below border, in
// the state NotBegun. A window of which no page was committed is under way from then on, so that
// OpenWindow does not replace it. Both change in one transaction.
func (s *Store) Split(ctx context.Context, window int64, border model.Instant) (shard model.Checkpoint, err error) {
	err = s.changeWindows(ctx, func(windows []model.Checkpoint) error {
		for _, k := range windows {
			if k.Window != window {
				continue
			}
			if err := s.db.QueryRowContext(ctx, nextWindow).Scan(&shard.Window); err != nil {
				return err
			}
			shard = model.Checkpoint{
				Window: shard.Window, Whole: k.Whole, State: model.NotBegun, Lower: k.Lower, StartBound: k.StartBound,
				Begins: sql.Null[model.Instant]{V: border, Valid: true}, Unordered: k.Unordered,
			}
			if _, err := s.writer.execArgs(`UPDATE checkpoints SET lower = $2, updated_at = $3,
				state = CASE WHEN begins IS NULL AND state = 'not_begun' THEN 'under_way' ELSE state END WHERE window_id = $1`, window, border, model.InstantOf(time.Now())); err != nil {
				return err
			}
			return s.addWindow(&shard)
		}
		return fmt.Errorf("split window %d: no such window", window)
	})
	return shard, err
}

// Merge extends the window or shard of that number down to the lower border of the last given shard.
// The shards follow below it in this order, and are not walked any more. Their stored events stay. All
// of it changes in one transaction.
func (s *Store) Merge(ctx context.Context, window int64, shards ...int64) error {
	return s.changeWindows(ctx, func([]model.Checkpoint) error { return s.merge(window, shards) })
}

// MergeAndRestart is Merge, after which the window is walked again from its newest event.
func (s *Store) MergeAndRestart(ctx context.Context, window int64, shards ...int64) error {
	return s.changeWindows(ctx, func([]model.Checkpoint) error {
		if err := s.merge(window, shards); err != nil {
			return err
		}
		// The walk's pages do not cover events that have come since.
		_, err := s.writer.execArgs(`UPDATE checkpoints SET state = 'under_way', cursor = NULL, cursor_expires_at = NULL, upper = NULL,
			last_timestamp = NULL, last_id = NULL, walked = 0, page_total = NULL, cursor_before = NULL, top_at = NULL, copies = 0, ran_out = false,
			failed_runs = 0, updated_at = $2 WHERE window_id = $1`, window, model.InstantOf(time.Now()))
		return err
	})
}

// merge changes the rows of the window and the shards.
func (s *Store) merge(window int64, shards []int64) error {
	now := model.InstantOf(time.Now())
	for _, shard := range shards {
		changed, err := s.writer.execArgs(`UPDATE checkpoints SET lower = (SELECT lower FROM checkpoint WHERE window_id = $2), updated_at = $3 WHERE window_id = $1`, window, shard, now)
		if err != nil {
			return err
		}
		if changed == 0 {
			return fmt.Errorf("merge shard %d into window %d: no such window", shard, window)
		}
		if _, err := s.writer.execArgs("UPDATE checkpoints SET absorbed = true, state = 'done', cursor = NULL, updated_at = $2 WHERE window_id = $1", shard, now); err != nil {
			return err
		}
	}
	return nil
}

// changeWindows calls change with the windows in a transaction that holds the write gate alone.
func (s *Store) changeWindows(ctx context.Context, change func([]model.Checkpoint) error) (err error) {
	defer s.write(&err)()
	if err := ctx.Err(); err != nil {
		return err
	}
	windows, err := inspect.ReadWindows(ctx, s.db)
	if err != nil {
		return dbfile.Translate(s.path, err)
	}
	if _, err := s.writer.exec("BEGIN TRANSACTION"); err != nil {
		return dbfile.Translate(s.path, err)
	}
	if err := change(windows); err != nil {
		_, _ = s.writer.exec("ROLLBACK")
		return dbfile.Translate(s.path, err)
	}
	_, err = s.writer.exec("COMMIT")
	return dbfile.Translate(s.path, err)
}
