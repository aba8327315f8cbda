// Package storetest has the contract of a pull's store as a test suite, and a
// store in memory that fulfils it, for tests that cannot use DuckDB.
package storetest

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"datasync/internal/model"
)

// Memory is a store in memory. It may be used by several goroutines.
type Memory struct {
	// Fail, where it is not nil, is asked before each operation, by its name such
	// as "CommitBatch"; its error ends the operation before it does anything.
	Fail func(operation string) error

	mu        sync.Mutex
	windows   []model.Checkpoint // by number
	absorbed  map[int64]bool
	events    []stored
	places    map[place]int // of events
	rejects   map[string]*model.Reject
	resolved  map[string]bool
	log       []model.PageRecord
	runs      []model.Run
	notBefore map[string]time.Time
	batch     int64
	deficit   model.Deficit
	repeats   int64 // of events in the pages of the first window
}

// place is what a second copy of an event is known by before the closing check.
type place struct {
	id uuid.UUID
	at model.Instant
}

type stored struct {
	model.Event
	batch int64
}

// NewMemory returns an empty store.
func NewMemory() *Memory {
	return &Memory{places: map[place]int{}, rejects: map[string]*model.Reject{}, resolved: map[string]bool{}, absorbed: map[int64]bool{}, notBefore: map[string]time.Time{}}
}

func (m *Memory) enter(ctx context.Context, operation string) (leave func(), err error) {
	m.mu.Lock()
	if m.Fail != nil {
		err = m.Fail(operation)
	}
	if err = errors.Join(err, ctx.Err()); err != nil {
		m.mu.Unlock()
		return nil, err
	}
	return m.mu.Unlock, nil
}

// Windows returns the windows, the newest first, each with its parts.
func (m *Memory) Windows(ctx context.Context) ([]model.Checkpoint, error) {
	leave, err := m.enter(ctx, "Windows")
	if err != nil {
		return nil, err
	}
	defer leave()
	windows := slices.DeleteFunc(slices.Clone(m.windows), func(k model.Checkpoint) bool { return m.absorbed[k.Window] })
	slices.SortFunc(windows, func(a, b model.Checkpoint) int {
		if a.Whole != b.Whole || !a.IsPart() || !b.IsPart() {
			return cmp.Or(cmp.Compare(b.Whole, a.Whole), cmp.Compare(a.Window, b.Window))
		}
		return cmp.Compare(b.Begins.V, a.Begins.V)
	})
	return windows, nil
}

// Split makes a part.
func (m *Memory) Split(ctx context.Context, window int64, border model.Instant) (model.Checkpoint, error) {
	leave, err := m.enter(ctx, "Split")
	if err != nil {
		return model.Checkpoint{}, err
	}
	defer leave()
	k := &m.windows[window-1]
	part := model.Checkpoint{
		Window: int64(len(m.windows) + 1), Whole: k.Whole, State: model.NotBegun, Lower: k.Lower, Floor: k.Floor,
		Begins: sql.Null[model.Instant]{V: border, Valid: true}, Unordered: k.Unordered,
	}
	k.Lower = part.Begins
	if !k.IsPart() && k.State == model.NotBegun {
		k.State = model.UnderWay
	}
	m.windows = append(m.windows, part)
	return part, nil
}

// Join makes parts one with the window above them.
func (m *Memory) Join(ctx context.Context, window int64, fromTop bool, parts ...int64) error {
	leave, err := m.enter(ctx, "Join")
	if err != nil {
		return err
	}
	defer leave()
	if window > int64(len(m.windows)) {
		return fmt.Errorf("no window %d", window)
	}
	k := &m.windows[window-1]
	for _, n := range parts {
		part := &m.windows[n-1]
		k.Lower, m.absorbed[n] = part.Lower, true
		part.State, part.Cursor = model.Done, ""
	}
	if fromTop {
		k.State, k.Cursor, k.CursorExpiresAt, k.Walked = model.UnderWay, "", time.Time{}, 0
		k.PageTotal, k.CursorBefore, k.TopAt, k.Copies, k.RanOut, k.FailedRuns = sql.Null[int64]{}, sql.Null[string]{}, time.Time{}, 0, false, 0
		k.Upper, k.Last = sql.Null[model.Instant]{}, sql.Null[model.Position]{}
	}
	return nil
}

// OpenWindow adds a window.
func (m *Memory) OpenWindow(ctx context.Context, lower, floor sql.Null[model.Instant]) (model.Checkpoint, error) {
	leave, err := m.enter(ctx, "OpenWindow")
	if err != nil {
		return model.Checkpoint{}, err
	}
	defer leave()
	m.windows = slices.DeleteFunc(m.windows, func(k model.Checkpoint) bool { return k.NeverBegun() })
	n := int64(len(m.windows) + 1)
	k := model.Checkpoint{Window: n, Whole: n, State: model.NotBegun, Lower: lower, Floor: floor}
	m.windows = append(m.windows, k)
	return k, nil
}

// StartBatch stores a batch.
func (m *Memory) StartBatch(ctx context.Context, b model.Batch) (wait func() (model.Committed, error)) {
	done, err := m.CommitBatch(ctx, b)
	return func() (model.Committed, error) { return done, err }
}

