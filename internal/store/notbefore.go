package store

import (
	"context"
	"errors"
	"strings"
	"time"
)

const notBeforeKey = "not_before."

// SetNotBefore keeps until when an endpoint asked to be left alone, in a
// transaction of its own, so that the next run keeps to it too.
func (s *Store) SetNotBefore(ctx context.Context, endpoint string, until time.Time) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return translate(s.path, err)
	}
	defer func() { _ = tx.Rollback() }()
	_, err1 := tx.ExecContext(ctx, "DELETE FROM meta WHERE key = ?", notBeforeKey+endpoint)
	_, err2 := tx.ExecContext(ctx, "INSERT INTO meta VALUES (?, ?)", notBeforeKey+endpoint, until.UTC().Format(time.RFC3339Nano))
	return translate(s.path, errors.Join(err1, err2, tx.Commit()))
}

// NotBefore returns until when each endpoint asked to be left alone.
func (s *Store) NotBefore(ctx context.Context) (map[string]time.Time, error) {
	meta, err := readMeta(ctx, s.db)
	if err != nil {
		return nil, translate(s.path, err)
	}
	opens := map[string]time.Time{}
	for key, value := range meta {
		if endpoint, ok := strings.CutPrefix(key, notBeforeKey); ok {
			if opens[endpoint], err = time.Parse(time.RFC3339Nano, value); err != nil {
				return nil, translate(s.path, err)
			}
		}
	}
	return opens, nil
}
