package inspect

import (
	"context"
	"database/sql"

	"datasync/internal/model"
)

// ReadRepeats counts the exact copies that the API served in the file's first walk, if that was out
// of order: copies are not next to each other then, and the walk itself did not count them.
func ReadRepeats(ctx context.Context, db *sql.DB) (n int64, err error) {
	err = db.QueryRowContext(ctx, `SELECT coalesce(sum(duplicate - conflict), 0)::BIGINT FROM page_log JOIN checkpoint USING (window_id)
		WHERE window_id = 1 AND unordered AND NOT resumed AND endpoint <> 'closing check'`).Scan(&n)
	return n, err
}

// DeficitKey is the key in table meta of the deficit with which a pull ended.
const DeficitKey = "deficit"

// DeficitOf returns the deficit of table meta, the zero value if there is none.
func DeficitOf(meta map[string]string) (d model.Deficit, err error) {
	text, ok := meta[DeficitKey]
	if !ok {
		return d, nil
	}
	return model.ParseDeficit(text)
}