// CommitBatch stores a batch.
func (m *Memory) CommitBatch(ctx context.Context, b model.Batch) (model.Committed, error) {
	leave, err := m.enter(ctx, "CommitBatch")
	if err != nil {
		return model.Committed{}, err
	}
	defer leave()
	if events, rejects := b.Size(); max(events, rejects) > model.MaxRows {
		return model.Committed{}, fmt.Errorf("%d events, %d rejects", events, rejects)
	}
	if b.Checkpoint.Window < 1 || b.Checkpoint.Window > int64(len(m.windows)) {
		return model.Committed{}, fmt.Errorf("no window %d", b.Checkpoint.Window)
	}
	m.batch++
	done := model.Committed{Batch: m.batch, Reasons: map[string]int64{}}
	for _, p := range b.Pages {
		counts := m.storeEvents(p.Events)
		if b.Checkpoint.Window == 1 && !p.Record.Resumed {
			m.repeats += counts.Duplicate - counts.Conflict
		}
		done.Add(counts)
		done.Add(m.keepRejects(p.Rejects, done.Reasons))
		done.Add(model.Counts{Returned: p.Record.Outside, Outside: p.Record.Outside})
		m.log = append(m.log, copyRecord(p.Record))
	}
	for i := range b.Pages {
		if b.Copied != nil {
			b.Copied(i)
		}
	}
	k := b.Checkpoint
	k.Lower, k.FailedRuns = m.windows[k.Window-1].Lower, 0
	m.windows[k.Window-1] = k
	return done, nil
}

func (m *Memory) storeEvents(events []model.Event) model.Counts {
	n := model.Counts{Returned: int64(len(events))}
	for _, e := range events {
		here := place{e.ID, e.Timestamp}
		at, known := m.places[here]
		if !known {
			m.places[here] = len(m.events)
			m.events = append(m.events, stored{copyEvent(e), m.batch})
			n.Stored++
			continue
		}
		n.Duplicate++
		if m.events[at].Event != e {
			n.Conflict++
		}
	}
	return n
}

func (m *Memory) keepRejects(rejects []model.Reject, reasons map[string]int64) model.Counts {
	n := model.Counts{Returned: int64(len(rejects))}
	for _, r := range rejects {
		if m.rejects[r.Key] != nil {
			n.Duplicate++
			continue
		}
		r.Key, r.Raw = strings.Clone(r.Key), strings.Clone(r.Raw)
		m.rejects[r.Key] = &r
		n.Rejected++
		reasons[r.Reason]++
	}
	return n
}

// Settle removes later copies of ids and resolves rejects.
func (m *Memory) Settle(ctx context.Context, _ uuid.UUID, window int64) (model.Settled, error) {
	leave, err := m.enter(ctx, "Settle")
	if err != nil {
		return model.Settled{}, err
	}
	defer leave()
	m.endOlder()
	seen := map[uuid.UUID]bool{}
	before := len(m.events)
	m.events = slices.DeleteFunc(m.events, func(s stored) bool {
		later := seen[s.ID]
		seen[s.ID] = true
		return later
	})
	if before > len(m.events) {
		clear(m.places)
		for i, e := range m.events {
			m.places[place{e.ID, e.Timestamp}] = i
		}
	}
	done := model.Settled{Events: int64(len(m.events)), Removed: int64(before - len(m.events))}
	for key, r := range m.rejects {
		m.resolved[key] = r.ID.Valid && seen[r.ID.UUID]
		if !m.resolved[key] {
			done.Rejected++
		}
	}
	if k := m.windows[window-1]; k.Floor.Valid || !k.Total.Valid || done.Events+done.Rejected > k.Total.V {
		done.Rejected -= m.resolveWithoutID()
	}
	return done, nil
}

// endOlder ends the windows that are older than one walked to the end.
func (m *Memory) endOlder() {
	open, whole := map[int64]bool{}, map[int64]bool{}
	for _, k := range m.windows {
		open[k.Whole] = open[k.Whole] || k.State != model.Done
		whole[k.Whole] = whole[k.Whole] || !m.absorbed[k.Window] && k.ToTheEnd()
	}
	for i := len(m.windows) - 1; i >= 0; i-- {
		if n := m.windows[i].Whole; whole[n] && !open[n] {
			for j := range m.windows {
				if m.windows[j].Whole < n {
					m.windows[j].State, m.windows[j].Cursor = model.Done, ""
				}
			}
		}
	}
}

// resolveWithoutID resolves the rejects without an id that are stored by all else, or
// kept with their ids.
func (m *Memory) resolveWithoutID() (resolved int64) {
	type face struct{ sessionID, kind, name string }
	at := map[model.Instant][]face{}
	for _, e := range m.events {
		at[e.Timestamp] = append(at[e.Timestamp], face{e.SessionID.String(), e.Type, e.Name.String})
	}
	for key, r := range m.rejects {
		var raw struct{ SessionID, Type, Name string }
		if m.resolved[key] || r.ID.Valid || !r.Timestamp.Valid || json.Unmarshal([]byte(r.Raw), &raw) != nil {
			continue
		}
		if slices.Contains(at[r.Timestamp.V], face{strings.ToLower(raw.SessionID), raw.Type, raw.Name}) || m.keptWithID(r.Timestamp, raw.Name) {
			m.resolved[key] = true
			resolved++
		}
	}
	return resolved
}

