package inspect

import (
	"context"
	"database/sql"
	"errors"
	"strconv"
	"strings"

	"datasync/internal/dbfile"
	"datasync/internal/model"
)

// ReadMeta returns table meta as a map. The origin is in lower case; older programs stored it as it
// was typed.
func ReadMeta(ctx context.Context, db *sql.DB) (map[string]string, error) {
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
	if origin, ok := meta["origin"]; ok {
		meta["origin"] = strings.ToLower(origin)
	}
	return meta, errors.Join(rows.Err(), rows.Close())
}

// ReadCurrentMeta is ReadMeta of a file that must have the schema SchemaVersion. It fails with
// dbfile.ErrOlder.
func ReadCurrentMeta(ctx context.Context, db *sql.DB, path string) (map[string]string, error) {
	meta, err := ReadMeta(ctx, db)
	if err != nil {
		return nil, dbfile.Translate(path, err)
	}
	if version := meta["schema_version"]; version != strconv.Itoa(SchemaVersion) {
		return nil, &model.FileError{Kind: dbfile.ErrOlder, Path: path, Detail: "it has schema " + version,
			Hint: "run datasync pull, which brings it up to date"}
	}
	return meta, nil
}

// CheckedKey is the key in table meta of the last batch whose ids the closing check has checked.
const CheckedKey = "checked_batch"
