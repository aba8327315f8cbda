package figures

import (
	"context"
	"database/sql"
	"slices"
	"time"

	"datasync/internal/inspect"
	"datasync/internal/model"
)

// Window is a window of the pull on the time axis of events.
type Window struct {
	// Number counts from 1, the oldest window.
	Number int64
	// PulledAt is when its walk began at the newest event; zero if an older version walked it.
	PulledAt time.Time
	// StartBound is the start bound of the file when the window was opened; zero if it had none.
	StartBound time.Time
	Done       bool
	// Pages and Events count its committed pages and the events on them.
	Pages, Events int64
	// Walked are the spans whose events are here, and Open those that are not yet pulled, from old
	// to new. An Open span without a From goes down to the API's oldest event.
	Walked, Open []Span
}

// Span is a stretch of time; a zero From or To is no bound.
type Span struct{ From, To time.Time }

// ReadWindows reads the windows of a file that is open for reading, the oldest first.
func ReadWindows(ctx context.Context, db *sql.DB) ([]Window, error) {
	rows, err := inspect.ReadWindows(ctx, db)
	if err != nil {
		return nil, err
	}
	oldest := map[int64]time.Time{}
	if err := oldestWalked(ctx, db, oldest); err != nil {
		return nil, err
	}
	var windows []Window
	for i := range rows {
		k := &rows[i]
		if k.NeverBegun() {
			continue
		}
		at := slices.IndexFunc(windows, func(w Window) bool { return w.Number == k.Whole })
		if at < 0 {
			at = len(windows)
			windows = append(windows, Window{Number: k.Whole, Done: true})
		}
		windows[at].take(k, oldest[k.Window])
	}
	for i := range windows {
		windows[i].Walked, windows[i].Open = joined(windows[i].Walked), joined(windows[i].Open)
	}
	slices.Reverse(windows)
	return windows, nil
}

// oldestWalked reads the instant of the oldest event on the pages of each window and shard.
func oldestWalked(ctx context.Context, db *sql.DB, into map[int64]time.Time) (err error) {
	rows, err := db.QueryContext(ctx, "SELECT window_id, min(epoch_us(last_timestamp)) FROM page_log WHERE last_timestamp IS NOT NULL GROUP BY window_id")
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var window, at int64
		if err := rows.Scan(&window, &at); err != nil {
			return err
		}
		into[window] = micros(at)
	}
	return rows.Err()
}

// take adds the checkpoint of the window or of one of its shards. oldest is the instant of the oldest
// event on its pages.
func (w *Window) take(k *model.Checkpoint, oldest time.Time) {
	w.Done = w.Done && k.State == model.Done
	w.Pages += k.Pages
	w.Events += k.Events
	w.StartBound = later(w.StartBound, instantOf(k.StartBound))
	if !k.IsShard() && !k.TopAt.IsZero() {
		w.PulledAt = k.TopAt.UTC()
	}
	top := instantOf(k.Upper)
	if k.IsShard() {
		top = instantOf(k.Begins)
	}
	bottom := instantOf(k.Lower)
	if k.State == model.Done {
		if bottom.IsZero() {
			bottom = oldest
		}
		w.Walked = append(w.Walked, Span{bottom, top})
		return
	}
	if k.Last.Valid {
		last := k.Last.V.Timestamp.Time()
		w.Walked = append(w.Walked, Span{last, top})
		top = last
	}
	w.Open = append(w.Open, Span{bottom, top})
}

// instantOf is zero for an instant that is not valid.
func instantOf(i sql.Null[model.Instant]) time.Time {
	if !i.Valid {
		return time.Time{}
	}
	return i.V.Time()
}

// joined sorts spans from old to new and joins those that touch.
func joined(spans []Span) []Span {
	slices.SortFunc(spans, func(a, b Span) int { return a.From.Compare(b.From) })
	var all []Span
	for _, s := range spans {
		last := len(all) - 1
		switch {
		case last < 0 || !all[last].To.IsZero() && s.From.After(all[last].To):
			all = append(all, s)
		case s.To.IsZero() || !all[last].To.IsZero() && s.To.After(all[last].To):
			all[last].To = s.To
		}
	}
	return all
}

// NotYetPulled are the spans that no window has pulled, from old to new.
func NotYetPulled(windows []Window) []Span {
	var open []Span
	for _, w := range windows {
		open = append(open, w.Open...)
	}
	return joined(open)
}
