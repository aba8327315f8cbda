package store_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"datasync/internal/dbfile"
	"datasync/internal/inspect"
	"datasync/internal/store"
)

// withWaits creates a file at path whose table meta has these entries, and a lock file with these notes.
func withWaits(t *testing.T, path, notes string, waits map[string]string) {
	t.Helper()
	if err := mustOpen(t, path).Close(); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("duckdb", path)
	if err != nil {
		t.Fatal(err)
	}
	for endpoint, value := range waits {
		if _, err := db.Exec("INSERT INTO meta VALUES (?, ?)", "not_before."+endpoint, value); err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if notes == "" {
		return
	}
	if err := os.WriteFile(path+".lock", []byte(notes), 0o600); err != nil {
		t.Fatal(err)
	}
}

func waitOf(wait time.Duration) string {
	return time.Now().Add(wait).UTC().Format(time.RFC3339Nano) + " " + wait.String()
}

// fileStatus reads the status of the file at path.
func fileStatus(t *testing.T, path string) inspect.Status {
	t.Helper()
	db, err := inspect.OpenReadOnly(context.Background(), path, "UTC")
	if err != nil {
		t.Fatal(err)
	}
	s, err := inspect.ReadStatus(context.Background(), db, path, time.Now())
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	return s
}

func endpointsOf(waits []inspect.Wait) (names []string) {
	for _, w := range waits {
		names = append(names, w.Endpoint)
	}
	return names
}

func openNames(t *testing.T, opens map[string]time.Time, err error) map[string]bool {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	for endpoint := range opens {
		names[endpoint] = true
	}
	return names
}

// implausibleWaits is a file with a wait of 57 years and, in the lock file, one of a month, among waits of an
// hour.
func implausibleWaits(t *testing.T, path string) {
	withWaits(t, path, "not_before.stream-access "+waitOf(720*time.Hour)+"\nnot_before.feed "+waitOf(720*time.Hour)+"\nnot_before.events "+waitOf(time.Hour)+"\n",
		map[string]string{"events": waitOf(500_000 * time.Hour), "feed": waitOf(time.Hour), "past": "2026-01-01T00:00:00Z 30h"})
}

// A wait of more than a day, which an older version stored, is ignored; a plausible one of the same endpoint
// stays.
func TestImplausibleWaitsAreDropped(t *testing.T) {
	ctx, path := context.Background(), filepath.Join(t.TempDir(), "a.duckdb")
	implausibleWaits(t, path)
	kept := map[string]bool{"events": true, "feed": true}
	dropped := []string{"events", "feed", "stream-access"}
	s := fileStatus(t, path)
	if diff := cmp.Diff(kept, openNames(t, s.NotBefore, nil)); diff != "" || s.NotBeforeLeft["events"] < 3500 || s.NotBeforeLeft["events"] > 3600 {
		t.Errorf("status: %s%v", diff, s.NotBeforeLeft)
	}
	p := mustPreflight(t, path)
	opens, err := p.NotBefore(ctx)
	if diff := cmp.Diff(kept, openNames(t, opens, err)); diff != "" {
		t.Errorf("a dry run: %s", diff)
	}
	if diff := cmp.Diff(dropped, endpointsOf(p.ImplausibleWaits())); diff != "" {
		t.Errorf("a dry run tells of %s", diff)
	}
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	pull := mustOpen(t, path)
	opens, err = pull.NotBefore(ctx)
	if diff := cmp.Diff(kept, openNames(t, opens, err)); diff != "" {
		t.Errorf("a pull: %s", diff)
	}
	if diff := cmp.Diff(dropped, endpointsOf(pull.ImplausibleWaits())); diff != "" || pull.ImplausibleWaits()[0].Until.Before(time.Now().Add(400_000*time.Hour)) {
		t.Errorf("a pull tells of %s%v", diff, pull.ImplausibleWaits())
	}
	// Status agrees while the pull runs.
	live, _, err := pull.Status(ctx, 0)
	if diff := cmp.Diff(kept, openNames(t, live.NotBefore, err)); diff != "" || live.NotBeforeLeft["feed"] < 3500 || live.NotBeforeLeft["feed"] > 3600 {
		t.Errorf("status of the pull: %s%v", diff, live.NotBeforeLeft)
	}
	if err := pull.Close(); err != nil {
		t.Fatal(err)
	}
	if n := one[int](t, path, "SELECT count(*) FROM meta WHERE starts_with(key, 'not_before.')"); n != 2 {
		t.Errorf("%d waits in meta", n)
	}
	if again := mustOpen(t, path).ImplausibleWaits(); len(again) != 0 {
		t.Errorf("told again: %v", again)
	}
}

// With Options.ForgetWaits no wait counts; a dry run leaves them to the pull.
func TestForgetWaits(t *testing.T) {
	ctx, path := context.Background(), filepath.Join(t.TempDir(), "a.duckdb")
	implausibleWaits(t, path)
	opts := store.Options{Path: path, Origin: origin, ForgetWaits: true}
	dry, err := store.OpenPreflight(ctx, opts)
	if err != nil {
		t.Fatal(err)
	}
	opens, err := dry.NotBefore(ctx)
	if diff := cmp.Diff([]string{"events", "feed"}, endpointsOf(dry.ForgottenWaits())); diff != "" || len(opens) != 0 || err != nil {
		t.Errorf("a dry run: %v, %v, %s", opens, err, diff)
	}
	if err := dry.Close(); err != nil {
		t.Fatal(err)
	}
	if s := fileStatus(t, path); len(s.NotBefore) != 2 {
		t.Errorf("after a dry run: %v", s.NotBefore)
	}
	s, err := store.Open(ctx, opts)
	if err != nil {
		t.Fatal(err)
	}
	opens, err = s.NotBefore(ctx)
	if diff := cmp.Diff([]string{"events", "feed"}, endpointsOf(s.ForgottenWaits())); diff != "" || len(opens) != 0 || err != nil {
		t.Errorf("a pull: %v, %v, %s", opens, err, diff)
	}
	if left := content(t, path+".lock"); len(left) != 0 {
		t.Errorf("a kill now would leave %q", left)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path + ".lock"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the lock file: %v", err)
	}
	if n := one[int](t, path, "SELECT count(*) FROM meta WHERE starts_with(key, 'not_before.')"); n != 0 {
		t.Errorf("%d waits in meta", n)
	}
}

// Another program has written to the file.
func TestAWaitThatCannotBeRead(t *testing.T) {
	ctx, path := context.Background(), filepath.Join(t.TempDir(), "a.duckdb")
	withWaits(t, path, "", map[string]string{"events": "soon"})
	for _, forget := range []bool{false, true} {
		opts := store.Options{Path: path, Origin: origin, ForgetWaits: forget}
		if _, err := store.Open(ctx, opts); !errors.Is(err, dbfile.ErrDamaged) {
			t.Errorf("a pull: %v", err)
		}
		if _, err := store.OpenPreflight(ctx, opts); !errors.Is(err, dbfile.ErrDamaged) {
			t.Errorf("a dry run: %v", err)
		}
	}
}

func TestNotBeforeLasts(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.duckdb")
	s := mustOpen(t, path)
	before := time.Now()
	for _, wait := range []time.Duration{time.Second, time.Hour} {
		if err := s.SetNotBefore(context.Background(), "events", wait); err != nil {
			t.Fatal(err)
		}
	}
	after := time.Now()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	got, err := mustOpen(t, path).NotBefore(context.Background())
	at := got["events"]
	if err != nil || len(got) != 1 || at.Before(before.Add(time.Hour)) || at.After(after.Add(time.Hour)) {
		t.Errorf("%v, %v; want an hour after %v", got, err, before)
	}
}

// Waits that a killed pull noted in the lock file, but did not commit, count, whatever else the file holds.
// They stay if the next pull cannot use the file.
func TestWaitsOfAKilledPull(t *testing.T) {
	ctx, path := context.Background(), filepath.Join(t.TempDir(), "a.duckdb")
	s := mustOpen(t, path)
	if err := s.SetNotBefore(ctx, "feed", 2*time.Hour); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	line := func(endpoint string, wait time.Duration) string {
		return fmt.Sprintf("not_before.%s %s %s", endpoint, time.Now().Add(wait).UTC().Format(time.RFC3339Nano), wait)
	}
	noted := "rubbish\n" + line("events", time.Hour) + "\n" + line("events", time.Minute) + "\n" + line("feed", time.Minute) + "\norigin elsewhere\n" + line("stream-access", time.Hour)
	if err := os.WriteFile(path+".lock", []byte(noted), 0o600); err != nil {
		t.Fatal(err)
	}
	// A dry run reads them too, and leaves them to the pull.
	p, err := store.OpenPreflight(ctx, store.Options{Path: path, Origin: origin})
	if err != nil {
		t.Fatal(err)
	}
	planned, err := p.NotBefore(ctx)
	if err := errors.Join(err, p.Close()); err != nil {
		t.Fatal(err)
	}
	s = mustOpen(t, path)
	opens, err := s.NotBefore(ctx)
	for _, opens := range []map[string]time.Time{planned, opens} {
		for endpoint, want := range map[string]time.Duration{"events": time.Hour, "feed": 2 * time.Hour} {
			if left := time.Until(opens[endpoint]); left > want || left < want-10*time.Minute {
				t.Errorf("%s is closed for %s, want %s", endpoint, left, want)
			}
		}
		if err != nil || len(opens) != 2 {
			t.Errorf("%v, %v; want two endpoints, as half a line is none", opens, err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path + ".lock"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the lock file is still there: %v", err)
	}
}

func TestNotBeforeIsNoFurtherAwayThanWasAsked(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.duckdb")
	if err := mustOpen(t, path).Close(); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("duckdb", path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("INSERT INTO meta VALUES ('not_before.feed', '2199-01-01T00:00:00Z 30s')"); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	s := mustOpen(t, path)
	got, err := s.NotBefore(context.Background())
	if err != nil || got["feed"].After(time.Now().Add(30*time.Second)) || got["feed"].IsZero() {
		t.Errorf("%v, %v; want within 30 s", got, err)
	}
	// The wait does not begin again with each pull.
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if again, err := mustOpen(t, path).NotBefore(context.Background()); err != nil || !again["feed"].Round(0).Equal(got["feed"].Round(0)) {
		t.Errorf("%v, %v; before it was %v", again, err, got)
	}
}
