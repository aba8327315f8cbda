package store_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"datasync/internal/inspect"
	"datasync/internal/model"
	"datasync/internal/store"

	"github.com/google/uuid"
)

// errInjected is the error of an operation that a test makes fail.
var errInjected = errors.New("injected")

// faults are the ways in which operations of the writer fail.
var faults = []struct {
	name string
	// forever makes all later operations fail too; done makes the operation happen before it fails.
	forever, done bool
}{
	{"once", false, false}, {"from then on", true, false}, {"once, though it was done", false, true},
}

// The Nth operation of the writer fails, for each N until there is no such operation. Committed events
// stay, and there are no others. A pull that opens the file again and resumes from its checkpoint ends
// with the same contents as one without a failure.
func TestEveryOperationFails(t *testing.T) {
	begun := filepath.Join(t.TempDir(), "begun.duckdb")
	s := mustOpen(t, begun)
	if err := walkOn(s); err != nil { // its first batch
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	undisturbed := copyOf(t, begun)
	walkToTheEnd(t, undisturbed)
	want := mustBeSound(t, undisturbed)
	for _, f := range faults {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			for n, met := 1, true; met; n++ {
				path := copyOf(t, begun)
				s := mustOpen(t, path)
				hit := failNth(s, n, f.forever, f.done)
				err := walkOn(s)
				for err == nil {
					err = walkOn(s)
				}
				if met = *hit; met && !errors.Is(err, errInjected) {
					t.Errorf("operation %d failed, and the store says %v", n, err)
				}
				if err := s.Close(); err != nil {
					t.Fatalf("operation %d: close: %v", n, err)
				}
				mustBeSound(t, path)
				walkToTheEnd(t, path)
				if got := mustBeSound(t, path); got != want {
					t.Errorf("operation %d: %s, want %s", n, got, want)
				}
			}
		})
	}
}

// TestEndingAfterAFailure: when a batch could not be stored, the lock file keeps how the run ended. The status shows
// it at once, and the next pull stores it.
func TestEndingAfterAFailure(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.duckdb")
	s := mustOpen(t, path)
	ctx := context.Background()
	before, failed := uuid.NewSHA1(uuid.Nil, []byte("1")), uuid.NewSHA1(uuid.Nil, []byte("2"))
	for _, id := range []uuid.UUID{before, failed} {
		if err := s.BeginRun(ctx, id, time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	failNth(s, 1, true, false)
	if err := walkOn(s); !errors.Is(err, errInjected) {
		t.Fatal(err)
	}
	const reason = "the disk is full, \"a\nb\""
	if err := s.EndRun(ctx, model.Run{ID: failed, Ended: time.Now(), Outcome: "failed", Reason: reason, Counts: model.Counts{Stored: 7}}); err != nil {
		t.Error(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	check := func(when string) {
		t.Helper()
		db, err := inspect.OpenReadOnly(ctx, path, "UTC")
		if err != nil {
			t.Fatal(err)
		}
		status, errRead := inspect.ReadStatus(ctx, db, path, time.Now())
		if err := errors.Join(errRead, db.Close()); err != nil || len(status.Runs) != 2 {
			t.Fatalf("%s: %v, %d runs", when, err, len(status.Runs))
		}
		if r := status.Runs[0]; r.Outcome != "failed" || r.Reason == nil || *r.Reason != reason || r.Ended == nil || *r.Stored != 7 {
			t.Errorf("%s: %+v", when, r)
		}
		if r := status.Runs[1]; r.Outcome != "killed" || r.Reason != nil {
			t.Errorf("%s: %+v", when, r)
		}
	}
	check("before the next pull")
	if err := mustOpen(t, path).Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path + ".lock"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the lock file is left: %v", err)
	}
	check("after it")
}

// copyOf copies a file that no process has open.
func copyOf(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	path = filepath.Join(t.TempDir(), "copy.duckdb")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func walkToTheEnd(t *testing.T, path string) {
	t.Helper()
	s := mustOpen(t, path)
	err := walkOn(s)
	for err == nil {
		err = walkOn(s)
	}
	if errClose := s.Close(); errClose != nil || !errors.Is(err, errWalked) {
		t.Fatal(err, errClose)
	}
}

// contents is equal for two files with the same history of pages.
const contents = `SELECT (SELECT sum(hash(id, "timestamp", name))::VARCHAR FROM events) || ' ' || (SELECT count(*) FROM events) || ' ' ||
	(SELECT string_agg(reject_key || resolved, ' ' ORDER BY reject_key) FROM rejected_events) || ' ' ||
	(SELECT string_agg(state || pages || ' ' || events, ' ') FROM checkpoint)`

// failNth makes operation n fail, counted from 1. It reports whether there was such an operation.
func failNth(s *store.Store, n int, forever, done bool) *bool {
	met, count := false, 0
	s.Around(func(do func() error) error {
		if count++; count < n || count > n && !forever {
			return do()
		}
		met = true
		if done {
			if err := do(); err != nil {
				return err
			}
		}
		return errInjected
	})
	return &met
}

// errWalked means that the history is complete.
var errWalked = errors.New("walked to the end")

// walkOn commits the next batch of a small history, as the checkpoint says, or finalizes it at the end.
func walkOn(s *store.Store) error {
	ctx := context.Background()
	windows, err := s.Windows(ctx)
	if err != nil {
		return err
	}
	if len(windows) == 0 {
		if _, err = s.OpenWindow(ctx, noInstant, noInstant); err != nil {
			return err
		}
		return walkOn(s)
	}
	k := windows[0]
	moved := event(3)
	moved.Timestamp -= 3_600_000_000
	rejects := []model.Reject{
		{Key: "sha256:1#0", Reason: "missing_id", Raw: "{}"},
		{Key: "id:" + event(25).ID.String(), ID: uuid.NullUUID{UUID: event(25).ID, Valid: true}, Reason: "missing_type", Raw: "{}"},
	}
	history := []model.Page{
		pageOf(events(0, 10), rejects...),
		pageOf(append(events(8, 20), moved)), // overlaps, and has a second copy with another instant
		pageOf(events(20, 30), rejects...),
	}
	if k.Pages == int64(len(history)) {
		if _, err := s.Finalize(ctx, uuid.Max, k.Window); err != nil {
			return err
		}
		return errWalked
	}
	page := history[k.Pages]
	page.Record = model.PageRecord{Endpoint: "events", CursorSent: k.Cursor, CursorReceived: "next"}
	k.State, k.Cursor = model.UnderWay, "next"
	k.Pages++
	k.Events += int64(len(page.Events))
	if k.Pages == int64(len(history)) {
		k.State, k.Cursor, page.Record.CursorReceived = model.Done, "", ""
	}
	_, err = s.CommitBatch(ctx, model.Batch{Run: uuid.Max, Pages: []model.Page{page}, Checkpoint: k})
	return err
}

// mustBeSound fails for any finding of Verify, and returns the contents.
func mustBeSound(t *testing.T, path string) (held string) {
	t.Helper()
	db, err := inspect.OpenReadOnly(context.Background(), path, "UTC")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	findings, err := inspect.Verify(context.Background(), db, path)
	if err != nil || len(findings) > 0 {
		t.Errorf("%v, %v", findings, err)
	}
	if err := db.QueryRow(contents).Scan(&held); err != nil {
		t.Fatal(err)
	}
	return held
}
