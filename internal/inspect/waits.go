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

// NotBeforeKey is the prefix of the keys in table meta, and in notes, of waits that endpoints
// asked for.
const NotBeforeKey = "not_before."

// Wait says until when an endpoint asked for no request.
type Wait struct {
	Endpoint string
	Until    time.Time
}

// Waits are the waits that a file has.
type Waits struct {
	// Opens says from when on each endpoint may be asked.
	Opens map[string]time.Time
	// Changed are entries to write to table meta: only the lock file has them, or the clock was set
	// back since.
	Changed map[string]string
	// Implausible are the waits that are ignored because no endpoint can have asked for them.
	Implausible []Wait
	// Stored are the keys in table meta, and Stale those of them whose wait is implausible.
	Stored, Stale []string
}

// ReadWaits reads the waits of table meta, and those that a killed pull noted in the lock file but
// did not commit. It fails with dbfile.ErrDamaged.
func ReadWaits(path string, meta map[string]string, notes string, now time.Time) (Waits, error) {
	r := waitReader{
		Waits: Waits{Opens: map[string]time.Time{}, Changed: map[string]string{}},
		now:   now, values: map[string]string{}, implausible: map[string]time.Time{},
	}
	for key, value := range meta {
		if !strings.HasPrefix(key, NotBeforeKey) {
			continue
		}
		r.Stored = append(r.Stored, key)
		if r.stored(key, value) != nil {
			return r.Waits, &model.FileError{Kind: dbfile.ErrDamaged, Path: path, Detail: fmt.Sprintf("%s is %q", key, value)}
		}
	}
	for line := range strings.Lines(notes) {
		// A kill may leave half a line at the end. Other lines that cannot be read are ignored too.
		key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		if strings.HasPrefix(key, NotBeforeKey) && strings.HasSuffix(line, "\n") {
			r.noted(key, value)
		}
	}
	r.Implausible = SortedWaits(r.implausible)
	return r.Waits, nil
}

// waitReader collects waits, of which the latest of an endpoint counts.
type waitReader struct {
	Waits
	now         time.Time
	values      map[string]string // the latest of each key
	implausible map[string]time.Time
}

// stored reads an entry of table meta.
func (r *waitReader) stored(key, value string) error {
	until, wait, err := parseNotBefore(value)
	if err == nil && !r.add(key, value, until, wait) && wait > model.LongestKept {
		r.Stale = append(r.Stale, key)
	}
	return err
}

// noted reads a note of the lock file.
func (r *waitReader) noted(key, value string) {
	until, wait, err := parseNotBefore(value)
	if err == nil && r.add(key, value, until, wait) && r.Changed[key] == "" {
		r.Changed[key] = value
	}
}

// add adds a wait, and reports whether it is plausible and the latest of its endpoint.
func (r *waitReader) add(key, value string, until time.Time, wait time.Duration) bool {
	endpoint := strings.TrimPrefix(key, NotBeforeKey)
	if wait > model.LongestKept {
		if until.After(r.now) {
			r.implausible[endpoint] = until
		}
		return false
	}
	if known, _, err := parseNotBefore(r.values[key]); err == nil && !until.After(known) {
		return false
	}
	r.values[key] = value
	delete(r.Changed, key)
	// If the clock was set back in the meantime, it does not tell how much of the wait is over: the
	// wait begins again, once.
	if until.Sub(r.now) > wait {
		until, r.Changed[key] = r.now.Add(wait), FormatNotBefore(r.now, wait)
	}
	// The monotonic clock counts from now, even if the wall clock is set during the wait. UTC would
	// strip it.
	r.Opens[endpoint] = r.now.Add(until.Sub(r.now))
	return true
}

// SortedWaits returns the waits by endpoint.
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

// FormatNotBefore returns the value in table meta of a wait that begins at from.
func FormatNotBefore(from time.Time, wait time.Duration) string {
	return from.Add(wait).UTC().Format(time.RFC3339Nano) + " " + wait.String()
}

// parseNotBefore is the reverse of FormatNotBefore.
func parseNotBefore(value string) (until time.Time, wait time.Duration, err error) {
	point, length, _ := strings.Cut(value, " ")
	until, err1 := time.Parse(time.RFC3339Nano, point)
	wait, err2 := time.ParseDuration(length)
	return until, wait, errors.Join(err1, err2)
}
