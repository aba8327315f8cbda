package inspect

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"datasync/internal/dbfile"
	"datasync/internal/model"
)

const NotBeforeKey = "not_before."

// Wait is until when an endpoint asked to be left alone.
type Wait struct {
	Endpoint string
	Until    time.Time
}

// waits are the waits that a file keeps.
type waits struct {
	// Opens says until when each endpoint is to be left alone.
	Opens map[string]time.Time
	// Changed are entries that meta should have and has not: only the lock file has them, or
	// the clock was set back since.
	Changed map[string]string
	// Implausible are waits that are not kept to; stored are the entries of meta, and stale
	// those of them that have such a wait.
	Implausible   []Wait
	Stored, Stale []string
}

// ReadWaits reads the waits of meta, and those that a killed pull noted in the lock file and
// could not commit any more.
func ReadWaits(path string, meta map[string]string, notes string, now time.Time) (w waits, err error) {
	w = waits{Opens: map[string]time.Time{}, Changed: map[string]string{}}
	kept, implausible := map[string]string{}, map[string]time.Time{}
	take := func(key, value string, noted bool) error {
		until, wait, err := parseNotBefore(value)
		endpoint := strings.TrimPrefix(key, NotBeforeKey)
		switch {
		case err != nil:
			return err
		case wait > model.LongestKept:
			if until.After(now) {
				implausible[endpoint] = until
			}
			if !noted {
				w.Stale = append(w.Stale, key)
			}
			return nil
		}
		if known, _, err := parseNotBefore(kept[key]); err == nil && !until.After(known) {
			return nil
		}
		if kept[key] = value; noted {
			w.Changed[key] = value
		}
		// Where the clock was set back in the meantime, nobody knows how much of the wait is
		// over: it begins again, once.
		if until.Sub(now) > wait {
			until, w.Changed[key] = now.Add(wait), FormatNotBefore(now, wait)
		}
		// Counted from now by the monotonic clock, which UTC would strip: while the wait goes by, the
		// wall clock may be set.
		w.Opens[endpoint] = now.Add(until.Sub(now))
		return nil
	}
	for key, value := range meta {
		if !strings.HasPrefix(key, NotBeforeKey) {
			continue
		}
		w.Stored = append(w.Stored, key)
		if take(key, value, false) != nil {
			return w, &model.FileError{Kind: dbfile.ErrDamaged, Path: path, Detail: fmt.Sprintf("%s is %q", key, value)}
		}
	}
	for line := range strings.Lines(notes) {
		// The last one may be half a line, and what cannot be read is no note.
		key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		if strings.HasPrefix(key, NotBeforeKey) && strings.HasSuffix(line, "\n") {
			_ = take(key, value, true)
		}
	}
	w.Implausible = SortedWaits(implausible)
	return w, nil
}

func SortedWaits(of map[string]time.Time) (sorted []Wait) {
	for _, endpoint := range slices.Sorted(maps.Keys(of)) {
		sorted = append(sorted, Wait{endpoint, of[endpoint]})
	}
	return sorted
}

// StillOpen returns the waits that are not over.
func StillOpen(opens map[string]time.Time, now time.Time) map[string]time.Time {
	open := maps.Clone(opens)
	maps.DeleteFunc(open, func(_ string, until time.Time) bool { return !until.After(now) })
	return open
}

func FormatNotBefore(from time.Time, wait time.Duration) string {
	return from.Add(wait).UTC().Format(time.RFC3339Nano) + " " + wait.String()
}

// parseNotBefore reads until when, and for how long, an endpoint asked to be left alone.
func parseNotBefore(value string) (until time.Time, wait time.Duration, err error) {
	point, length, _ := strings.Cut(value, " ")
	until, err1 := time.Parse(time.RFC3339Nano, point)
	wait, err2 := time.ParseDuration(length)
	return until, wait, errors.Join(err1, err2)
}