func (m *Memory) keptWithID(at sql.Null[model.Instant], name string) bool {
	for key, r := range m.rejects {
		var raw struct{ Name string }
		if !m.resolved[key] && r.ID.Valid && r.Timestamp == at && json.Unmarshal([]byte(r.Raw), &raw) == nil && name != "" && raw.Name == name {
			return true
		}
	}
	return false
}

// Held says how much is stored.
func (m *Memory) Held(ctx context.Context) (elements int64, err error) {
	leave, err := m.enter(ctx, "Held")
	if err != nil {
		return 0, err
	}
	defer leave()
	elements = int64(len(m.events))
	for key := range m.rejects {
		if !m.resolved[key] {
			elements++
		}
	}
	return elements, nil
}

// FailRun counts a run that failed.
func (m *Memory) FailRun(ctx context.Context, window int64) error {
	leave, err := m.enter(ctx, "FailRun")
	if err != nil {
		return err
	}
	defer leave()
	m.windows[window-1].FailedRuns++
	return nil
}

// Witness says what the API's totals say.
func (m *Memory) Witness(ctx context.Context) (model.Witness, error) {
	windows, err := m.Windows(ctx)
	if err != nil {
		return model.Witness{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	repeats := m.repeats
	if len(m.windows) == 0 || !m.windows[0].Unordered {
		repeats = 0
	}
	return model.WitnessOf(windows, repeats), nil
}

// SetDeficit keeps a deficit.
func (m *Memory) SetDeficit(ctx context.Context, d model.Deficit) error {
	leave, err := m.enter(ctx, "SetDeficit")
	if err != nil {
		return err
	}
	defer leave()
	m.deficit = d
	return nil
}

// Deficit returns the deficit.
func (m *Memory) Deficit(ctx context.Context) (model.Deficit, error) {
	leave, err := m.enter(ctx, "Deficit")
	if err != nil {
		return model.Deficit{}, err
	}
	defer leave()
	return m.deficit, nil
}

// BeginRun adds a run.
func (m *Memory) BeginRun(ctx context.Context, id uuid.UUID, began time.Time) error {
	leave, err := m.enter(ctx, "BeginRun")
	if err != nil {
		return err
	}
	defer leave()
	m.runs = append(m.runs, model.Run{ID: id, Began: began, Outcome: "running"})
	return nil
}

// EndRun completes a run.
func (m *Memory) EndRun(ctx context.Context, r model.Run) error {
	leave, err := m.enter(ctx, "EndRun")
	if err != nil {
		return err
	}
	defer leave()
	for i := range m.runs {
		if m.runs[i].ID == r.ID {
			m.runs[i] = r
			return nil
		}
	}
	return fmt.Errorf("no run %s", r.ID)
}

// SetNotBefore keeps a wait.
func (m *Memory) SetNotBefore(ctx context.Context, endpoint string, wait time.Duration) error {
	leave, err := m.enter(ctx, "SetNotBefore")
	if err != nil {
		return err
	}
	defer leave()
	m.notBefore[endpoint] = time.Now().Add(min(wait, model.LongestKept))
	return nil
}

// NotBefore returns the waits.
func (m *Memory) NotBefore(ctx context.Context) (map[string]time.Time, error) {
	leave, err := m.enter(ctx, "NotBefore")
	if err != nil {
		return nil, err
	}
	defer leave()
	return maps.Clone(m.notBefore), nil
}

// Events returns what is stored, newest first.
func (m *Memory) Events() []model.Event {
	m.mu.Lock()
	defer m.mu.Unlock()
	events := make([]model.Event, len(m.events))
	for i := range m.events {
		events[i] = m.events[i].Event
	}
	slices.SortFunc(events, func(a, b model.Event) int { return cmp.Compare(0, a.Position().Compare(b.Position())) })
	return events
}

// Rejects returns the rejects that are not resolved.
func (m *Memory) Rejects() []model.Reject {
	m.mu.Lock()
	defer m.mu.Unlock()
	var rejects []model.Reject
	for key, r := range m.rejects {
		if !m.resolved[key] {
			rejects = append(rejects, *r)
		}
	}
	return rejects
}

// Runs returns the runs in their order.
func (m *Memory) Runs() []model.Run {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.runs)
}

// copyEvent returns an event that shares no memory with e, as that is used again.
func copyEvent(e model.Event) model.Event {
	for _, text := range []*string{&e.Type, &e.Name.String, &e.DeviceType.String, &e.Browser.String, &e.Properties, &e.Extra} {
		*text = strings.Clone(*text)
	}
	return e
}

func copyRecord(r model.PageRecord) model.PageRecord {
	r.RequestID = strings.Clone(r.RequestID)
	return r
}
