package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"datasync/internal/failpoint"
	"datasync/internal/model"
)

const notBeforeKey = "not_before."

// longestKept is LongestWait with the jitter that a pull adds.
const longestKept = model.LongestWait + time.Minute

// Wait is until when an endpoint asked to be left alone.
type Wait struct {
	Endpoint string
	Until    time.Time
}

// BoundWait returns the wait as it may be kept: no longer than LongestWait and some jitter.
func BoundWait(wait time.Duration) time.Duration { return min(wait, longestKept) }

// SetNotBefore keeps that an endpoint asked now to be left alone for wait, as far as
// BoundWait allows, in a transaction of its own, so that the next run keeps to it too. Until
// that is committed the lock file says so.
func (s *Store) SetNotBefore(ctx context.Context, endpoint string, wait time.Duration) error {
	wait = BoundWait(wait)
	value := formatNotBefore(time.Now(), wait)
	if s.lock != nil {
		s.lock.note(notBeforeKey + endpoint + " " + value)
		failpoint.Hit("f15")
	}
	return s.keepNotBefore(ctx, notBeforeKey+endpoint, value)
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

// waits are the waits that a file keeps.
type waits struct {
	// opens says until when each endpoint is to be left alone.
	opens map[string]time.Time
	// changed are entries that meta should have and has not: only the lock file has them, or
	// the clock was set back since.
	changed map[string]string
	// implausible are waits that are not kept to; stored are the entries of meta, and stale
	// those of them that have such a wait.
	implausible   []Wait
	stored, stale []string
}

// readWaits reads the waits of meta, and those that a killed pull noted in the lock file and
// could not commit any more.
func readWaits(path string, meta map[string]string, notes string, now time.Time) (w waits, err error) {
	w = waits{opens: map[string]time.Time{}, changed: map[string]string{}}
	kept, implausible := map[string]string{}, map[string]time.Time{}
	take := func(key, value string, noted bool) error {
		until, wait, err := parseNotBefore(value)
		endpoint := strings.TrimPrefix(key, notBeforeKey)
		switch {
		case err != nil:
			return err
		case wait > longestKept:
			if until.After(now) {
				implausible[endpoint] = until
			}
			if !noted {
				w.stale = append(w.stale, key)
			}
			return nil
		}
		if known, _, err := parseNotBefore(kept[key]); err == nil && !until.After(known) {
			return nil
		}
		if kept[key] = value; noted {
			w.changed[key] = value
		}
		// Where the clock was set back in the meantime, nobody knows how much of the wait is
		// over: it begins again, once.
		if until.Sub(now) > wait {
			until, w.changed[key] = now.Add(wait), formatNotBefore(now, wait)
		}
		// Counted from now by the monotonic clock, which UTC would strip: while the wait goes by, the
		// wall clock may be set.
		w.opens[endpoint] = now.Add(until.Sub(now))
		return nil
	}
	for key, value := range meta {
		if !strings.HasPrefix(key, notBeforeKey) {
			continue
		}
		w.stored = append(w.stored, key)
		if take(key, value, false) != nil {
			return w, &model.FileError{Kind: ErrDamaged, Path: path, Detail: fmt.Sprintf("%s is %q", key, value)}
		}
	}
	for line := range strings.Lines(notes) {
		// The last one may be half a line, and what cannot be read is no note.
		key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		if strings.HasPrefix(key, notBeforeKey) && strings.HasSuffix(line, "\n") {
			_ = take(key, value, true)
		}
	}
	w.implausible = sortedWaits(implausible)
	return w, nil
}

func sortedWaits(of map[string]time.Time) (sorted []Wait) {
	for _, endpoint := range slices.Sorted(maps.Keys(of)) {
		sorted = append(sorted, Wait{endpoint, of[endpoint]})
	}
	return sorted
}

// stillOpen returns the waits that are not over.
func stillOpen(opens map[string]time.Time, now time.Time) map[string]time.Time {
	open := maps.Clone(opens)
	maps.DeleteFunc(open, func(_ string, until time.Time) bool { return !until.After(now) })
	return open
}

// takeOver brings meta up to date: the waits that the lock file notes come in, implausible
// ones go, or, where the user said so, all.
func (s *Store) takeOver(ctx context.Context, meta map[string]string, forget bool) error {
	now := time.Now()
	w, err := readWaits(s.path, meta, s.lock.left, now)
	if err != nil {
		return err
	}
	s.implausible = w.implausible
	drop, keep := w.stale, w.changed
	if forget {
		s.forgotten = sortedWaits(stillOpen(w.opens, now))
		drop, keep = w.stored, nil
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
	// What is forgotten must not come back where this pull is killed.
	return s.lock.forget()
}

// ImplausibleWaits returns the waits that were found in the file and dropped, as no endpoint
// can have asked for them.
func (s *Store) ImplausibleWaits() []Wait { return s.implausible }

// ForgottenWaits returns the waits that were not over and were dropped because of
// Options.ForgetWaits.
func (s *Store) ForgottenWaits() []Wait { return s.forgotten }

// NotBefore returns until when each endpoint asked to be left alone. That is never
// further away than the wait it asked for, nor than LongestWait and some jitter.
func (s *Store) NotBefore(ctx context.Context) (map[string]time.Time, error) {
	meta, err := readMeta(ctx, s.db)
	if err != nil {
		return nil, translate(s.path, err)
	}
	w, err := readWaits(s.path, meta, "", time.Now())
	return w.opens, err
}

func formatNotBefore(from time.Time, wait time.Duration) string {
	return from.Add(wait).UTC().Format(time.RFC3339Nano) + " " + wait.String()
}

// parseNotBefore reads until when, and for how long, an endpoint asked to be left alone.
func parseNotBefore(value string) (until time.Time, wait time.Duration, err error) {
	point, length, _ := strings.Cut(value, " ")
	until, err1 := time.Parse(time.RFC3339Nano, point)
	wait, err2 := time.ParseDuration(length)
	return until, wait, errors.Join(err1, err2)
}
