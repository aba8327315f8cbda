package store

import (
	"context"
	"database/sql"
	"errors"
	"strconv"

	"datasync/internal/dbfile"
	"datasync/internal/inspect"
)

// NewFields returns the members of events without a column that this run was the first to store. SQL
// counts them in the rows that have any, so that other events cost no time. After the closing check it
// keeps the counts for the next run and for readers. No batch may be in progress.
func (s *Store) NewFields(ctx context.Context) (added []inspect.NewField, err error) {
	meta, err := inspect.ReadMeta(ctx, s.db)
	if err != nil {
		return nil, dbfile.Translate(s.path, err)
	}
	fields, err := inspect.ReadNewFields(ctx, s.db, meta)
	if err != nil {
		return nil, dbfile.Translate(s.path, err)
	}
	for _, f := range fields {
		if f.Batch > s.opened.batch {
			added = append(added, f)
		}
	}
	// The closing check may still delete rows of batches that it has not checked.
	if meta[inspect.CheckedKey] != strconv.FormatInt(s.batch, 10) {
		return added, nil
	}
	value, err := inspect.NewFieldsValue(fields, s.batch)
	if err != nil || value == meta[inspect.FieldsKey] {
		return added, err
	}
	return added, s.inTransaction(ctx, func(tx *sql.Tx) error {
		_, err1 := tx.ExecContext(ctx, "DELETE FROM meta WHERE key = ?", inspect.FieldsKey)
		_, err2 := tx.ExecContext(ctx, "INSERT INTO meta VALUES (?, ?)", inspect.FieldsKey, value)
		return errors.Join(err1, err2)
	})
}
