package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"

	"datasync/internal/failpoint"
)

const notBeforeKey = "not_before."

// SetNotBefore keeps that an endpoint asked now to be left alone for wait, in a
// transaction of its own, so that the next run keeps to it too. Until that is committed the
// lock file says so.
func (s *Store) SetNotBefore(ctx context.Context, endpoint string, wait time.Duration) error {
	value := time.Now().Add(wait).UTC().Format(time.RFC3339Nano) + " " + wait.String()
	if s.lock != nil {
		s.lock.note(notBeforeKey + endpoint + " " + value)
		failpoint.Hit("f15")
	}
	return s.keepNotBefore(ctx, notBeforeKey+endpoint, value)
}

func (s *Store) keepNotBefore(ctx context.Context, key, value string) error {
	return s.inTransaction(ctx, func(tx *sql.Tx) error {
		_, err1 := tx.ExecContext(ctx, "DELETE FROM meta WHERE key = ?", key)
		_, err2 := tx.ExecContext(ctx, "INSERT INTO meta VALUES (?, ?)", key, value)
		return errors.Join(err1, err2)
	})
}

// addNoted adds to meta the waits that a killed pull noted in the lock file and could not
// commit any more, and returns those that were missing.
func addNoted(meta map[string]string, noted string) (missing map[string]string) {
	missing = map[string]string{}
	for line := range strings.Lines(noted) {
		// The last one may be half a line.
		key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		if !strings.HasPrefix(key, notBeforeKey) || !strings.HasSuffix(line, "\n") {
			continue
		}
		until, _, err := parseNotBefore(value)
		if err != nil {
			continue
		}
		if known, _, err := parseNotBefore(meta[key]); err != nil || until.After(known) {
			meta[key], missing[key] = value, value
		}
	}
	return missing
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
		until, wait, err := parseNotBefore(value)
		if err != nil {
			return nil, &Error{Kind: ErrDamaged, Path: path, Detail: fmt.Sprintf("%s is %q", key, value)}
		}
		opens[endpoint] = now.Add(min(until.Sub(now), wait))
	}
	return opens, nil
}

// parseNotBefore reads until when, and for how long, an endpoint asked to be left alone.
func parseNotBefore(value string) (until time.Time, wait time.Duration, err error) {
	point, length, _ := strings.Cut(value, " ")
	until, err1 := time.Parse(time.RFC3339Nano, point)
	wait, err2 := time.ParseDuration(length)
	return until, wait, errors.Join(err1, err2)
}
