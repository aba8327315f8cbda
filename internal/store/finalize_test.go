package store_test

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"testing"

	"datasync/internal/model"

	"github.com/google/uuid"
)

func TestFinalizeRemovesLaterCopiesAndResolvesRejects(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.duckdb")
	s := mustOpen(t, path)
	w := mustWindow(t, s)
	moved := event(3)
	moved.Timestamp -= 3_600_000_000
	spoilt := func(n int) model.Reject {
		id := event(n).ID
		return model.Reject{Key: "id:" + id.String(), ID: uuid.NullUUID{UUID: id, Valid: true}, Reason: "missing_type", Raw: "{}"}
	}
	mustCommit(t, s, w, pageOf(events(0, 10), spoilt(100), spoilt(200)))
	mustCommit(t, s, w, pageOf([]model.Event{moved}))
	mustCommit(t, s, w, pageOf(events(100, 101)))
	for round, want := range []model.Finalized{{Events: 11, Rejected: 1, Removed: 1}, {Events: 11, Rejected: 1}} {
		got, err := s.Finalize(context.Background(), uuid.Max, w.Window)
		if err != nil || got != want {
			t.Errorf("round %d: %+v, %v; want %+v", round, got, err, want)
		}
	}
	// Checked batches are not checked again, but copies of their events are found.
	again := event(5)
	again.Timestamp -= 7_200_000_000
	mustCommit(t, s, w, pageOf([]model.Event{again}))
	if got, err := s.Finalize(context.Background(), uuid.Max, w.Window); err != nil || got.Removed != 1 {
		t.Errorf("%+v, %v; want 1 removed", got, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for _, check := range []string{
		`SELECT count(*) = 11 AND count(DISTINCT id) = 11 FROM events`,
		`SELECT sum(stored) = 11 AND bool_and(returned = stored + duplicate + rejected) FROM page_log`,
		fmt.Sprintf(`SELECT count(*) = 1 FROM events WHERE id = '%s' AND batch = 1`, moved.ID),
		fmt.Sprintf(`SELECT bool_and(resolved = (id = '%s')) FROM rejected_events`, event(100).ID),
		`SELECT bool_and(resolved_batch IS NOT DISTINCT FROM CASE WHEN resolved THEN 3 END) FROM rejected_events`,
	} {
		if !one[bool](t, path, check) {
			t.Errorf("not so: %s", check)
		}
	}
}

// A closing check without a new batch resolves rejects in a later batch than an export may have read.
func TestFinalizeResolvesAfterCheckedBatch(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.duckdb")
	s := mustOpen(t, path)
	w := mustWindow(t, s)
	stored := event(1)
	mustCommit(t, s, w, pageOf([]model.Event{stored}, model.Reject{Key: "1", Raw: "{}", Reason: "invalid_timestamp", ID: uuid.NullUUID{UUID: event(2).ID, Valid: true}}))
	if got, err := s.Finalize(t.Context(), uuid.Max, w.Window); err != nil || got.Rejected != 1 {
		t.Fatalf("%+v, %v", got, err)
	}
	if _, err := s.DB().Exec("UPDATE rejected_events SET id = ?", stored.ID.String()); err != nil { // another reading of the stored event
		t.Fatal(err)
	}
	if got, err := s.Finalize(t.Context(), uuid.Max, w.Window); err != nil || got.Rejected != 0 {
		t.Fatalf("%+v, %v", got, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if !one[bool](t, path, "SELECT resolved_batch > (SELECT value::BIGINT FROM meta WHERE key = 'checked_batch') FROM rejected_events") {
		t.Error("the reject is resolved in a batch that was checked before")
	}
}

// Of several readings of one reject, all without its id, the first stays.
func TestFinalizeResolvesOtherReadingsOfARejectWithoutID(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.duckdb")
	s := mustOpen(t, path)
	k := mustWindow(t, s)
	at := sql.Null[model.Instant]{V: event(0).Timestamp, Valid: true}
	for _, r := range []model.Reject{
		{Key: "1", Raw: `{"name":"n","sessionId":"S","type":"click","timestamp":1}`, Timestamp: at},
		{Key: "2", Raw: `{"name":"n","sessionId":"other","type":"click","timestamp":1}`, Timestamp: at},
		{Key: "3", Raw: `{"name":"n","type":"click","timestamp":1}`, Timestamp: at},
		{Key: "4", Raw: `{"name":"n","sessionId":"s","type":"click"}`},
		{Key: "5", Raw: `{"name":"n","type":"click"}`},
	} {
		r.Reason = "missing_id"
		mustCommit(t, s, k, pageOf(nil, r))
	}
	if got, err := s.Finalize(context.Background(), uuid.Max, k.Window); err != nil || got.Rejected != 3 {
		t.Errorf("%+v, %v", got, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if got := one[string](t, path, "SELECT string_agg(reject_key, ' ' ORDER BY reject_key) FROM rejected_events WHERE resolved AND resolved_batch = 5"); got != "3 4" {
		t.Errorf("resolved are %s", got)
	}
}
