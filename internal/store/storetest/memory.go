package storetest

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"datasync/internal/model"

	"github.com/google/uuid"
)

// Memory is a store in memory. It is safe for concurrent use.
type Memory struct {
	// Fail, if not nil, is called before each operation with its name, such as "CommitBatch". If it
	// returns an error, the operation does nothing and returns that.
	Fail func(operation string) error

	mu        sync.Mutex
	windows   []model.Checkpoint // by number
	absorbed  map[int64]bool
	events    []stored
	places    map[place]int // of events
	rejects   map[string]*model.Reject
	resolved  map[string]bool
	log       []model.PageRecord
	facts     []model.Facts // of each batch
	runs      []model.Run
	notBefore map[string]time.Time
	batch     int64
	deficit   model.Deficit
	repeats   int64 // of events in the pages of the first window
}

// place identifies an event before the closing check: a copy with another instant is stored.
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

// Windows returns the windows, the newest first, each with its shards.
func (m *Memory) Windows(ctx context.Context) ([]model.Checkpoint, error) {
	leave, err := m.enter(ctx, "Windows")
	if err != nil {
		return nil, err
	}
	defer leave()
	windows := slices.DeleteFunc(slices.Clone(m.windows), func(k model.Checkpoint) bool { return m.absorbed[k.Window] })
	slices.SortFunc(windows, func(a, b model.Checkpoint) int {
		if a.Whole != b.Whole || !a.IsShard() || !b.IsShard() {
			return cmp.Or(cmp.Compare(b.Whole, a.Whole), cmp.Compare(a.Window, b.Window))
		}
		return cmp.Compare(b.Begins.V, a.Begins.V)
	})
	return windows, nil
}

// Split adds a shard.
func (m *Memory) Split(ctx context.Context, window int64, border model.Instant) (model.Checkpoint, error) {
	leave, err := m.enter(ctx, "Split")
	if err != nil {
		return model.Checkpoint{}, err
	}
	defer leave()
	k := &m.windows[window-1]
	shard := model.Checkpoint{
		Window: int64(len(m.windows) + 1), Whole: k.Whole, State: model.NotBegun, Lower: k.Lower, StartBound: k.StartBound,
		Begins: sql.Null[model.Instant]{V: border, Valid: true}, Unordered: k.Unordered,
	}
	k.Lower = shard.Begins
	if !k.IsShard() && k.State == model.NotBegun {
		k.State = model.UnderWay
	}
	m.windows = append(m.windows, shard)
	return shard, nil
}

// Merge merges shards into the window above them.
func (m *Memory) Merge(ctx context.Context, window int64, shards ...int64) error {
	leave, err := m.enter(ctx, "Merge")
	if err != nil {
		return err
	}
	defer leave()
	return m.merge(window, shards)
}

// MergeAndRestart is Merge, and sets the walk of the window back to its newest event.
func (m *Memory) MergeAndRestart(ctx context.Context, window int64, shards ...int64) error {
	leave, err := m.enter(ctx, "MergeAndRestart")
	if err != nil {
		return err
	}
	defer leave()
	if err := m.merge(window, shards); err != nil {
		return err
	}
	k := &m.windows[window-1]
	k.State, k.Cursor, k.CursorExpiresAt, k.Walked = model.UnderWay, "", time.Time{}, 0
	k.PageTotal, k.CursorBefore, k.TopAt, k.Copies, k.RanOut, k.FailedRuns = sql.Null[int64]{}, sql.Null[string]{}, time.Time{}, 0, false, 0
	k.Upper, k.Last = sql.Null[model.Instant]{}, sql.Null[model.Position]{}
	return nil
}

func (m *Memory) merge(window int64, shards []int64) error {
	if window > int64(len(m.windows)) {
		return fmt.Errorf("no window %d", window)
	}
	k := &m.windows[window-1]
	for _, n := range shards {
		shard := &m.windows[n-1]
		k.Lower, m.absorbed[n] = shard.Lower, true
		shard.State, shard.Cursor = model.Done, ""
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
	k := model.Checkpoint{Window: n, Whole: n, State: model.NotBegun, Lower: lower, StartBound: floor}
	m.windows = append(m.windows, k)
	return k, nil
}

// Held returns how many elements are stored.
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

// Witness returns the API's totals.
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

// SetDeficit stores a deficit.
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

// Facts returns the facts of the batches, in their order, and then those of the ends of the runs.
func (m *Memory) Facts() []model.Facts {
	m.mu.Lock()
	defer m.mu.Unlock()
	facts := slices.Clone(m.facts)
	for i := range m.runs {
		facts = append(facts, m.runs[i].Facts)
	}
	return facts
}

// SetNotBefore stores a wait.
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

// Events returns the stored events, newest first.
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
