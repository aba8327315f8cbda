package store

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"datasync/internal/dbfile"
	"datasync/internal/failpoint"
	"datasync/internal/inspect"
	"datasync/internal/model"
)

// SetNotBefore persists that an endpoint asked now for no request within wait, of which
// model.LongestKept counts at most, so that the next run waits too. It commits a transaction of its
// own. Until then the lock file has a note of it.
func (s *Store) SetNotBefore(ctx context.Context, endpoint string, wait time.Duration) error {
	wait = min(wait, model.LongestKept)
	value := inspect.FormatNotBefore(time.Now(), wait)
	if s.lock != nil {
		s.lock.Note(inspect.NotBeforeKey + endpoint + " " + value)
		failpoint.Hit("f15")
	}
	return s.setMeta(ctx, inspect.NotBeforeKey+endpoint, value)
}

// setMeta sets an entry of table meta; the value "" removes it.
func (s *Store) setMeta(ctx context.Context, key, value string) error {
	return s.inTransaction(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM meta WHERE key = ?", key)
		if value != "" {
			_, err2 := tx.ExecContext(ctx, "INSERT INTO meta VALUES (?, ?)", key, value)
			err = errors.Join(err, err2)
		}
		return err
	})
}

// adoptWaits adds the waits that the lock file notes to table meta, and removes implausible ones.
func (s *Store) adoptWaits(ctx context.Context, w *inspect.Waits) error {
	if err := s.removeWaits(ctx, w.Stale); err != nil {
		return err
	}
	for key, value := range w.Changed {
		if err := s.setMeta(ctx, key, value); err != nil {
			return err
		}
	}
	return nil
}

// forgetWaits removes all waits from table meta.
func (s *Store) forgetWaits(ctx context.Context, w *inspect.Waits) error {
	s.opened.forgotten = inspect.SortedWaits(inspect.StillOpen(w.Opens, time.Now()))
	return s.removeWaits(ctx, w.Stored)
}

func (s *Store) removeWaits(ctx context.Context, keys []string) error {
	for _, key := range keys {
		if err := s.setMeta(ctx, key, ""); err != nil {
			return err
		}
	}
	return nil
}

// ImplausibleWaits returns the waits that Open dropped because no endpoint can have asked for them.
func (s *Store) ImplausibleWaits() []inspect.Wait { return s.opened.implausible }

// ForgottenWaits returns the waits that were not over and that Open dropped because of
// Options.ForgetWaits.
func (s *Store) ForgottenWaits() []inspect.Wait { return s.opened.forgotten }

// NotBefore returns from when on each endpoint may be asked. No wait is longer than the endpoint
// asked for, or than model.LongestKept.
func (s *Store) NotBefore(ctx context.Context) (map[string]time.Time, error) {
	meta, err := inspect.ReadMeta(ctx, s.db)
	if err != nil {
		return nil, dbfile.Translate(s.path, err)
	}
	w, err := inspect.ReadWaits(s.path, meta, "", time.Now())
	return w.Opens, err
}
