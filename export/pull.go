package export

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"datasync/internal/dbfile"
	"datasync/internal/inspect"
)

// Pull says how far the pull is of which events are exported.
type Pull struct {
	// Origin is the API.
	Origin string
	// Batch is the last commit, and Run the run that made it; 0 and empty where there was
	// none.
	Batch int64
	Run   string
	// Complete says that every event is here which the API had; what is missing, Status
	// says. In a file of an older version only the windows are looked at, and Status is
	// nil.
	Complete bool
	Status   *inspect.Status
}

// readPull reads how far the pull is.
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

// runOf returns the run that committed a batch, empty where no batch of that number is.
func runOf(ctx context.Context, s *inspect.Session, batch int64) (run string, err error) {
	err = s.QueryRow(ctx, "SELECT CAST(any_value(run) AS VARCHAR) FROM page_log WHERE batch = ? AND endpoint <> 'closing check' HAVING count(*) > 0", []any{batch}, &run)
	if errors.Is(err, sql.ErrNoRows) {
		return "", nil
	}
	return run, err
}

// missing is how many events are not here, nil where that is not known.
func (p *Pull) missing() *int64 {
	if p.Status == nil {
		return nil
	}
	return p.Status.Missing
}

// asOf is when the newest pull began and ended, and when the newest one began that was
// complete.
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
