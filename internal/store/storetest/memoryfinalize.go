package storetest

import (
	"context"
	"database/sql"
	"encoding/json"
	"slices"
	"strings"

	"datasync/internal/model"

	"github.com/google/uuid"
)

// Finalize removes later copies of ids and resolves rejects.
func (m *Memory) Finalize(ctx context.Context, _ uuid.UUID, window int64) (model.Finalized, error) {
	leave, err := m.enter(ctx, "Finalize")
	if err != nil {
		return model.Finalized{}, err
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
	done := model.Finalized{Events: int64(len(m.events)), Removed: int64(before - len(m.events))}
	for key, r := range m.rejects {
		m.resolved[key] = r.ID.Valid && seen[r.ID.UUID]
		if !m.resolved[key] {
			done.Rejected++
		}
	}
	if k := m.windows[window-1]; k.StartBound.Valid || !k.Total.Valid || done.Events+done.Rejected > k.Total.V {
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

// resolveWithoutID resolves rejects without an id that are other readings of an event, or of a reject
// with an id.
func (m *Memory) resolveWithoutID() (resolved int64) {
	type digest struct{ sessionID, kind, name string }
	at := map[model.Instant][]digest{}
	for _, e := range m.events {
		at[e.Timestamp] = append(at[e.Timestamp], digest{e.SessionID.String(), e.Type, e.Name.String})
	}
	for key, r := range m.rejects {
		var raw struct{ SessionID, Type, Name string }
		if m.resolved[key] || r.ID.Valid || !r.Timestamp.Valid || json.Unmarshal([]byte(r.Raw), &raw) != nil {
			continue
		}
		if slices.Contains(at[r.Timestamp.V], digest{strings.ToLower(raw.SessionID), raw.Type, raw.Name}) || m.keptWithID(r.Timestamp, raw.Name) {
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
