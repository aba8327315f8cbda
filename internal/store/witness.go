package store

import (
	"context"
	"database/sql"

	"datasync/internal/dbfile"
	"datasync/internal/inspect"
	"datasync/internal/model"
)

// Witness returns the API's totals as far as the file has them.
func (s *Store) Witness(ctx context.Context) (model.Witness, error) {
	windows, err := inspect.ReadWindows(ctx, s.db)
	if err != nil {
		return model.Witness{}, dbfile.Translate(s.path, err)
	}
	repeats, err := inspect.ReadRepeats(ctx, s.db)
	return model.WitnessOf(windows, repeats), dbfile.Translate(s.path, err)
}

// SetDeficit stores the deficit with which a pull ended; the zero value is none.
func (s *Store) SetDeficit(ctx context.Context, d model.Deficit) error {
	return s.inTransaction(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM meta WHERE key = ?", inspect.DeficitKey)
		if err == nil && d != (model.Deficit{}) {
			_, err = tx.ExecContext(ctx, "INSERT INTO meta VALUES (?, ?)", inspect.DeficitKey, d.String())
		}
		return err
	})
}

// Deficit returns the deficit with which the last pull ended, the zero value if there is none. It fails
// with dbfile.ErrDamaged.
func (s *Store) Deficit(ctx context.Context) (model.Deficit, error) {
	meta, err := inspect.ReadMeta(ctx, s.db)
	if err != nil {
		return model.Deficit{}, dbfile.Translate(s.path, err)
	}
	d, err := inspect.DeficitOf(meta)
	if err != nil {
		return d, &model.FileError{Kind: dbfile.ErrDamaged, Path: s.path, Detail: err.Error()}
	}
	return d, nil
}
