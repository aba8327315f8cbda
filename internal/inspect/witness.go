package inspect

import (
	"context"
	"database/sql"

	"datasync/internal/model"
)

// ReadRepeats counts the elements of the file's first walk that came again further down, alike in all
// fields, where it was out of order: there copies do not stand side by side.
func ReadRepeats(ctx context.Context, db *sql.DB) (n int64, err error) {
	err = db.QueryRowContext(ctx, `SELECT coalesce(sum(duplicate - conflict), 0)::BIGINT FROM page_log JOIN checkpoint USING (window_id)
		WHERE window_id = 1 AND unordered AND NOT resumed AND endpoint <> 'closing check'`).Scan(&n)
	return n, err
}

const DeficitKey = "deficit"

func DeficitOf(meta map[string]string) (d model.Deficit, err error) {
	text, ok := meta[DeficitKey]
	if !ok {
		return d, nil
	}
	return model.ParseDeficit(text)
}
