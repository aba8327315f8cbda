package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"
)

const notBeforeKey = "not_before."

// SetNotBefore keeps that an endpoint asked now to be left alone for wait, in a
// transaction of its own, so that the next run keeps to it too.
func (s *Store) SetNotBefore(ctx context.Context, endpoint string, wait time.Duration) error {
	value := time.Now().Add(wait).UTC().Format(time.RFC3339Nano) + " " + wait.String()
	return s.inTransaction(ctx, func(tx *sql.Tx) error {
		_, err1 := tx.ExecContext(ctx, "DELETE FROM meta WHERE key = ?", notBeforeKey+endpoint)
		_, err2 := tx.ExecContext(ctx, "INSERT INTO meta VALUES (?, ?)", notBeforeKey+endpoint, value)
		return errors.Join(err1, err2)
	})
}

// NotBefore returns until when each endpoint asked to be left alone. That is never
// further away than the wait it asked for, so that a clock which was set back in
// the meantime does not close an endpoint for years.
func (s *Store) NotBefore(ctx context.Context) (map[string]time.Time, error) {
	meta, err := readMeta(ctx, s.db)
	if err != nil {
		return nil, translate(s.path, err)
	}
	return notBefore(s.path, meta, time.Now())
}

func notBefore(path string, meta map[string]string, now time.Time) (map[string]time.Time, error) {
	opens := map[string]time.Time{}
	for key, value := range meta {
		endpoint, ok := strings.CutPrefix(key, notBeforeKey)
		if !ok {
			continue
		}
		point, length, _ := strings.Cut(value, " ")
		until, err1 := time.Parse(time.RFC3339Nano, point)
		wait, err2 := time.ParseDuration(length)
		if err := errors.Join(err1, err2); err != nil {
			return nil, &Error{Kind: ErrDamaged, Path: path, Detail: fmt.Sprintf("%s is %q", key, value)}
		}
		opens[endpoint] = now.Add(min(until.Sub(now), wait))
	}
	return opens, nil
}
