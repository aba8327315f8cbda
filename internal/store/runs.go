package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/google/uuid"

	"datasync/internal/inspect"
	"datasync/internal/model"
)

// BeginRun adds the row of a run. It marks runs that are still running as killed: only one process at a
// time has the file's lock.
func (s *Store) BeginRun(ctx context.Context, id uuid.UUID, began time.Time) error {
	if s.lock != nil {
		s.lock.Reserve()
	}
	return s.inTransaction(ctx, func(tx *sql.Tx) error {
		_, err1 := tx.ExecContext(ctx, "UPDATE runs SET outcome = 'killed' WHERE outcome = 'running'")
		_, err2 := tx.ExecContext(ctx, "INSERT INTO runs (run, tool_version, began_at, outcome) VALUES (?, ?, ?, 'running')",
			id.String(), s.version, began.UTC())
		return errors.Join(err1, err2)
	})
}

// EndRun completes the row of a run. After a failed write, as on a full disk, nothing more can be written
// to the file: the lock file then keeps the ending, and the next Open stores it.
func (s *Store) EndRun(ctx context.Context, r model.Run) error {
	var err error
	if !s.failed.Load() && s.inPlace() == nil {
		if err = s.endRun(ctx, r); err == nil {
			return nil
		}
	}
	if note, errNote := inspect.FormatEnding(r); errNote == nil && s.lock != nil {
		s.lock.Keep(note)
	}
	return err
}

func (s *Store) endRun(ctx context.Context, r model.Run) error {
	var resumedFrom sql.NullString
	if r.ResumedFrom.Valid {
		at := r.ResumedFrom.V
		resumedFrom = sql.NullString{String: at.Timestamp.Time().Format(time.RFC3339Nano) + " " + at.ID.String(), Valid: true}
	}
	return s.inTransaction(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `UPDATE runs SET ended_at = ?, outcome = ?, reason = nullif(?, ''), resumed_from = ?,
			stored = ?, duplicate = ?, conflict = ?, rejected = ?,
			events_requests = ?, events_429s = ?, feed_requests = ?, feed_429s = ?,
			waiting_s = ?, fetching_s = ?, writing_s = ? WHERE run = ?`,
			r.Ended.UTC(), r.Outcome, r.Reason, resumedFrom,
			r.Counts.Stored, r.Counts.Duplicate, r.Counts.Conflict, r.Counts.Rejected,
			r.Requests["events"], r.Limited["events"], r.Requests["feed"], r.Limited["feed"],
			r.Waiting.Seconds(), r.Fetching.Seconds(), r.Writing.Seconds(), r.ID.String())
		return err
	})
}
