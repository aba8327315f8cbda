package inspect

import (
	"context"
	"database/sql"
	"time"
)

// Edition says which data a file holds.
type Edition struct {
	// Batch is the number of the last batch, 0 if there is none.
	Batch int64
	// Events is the number of stored events.
	Events int64
	// AsOf is when the newest pull began, zero if there was none.
	AsOf time.Time
}

// ReadEdition reads the edition of a file of any schema.
func ReadEdition(ctx context.Context, db *sql.DB) (Edition, error) {
	var e Edition
	var began sql.NullTime
	err := db.QueryRowContext(ctx, `SELECT (SELECT coalesce(max(batch), 0) FROM page_log), (SELECT count(*) FROM events),
		(SELECT max(began_at) FROM runs)`).Scan(&e.Batch, &e.Events, &began)
	if began.Valid {
		e.AsOf = began.Time.UTC()
	}
	return e, err
}
