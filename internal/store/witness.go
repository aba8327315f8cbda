package store

import (
	"context"
	"database/sql"

	"datasync/internal/model"
)

// readRepeats counts the elements of the file's first walk that came again further down, alike in all
// fields, where it was out of order: there copies do not stand side by side.
func readRepeats(ctx context.Context, db *sql.DB) (n int64, err error) {
	err = db.QueryRowContext(ctx, `SELECT coalesce(sum(duplicate - conflict), 0)::BIGINT FROM page_log JOIN checkpoint USING (window_id)
		WHERE window_id = 1 AND unordered AND NOT resumed AND endpoint <> 'closing check'`).Scan(&n)
	return n, err
}

// Witness says what the API's totals say of the file.
func (s *Store) Witness(ctx context.Context) (model.Witness, error) {
	windows, err := readWindows(ctx, s.db)
	if err != nil {
		return model.Witness{}, translate(s.path, err)
	}
	repeats, err := readRepeats(ctx, s.db)
	return model.WitnessOf(windows, repeats), translate(s.path, err)
}

const deficitKey = "deficit"

// SetDeficit keeps the deficit with which a pull ended; the zero value is none.
func (s *Store) SetDeficit(ctx context.Context, d model.Deficit) error {
	return s.inTransaction(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM meta WHERE key = ?", deficitKey)
		if err == nil && d != (model.Deficit{}) {
			_, err = tx.ExecContext(ctx, "INSERT INTO meta VALUES (?, ?)", deficitKey, d.String())
		}
		return err
	})
}

// Deficit returns the deficit with which the last pull ended.
func (s *Store) Deficit(ctx context.Context) (model.Deficit, error) {
	meta, err := readMeta(ctx, s.db)
	if err != nil {
		return model.Deficit{}, translate(s.path, err)
	}
	d, err := deficitOf(meta)
	if err != nil {
		return d, &model.FileError{Kind: ErrDamaged, Path: s.path, Detail: err.Error()}
	}
	return d, nil
}

func deficitOf(meta map[string]string) (d model.Deficit, err error) {
	text, ok := meta[deficitKey]
	if !ok {
		return d, nil
	}
	return model.ParseDeficit(text)
}
