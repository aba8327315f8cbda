package figures

import (
	"context"
	"database/sql"
	"time"

	"datasync/internal/inspect"
)

// Trust says how far the file can be relied on.
type Trust struct {
	inspect.Status
	Fingerprint inspect.Fingerprint
	Windows     []Window
	// Pages is the number of pages in the file, of which two batches may share one, and Reread how many of them brought nothing new:
	// all of their events were stored before.
	Pages, Reread int64
	// Batch is the number of the last commit.
	Batch int64
}

// ReadTrust reads it from the file at path, which is open for reading. It fails with the errors of
// inspect.ReadStatus.
func ReadTrust(ctx context.Context, db *sql.DB, path string, now time.Time) (*Trust, error) {
	t := &Trust{}
	var err error
	if t.Status, err = inspect.ReadStatus(ctx, db, path, now); err != nil {
		return nil, err
	}
	if t.Fingerprint, err = inspect.ReadFingerprint(ctx, db, path); err != nil {
		return nil, err
	}
	if t.Windows, err = ReadWindows(ctx, db); err != nil {
		return nil, err
	}
	return t, db.QueryRowContext(ctx, `SELECT count(DISTINCT (coalesce(request_id, batch::VARCHAR), coalesce(cursor_sent, until::VARCHAR))), count(*) FILTER (returned > 0 AND duplicate = returned), coalesce(max(batch), 0)
		FROM page_log WHERE endpoint <> 'closing check'`).Scan(&t.Pages, &t.Reread, &t.Batch)
}

// Rejects is the number of elements that are kept as rejects and not stored as events.
func (t *Trust) Rejects() (n int64) {
	for _, each := range t.Rejected {
		n += each
	}
	return n
}
