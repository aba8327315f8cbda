package inspect

import (
	"context"
	"database/sql"

	"datasync/internal/model"

	"github.com/google/uuid"
)

// ReadWindows returns the checkpoints of all windows, the newest window first. The shards of a window
// follow it from newer to older; merged ones are left out.
func ReadWindows(ctx context.Context, db *sql.DB) ([]model.Checkpoint, error) {
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
		k.StartBound = sql.Null[model.Instant]{V: model.Instant(floor.Int64), Valid: floor.Valid}
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

// CountHeld counts the elements that a file holds: events and unresolved rejects.
func CountHeld(ctx context.Context, db *sql.DB) (elements int64, err error) {
	err = db.QueryRowContext(ctx, "SELECT (SELECT count(*) FROM events) + (SELECT count(*) FROM rejected_events WHERE NOT resolved)").Scan(&elements)
	return elements, err
}
