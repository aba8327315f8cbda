package store

import (
	"context"
	"database/sql"
	"errors"
	"strings"
)

// readMeta returns the table meta as a map.
func readMeta(ctx context.Context, db *sql.DB) (map[string]string, error) {
	rows, err := db.QueryContext(ctx, "SELECT key, value FROM meta")
	if err != nil {
		return nil, err
	}
	meta := map[string]string{}
	for rows.Next() {
		var key, value string
		if err := rows.Scan(&key, &value); err != nil {
			return nil, errors.Join(err, rows.Close())
		}
		meta[key] = value
	}
	return meta, errors.Join(rows.Err(), rows.Close())
}

// quote writes s as an SQL string.
func quote(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }
