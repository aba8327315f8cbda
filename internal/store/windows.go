package store

import (
	"context"
	"database/sql"
	"time"

	"github.com/google/uuid"
)

// Windows returns the checkpoints of all windows, the newest window first.
func (s *Store) Windows(ctx context.Context) (_ []Checkpoint, err error) {
	rows, err := s.db.QueryContext(ctx, `SELECT window_id, state, epoch_us(upper), epoch_us(lower), coalesce(cursor, ''), cursor_expires_at,
		epoch_us(last_timestamp), last_id::VARCHAR, pages, events, walked, total, unordered FROM checkpoint ORDER BY window_id DESC`)
	if err != nil {
		return nil, translate(s.path, err)
	}
	defer func() { _ = rows.Close() }()
	var windows []Checkpoint
	for rows.Next() {
		var k Checkpoint
		var upper, lower, lastTimestamp, total sql.NullInt64
		var lastID uuid.NullUUID
		var expires sql.NullTime
		if err := rows.Scan(&k.Window, &k.State, &upper, &lower, &k.Cursor, &expires,
			&lastTimestamp, &lastID, &k.Pages, &k.Events, &k.Walked, &total, &k.Unordered); err != nil {
			return nil, translate(s.path, err)
		}
		k.Upper = sql.Null[Instant]{V: Instant(upper.Int64), Valid: upper.Valid}
		k.Lower = sql.Null[Instant]{V: Instant(lower.Int64), Valid: lower.Valid}
		k.Last = sql.Null[Position]{V: Position{Instant(lastTimestamp.Int64), lastID.UUID}, Valid: lastID.Valid}
		k.Total = sql.Null[int64]{V: total.Int64, Valid: total.Valid}
		if expires.Valid {
			k.CursorExpiresAt = expires.Time
		}
		windows = append(windows, k)
	}
	return windows, translate(s.path, rows.Err())
}

// OpenWindow adds a window above all others that goes down to lower, or to the
// end of what the API has, in the state NotBegun.
func (s *Store) OpenWindow(ctx context.Context, lower sql.Null[Instant]) (Checkpoint, error) {
	k := Checkpoint{State: NotBegun, Lower: lower}
	if err := s.db.QueryRowContext(ctx, "SELECT coalesce(max(window_id), 0) + 1 FROM checkpoint").Scan(&k.Window); err != nil {
		return Checkpoint{}, translate(s.path, err)
	}
	_, err := s.writer.execArgs("INSERT INTO checkpoint VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
		append(k.values(), InstantOf(time.Now()))...)
	return k, translate(s.path, err)
}
