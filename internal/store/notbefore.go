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

// SetNotBefore keeps that an endpoint asked now to be left alone for wait, as far as
// model.LongestKept allows, in a transaction of its own, so that the next run keeps to it too. Until
// that is committed the lock file says so.
func (s *Store) SetNotBefore(ctx context.Context, endpoint string, wait time.Duration) error {
	wait = min(wait, model.LongestKept)
	value := inspect.FormatNotBefore(time.Now(), wait)
	if s.lock != nil {
		s.lock.Note(inspect.NotBeforeKey + endpoint + " " + value)
		failpoint.Hit("f15")
	}
	return s.keepNotBefore(ctx, inspect.NotBeforeKey+endpoint, value)
}

// keepNotBefore gives an entry of meta the value; without one it removes the entry.
func (s *Store) keepNotBefore(ctx context.Context, key, value string) error {
	return s.inTransaction(ctx, func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, "DELETE FROM meta WHERE key = ?", key)
		if value != "" {
			_, err2 := tx.ExecContext(ctx, "INSERT INTO meta VALUES (?, ?)", key, value)
			err = errors.Join(err, err2)
		}
		return err
	})
}

// takeOver brings meta up to date: the waits that the lock file notes come in, implausible
// ones go, or, where the user said so, all.
func (s *Store) takeOver(ctx context.Context, meta map[string]string, forget bool) error {
	now := time.Now()
	w, err := inspect.ReadWaits(s.path, meta, s.lock.Left(), now)
	if err != nil {
		return err
	}
	s.implausible = w.Implausible
	drop, keep := w.Stale, w.Changed
	if forget {
		s.forgotten = inspect.SortedWaits(inspect.StillOpen(w.Opens, now))
		drop, keep = w.Stored, nil
	}
	for _, key := range drop {
		if err := s.keepNotBefore(ctx, key, ""); err != nil {
			return err
		}
	}
	for key, value := range keep {
		if err := s.keepNotBefore(ctx, key, value); err != nil {
			return err
		}
	}
	return nil
}

// ImplausibleWaits returns the waits that were found in the file and dropped, as no endpoint
// can have asked for them.
func (s *Store) ImplausibleWaits() []inspect.Wait { return s.implausible }

// ForgottenWaits returns the waits that were not over and were dropped because of
// Options.ForgetWaits.
func (s *Store) ForgottenWaits() []inspect.Wait { return s.forgotten }

// NotBefore returns until when each endpoint asked to be left alone. That is never
// further away than the wait it asked for, nor than LongestWait and some jitter.
func (s *Store) NotBefore(ctx context.Context) (map[string]time.Time, error) {
	meta, err := inspect.ReadMeta(ctx, s.db)
	if err != nil {
		return nil, dbfile.Translate(s.path, err)
	}
	w, err := inspect.ReadWaits(s.path, meta, "", time.Now())
	return w.Opens, err
}
