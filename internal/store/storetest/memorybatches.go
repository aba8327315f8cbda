package storetest

import (
	"context"
	"fmt"
	"strings"

	"datasync/internal/model"
)

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
		done.Add(model.Counts{Returned: p.Record.OutOfRange, Outside: p.Record.OutOfRange})
		m.log = append(m.log, copyRecord(p.Record))
	}
	for i := range b.Pages {
		if b.Copied != nil {
			b.Copied(i)
		}
	}
	m.facts = append(m.facts, b.Facts)
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
