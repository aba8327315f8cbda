package store_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"datasync/internal/inspect"
	"datasync/internal/model"
)

// The size of a file counts its log, also through a link.
func TestStatusOfALink(t *testing.T) {
	folder := t.TempDir()
	path, link := filepath.Join(folder, "a.duckdb"), filepath.Join(folder, "link")
	if err := errors.Join(mustOpen(t, path).Close(), os.Symlink(path, link)); err != nil {
		t.Fatal(err)
	}
	leaveLog(t, path, "INSERT INTO meta VALUES ('a', 'log')")
	var want int64
	for _, name := range []string{path, path + ".wal"} {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		want += info.Size()
	}
	db, err := inspect.OpenReadOnly(t.Context(), link, "UTC")
	if err != nil {
		t.Fatal(err)
	}
	status, errRead := inspect.ReadStatus(t.Context(), db, link, time.Now())
	if err := errors.Join(errRead, db.Close()); err != nil || status.Bytes != want {
		t.Errorf("%d bytes, want %d; %v", status.Bytes, want, err)
	}
}

// The status during a pull does not report its run as killed.
func TestStatusWhileWriting(t *testing.T) {
	s := mustOpen(t, filepath.Join(t.TempDir(), "a.duckdb"))
	if err := s.BeginRun(t.Context(), uuid.Max, time.Now()); err != nil {
		t.Fatal(err)
	}
	rejects := []model.Reject{{Key: "1", Reason: "missing_id", Raw: "{1}"}, {Key: "2", Reason: "missing_id", Raw: "{2}"}, {Key: "3", Reason: "missing_type", Raw: "{3}"}}
	mustCommit(t, s, mustWindow(t, s), pageOf(events(0, 10), rejects...))
	status, samples, err := s.Status(t.Context(), 1)
	if err != nil || status.Events != 10 || status.Rejected["missing_id"] != 2 || len(status.Windows) != 1 || status.Runs[0].Outcome != "running" || status.Complete {
		t.Errorf("%+v, %v", status, err)
	}
	if want := []inspect.RejectSample{{Reason: "missing_id", Raw: "{1}"}, {Reason: "missing_type", Raw: "{3}"}}; !slices.Equal(samples, want) {
		t.Errorf("%v, want %v", samples, want)
	}
	// A reader that has gone leaves no transaction behind, which would keep the log.
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if again, _, err := s.Status(gone, 1); err != nil || again.Events != 10 {
		t.Errorf("%+v, %v", again, err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(s.Path() + ".wal"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the log is left: %v", err)
	}
	if _, _, err := s.Status(t.Context(), 1); err == nil {
		t.Error("a store that is closed has a status")
	}
}
