package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/google/uuid"

	"datasync/internal/model"
)

// Windows returns the checkpoints of all windows, the newest window first, each with its
// parts behind it from newer to older, but for absorbed ones.
func (s *Store) Windows(ctx context.Context) ([]model.Checkpoint, error) {
	windows, err := readWindows(ctx, s.db)
	return windows, translate(s.path, err)
}

func readWindows(ctx context.Context, db *sql.DB) ([]model.Checkpoint, error) {
	rows, err := db.QueryContext(ctx, `SELECT window_id, state, epoch_us(upper), epoch_us(lower), coalesce(cursor, ''), cursor_expires_at,
		epoch_us(last_timestamp), last_id::VARCHAR, pages, events, walked, total, unordered, epoch_us(floor),
		whole, epoch_us(begins), epoch_us(first_timestamp), first_id::VARCHAR,
		page_total, cursor_before, top_at, copies, ran_out, failed_runs
		FROM checkpoint WHERE NOT absorbed ORDER BY whole DESC, begins DESC NULLS FIRST, window_id DESC`)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var windows []model.Checkpoint
	for rows.Next() {
		var k model.Checkpoint
		var upper, lower, lastTimestamp, total, floor, begins, firstTimestamp sql.NullInt64
		var lastID, firstID uuid.NullUUID
		var expires, topAt sql.NullTime
		if err := rows.Scan(&k.Window, &k.State, &upper, &lower, &k.Cursor, &expires,
			&lastTimestamp, &lastID, &k.Pages, &k.Events, &k.Walked, &total, &k.Unordered, &floor,
			&k.Whole, &begins, &firstTimestamp, &firstID,
			&k.PageTotal, &k.CursorBefore, &topAt, &k.Copies, &k.RanOut, &k.FailedRuns); err != nil {
			return nil, err
		}
		k.Upper = sql.Null[model.Instant]{V: model.Instant(upper.Int64), Valid: upper.Valid}
		k.Lower = sql.Null[model.Instant]{V: model.Instant(lower.Int64), Valid: lower.Valid}
		k.Floor = sql.Null[model.Instant]{V: model.Instant(floor.Int64), Valid: floor.Valid}
		k.Last = sql.Null[model.Position]{V: model.Position{Timestamp: model.Instant(lastTimestamp.Int64), ID: lastID.UUID}, Valid: lastID.Valid}
		k.Begins = sql.Null[model.Instant]{V: model.Instant(begins.Int64), Valid: begins.Valid}
		k.First = sql.Null[model.Position]{V: model.Position{Timestamp: model.Instant(firstTimestamp.Int64), ID: firstID.UUID}, Valid: firstID.Valid}
		k.Total = sql.Null[int64]{V: total.Int64, Valid: total.Valid}
		if expires.Valid {
			k.CursorExpiresAt = expires.Time
		}
		if topAt.Valid {
			k.TopAt = topAt.Time
		}
		windows = append(windows, k)
	}
	return windows, rows.Err()
}

// OpenWindow adds a window above all others, in the state NotBegun, that goes down
// to lower, or to the end of what the API has; below floor no events are wanted. It
// takes the place of one that was opened and of which no page was committed.
func (s *Store) OpenWindow(ctx context.Context, lower, floor sql.Null[model.Instant]) (_ model.Checkpoint, err error) {
	defer s.write(&err)()
	k := model.Checkpoint{State: model.NotBegun, Lower: lower, Floor: floor}
	if _, err := s.writer.execArgs("DELETE FROM checkpoints WHERE state = $1 AND pages = 0 AND begins IS NULL", string(model.NotBegun)); err != nil {
		return model.Checkpoint{}, translate(s.path, err)
	}
	if err := s.db.QueryRowContext(ctx, nextWindow).Scan(&k.Window); err != nil {
		return model.Checkpoint{}, translate(s.path, err)
	}
	k.Whole = k.Window
	return k, translate(s.path, s.addWindow(&k))
}

const nextWindow = "SELECT coalesce(max(window_id), 0) + 1 FROM checkpoint"

// addWindow adds the row of a window, or a part, of which nothing is stored yet.
func (s *Store) addWindow(k *model.Checkpoint) error {
	_, err := s.writer.execArgs(`INSERT INTO checkpoints BY NAME SELECT $1 AS window_id, $2 AS whole, $3 AS state, $4::TIMESTAMPTZ AS lower, $5::TIMESTAMPTZ AS floor,
		$6::TIMESTAMPTZ AS begins, $7 AS unordered, $8 AS updated_at, $9 AS writer, $10 AS batch, 0 AS pages, 0 AS events, 0 AS walked, 0 AS copies, false AS ran_out, 0 AS failed_runs, false AS absorbed`,
		k.Window, k.Whole, string(k.State), orNull(k.Lower), orNull(k.Floor), orNull(k.Begins), k.Unordered, model.InstantOf(time.Now()), s.writer.number, s.batch)
	return err
}

// FailRun notes that a run failed while the walk of the window or part stood at its cursor.
func (s *Store) FailRun(ctx context.Context, window int64) error {
	return s.inTransaction(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "UPDATE checkpoints SET failed_runs = failed_runs + 1 WHERE window_id = ?", window)
		return err
	})
}

// Held is how many elements the file holds: events, and rejects that were not stored since.
func (s *Store) Held(ctx context.Context) (elements int64, err error) {
	err = s.db.QueryRowContext(ctx, "SELECT (SELECT count(*) FROM events) + (SELECT count(*) FROM rejected_events WHERE NOT resolved)").Scan(&elements)
	return elements, translate(s.path, err)
}
