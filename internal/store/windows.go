package store

import (
	"context"
	"database/sql"
	"time"

	"datasync/internal/dbfile"
	"datasync/internal/inspect"
	"datasync/internal/model"
)

// Windows returns the checkpoints of all windows, as inspect.ReadWindows does.
func (s *Store) Windows(ctx context.Context) ([]model.Checkpoint, error) {
	windows, err := inspect.ReadWindows(ctx, s.db)
	return windows, dbfile.Translate(s.path, err)
}

// OpenWindow adds a window above all others, in the state NotBegun, down to lower or to the end of the
// API's events. Events below floor are out of range. It replaces a window of which no page was
// committed.
func (s *Store) OpenWindow(ctx context.Context, lower, floor sql.Null[model.Instant]) (_ model.Checkpoint, err error) {
	defer s.write(&err)()
	k := model.Checkpoint{State: model.NotBegun, Lower: lower, StartBound: floor}
	if _, err := s.writer.execArgs("DELETE FROM checkpoints WHERE state = $1 AND pages = 0 AND begins IS NULL", string(model.NotBegun)); err != nil {
		return model.Checkpoint{}, dbfile.Translate(s.path, err)
	}
	if err := s.db.QueryRowContext(ctx, nextWindow).Scan(&k.Window); err != nil {
		return model.Checkpoint{}, dbfile.Translate(s.path, err)
	}
	k.Whole = k.Window
	return k, dbfile.Translate(s.path, s.addWindow(&k))
}

const nextWindow = "SELECT coalesce(max(window_id), 0) + 1 FROM checkpoint"

// addWindow adds the row of a new window or shard.
func (s *Store) addWindow(k *model.Checkpoint) error {
	_, err := s.writer.execArgs(`INSERT INTO checkpoints BY NAME SELECT $1 AS window_id, $2 AS whole, $3 AS state, $4::TIMESTAMPTZ AS lower, $5::TIMESTAMPTZ AS floor,
		$6::TIMESTAMPTZ AS begins, $7 AS unordered, $8 AS updated_at, $9 AS writer, $10 AS batch, 0 AS pages, 0 AS events, 0 AS walked, 0 AS copies, false AS ran_out, 0 AS failed_runs, false AS absorbed`,
		k.Window, k.Whole, string(k.State), orNull(k.Lower), orNull(k.StartBound), orNull(k.Begins), k.Unordered, model.InstantOf(time.Now()), s.writer.number, s.batch)
	return err
}

// FailRun counts a run that failed at the cursor of the window or shard.
func (s *Store) FailRun(ctx context.Context, window int64) error {
	return s.inTransaction(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "UPDATE checkpoints SET failed_runs = failed_runs + 1 WHERE window_id = ?", window)
		return err
	})
}

// Held returns how many elements the file holds: events and unresolved rejects.
func (s *Store) Held(ctx context.Context) (elements int64, err error) {
	elements, err = inspect.CountHeld(ctx, s.db)
	return elements, dbfile.Translate(s.path, err)
}
