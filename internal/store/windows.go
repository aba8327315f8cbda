package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/google/uuid"
)

// Windows returns the checkpoints of all windows, the newest window first.
func (s *Store) Windows(ctx context.Context) ([]Checkpoint, error) {
	windows, err := readWindows(ctx, s.db)
	return windows, translate(s.path, err)
}

func readWindows(ctx context.Context, db *sql.DB) ([]Checkpoint, error) {
	rows, err := db.QueryContext(ctx, `SELECT window_id, state, epoch_us(upper), epoch_us(lower), coalesce(cursor, ''), cursor_expires_at,
		epoch_us(last_timestamp), last_id::VARCHAR, pages, events, walked, total, unordered, epoch_us(floor) FROM checkpoint ORDER BY window_id DESC`)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var windows []Checkpoint
	for rows.Next() {
		var k Checkpoint
		var upper, lower, lastTimestamp, total, floor sql.NullInt64
		var lastID uuid.NullUUID
		var expires sql.NullTime
		if err := rows.Scan(&k.Window, &k.State, &upper, &lower, &k.Cursor, &expires,
			&lastTimestamp, &lastID, &k.Pages, &k.Events, &k.Walked, &total, &k.Unordered, &floor); err != nil {
			return nil, err
		}
		k.Upper = sql.Null[Instant]{V: Instant(upper.Int64), Valid: upper.Valid}
		k.Lower = sql.Null[Instant]{V: Instant(lower.Int64), Valid: lower.Valid}
		k.Floor = sql.Null[Instant]{V: Instant(floor.Int64), Valid: floor.Valid}
		k.Last = sql.Null[Position]{V: Position{Instant(lastTimestamp.Int64), lastID.UUID}, Valid: lastID.Valid}
		k.Total = sql.Null[int64]{V: total.Int64, Valid: total.Valid}
		if expires.Valid {
			k.CursorExpiresAt = expires.Time
		}
		windows = append(windows, k)
	}
	return windows, rows.Err()
}

// OpenWindow adds a window above all others, in the state NotBegun, that goes down
// to lower, or to the end of what the API has; below floor no events are wanted. It
// takes the place of one that was opened and of which no page was committed.
func (s *Store) OpenWindow(ctx context.Context, lower, floor sql.Null[Instant]) (_ Checkpoint, err error) {
	defer s.write(&err)()
	k := Checkpoint{State: NotBegun, Lower: lower, Floor: floor}
	if _, err := s.writer.execArgs("DELETE FROM checkpoints WHERE state = $1 AND pages = 0", string(NotBegun)); err != nil {
		return Checkpoint{}, translate(s.path, err)
	}
	if err := s.db.QueryRowContext(ctx, "SELECT coalesce(max(window_id), 0) + 1 FROM checkpoint").Scan(&k.Window); err != nil {
		return Checkpoint{}, translate(s.path, err)
	}
	var floorOrNull any
	if floor.Valid {
		floorOrNull = floor.V
	}
	_, err = s.writer.execArgs("INSERT INTO checkpoints VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)",
		append(k.values(), InstantOf(time.Now()), floorOrNull, s.writer.number, s.batch)...)
	return k, translate(s.path, err)
}

// Held is what a file holds before a window is walked.
type Held struct {
	// Elements counts events, and rejects that were not stored since.
	Elements int64
	// Newest is the position of the newest event, NewestReject the newest instant of a
	// reject.
	Newest       sql.Null[Position]
	NewestReject sql.Null[Instant]
}

// Held says what the file holds.
func (s *Store) Held(ctx context.Context) (h Held, err error) {
	var newest sql.NullInt64
	var timestamp int64
	err = s.db.QueryRowContext(ctx, `SELECT epoch_us("timestamp"), id::VARCHAR FROM events ORDER BY "timestamp" DESC, id DESC LIMIT 1`).Scan(&timestamp, &h.Newest.V.ID)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return h, translate(s.path, err)
	}
	h.Newest.Valid, h.Newest.V.Timestamp = err == nil, Instant(timestamp)
	err = s.db.QueryRowContext(ctx, `SELECT (SELECT count(*) FROM events) + count(*) FILTER (NOT resolved), epoch_us(max("timestamp")) FROM rejected_events`).
		Scan(&h.Elements, &newest)
	h.NewestReject = sql.Null[Instant]{V: Instant(newest.Int64), Valid: newest.Valid}
	return h, translate(s.path, err)
}
