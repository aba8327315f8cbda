package export

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"datasync/internal/dbfile"
	"datasync/internal/inspect"
)

// Pull is the state of the pull when it was exported.
type Pull struct {
	// Origin is the API.
	Origin string
	// Batch is the last commit, and Run the run that made it; 0 and empty if there is none.
	Batch int64
	Run   string
	// Complete says that every event of the API is here; if not, Status says why. In a file of an
	// older version only the windows are known, and Status is nil.
	Complete bool
	Status   *inspect.Status
}

// readPull reads the state of the pull.
func readPull(ctx context.Context, s *inspect.Session, path string) (p Pull, err error) {
	err = s.QueryRow(ctx, "SELECT coalesce(max(batch), 0) FROM page_log", nil, &p.Batch)
	if err != nil {
		return p, err
	}
	if p.Run, err = runOf(ctx, s, p.Batch); err != nil {
		return p, err
	}
	status, err := inspect.ReadStatus(ctx, s.DB(), path, time.Now())
	if err == nil {
		p.Origin, p.Complete, p.Status = status.Origin, status.Complete, &status
		return p, nil
	}
	if !errors.Is(err, dbfile.ErrOlder) {
		return p, err
	}
	return p, s.QueryRow(ctx, `SELECT (SELECT value FROM meta WHERE key = 'origin'), count(*) > 0 AND count(*) FILTER (state <> 'done') = 0 FROM checkpoint`,
		nil, &p.Origin, &p.Complete)
}

// runOf returns the run that committed a batch, empty if there is no such batch.
func runOf(ctx context.Context, s *inspect.Session, batch int64) (run string, err error) {
	err = s.QueryRow(ctx, "SELECT CAST(any_value(run) AS VARCHAR) FROM page_log WHERE batch = ? AND endpoint <> 'closing check' HAVING count(*) > 0", []any{batch}, &run)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return run, err
}

// missing returns how many events are missing, nil if that is unknown.
func (p *Pull) missing() *int64 {
	if p.Status == nil {
		return nil
	}
	return p.Status.Missing
}

// asOf returns when the newest pull began and ended, and when the newest complete one began. All are
// nil if unknown.
func (p *Pull) asOf() (began, ended, complete *time.Time) {
	if p.Status == nil {
		return nil, nil, nil
	}
	if runs := p.Status.Runs; len(runs) > 0 {
		at := runs[0].Began.UTC()
		began = &at
		if runs[0].Ended != nil {
			at := runs[0].Ended.UTC()
			ended = &at
		}
	}
	return began, ended, p.Status.CompletedAt
}
