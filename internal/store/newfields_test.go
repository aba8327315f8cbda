package store_test

import (
	"database/sql"
	"fmt"
	"path/filepath"
	"testing"

	"datasync/internal/inspect"
	"datasync/internal/model"
	"datasync/internal/store"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// withExtra returns events that have the text in column extra.
func withExtra(from, to int, extra string) []model.Event {
	all := events(from, to)
	for i := range all {
		all[i].Extra = extra
	}
	return all
}

func mustNewFields(t *testing.T, s *store.Store) []inspect.NewField {
	t.Helper()
	found, err := s.NewFields(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// Members without a column are named by the run that stored them first, and counted in the file.
func TestNewFields(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.duckdb")
	status := func() []inspect.NewField {
		db, err := inspect.OpenReadOnly(t.Context(), path, "UTC")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = db.Close() }()
		meta, err := inspect.ReadMeta(t.Context(), db)
		if err != nil {
			t.Fatal(err)
		}
		found, err := inspect.ReadNewFields(t.Context(), db, meta)
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	same := func(what string, got, want []inspect.NewField) {
		t.Helper()
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty(), cmpopts.IgnoreFields(inspect.NewField{}, "FirstSeen")); diff != "" {
			t.Errorf("%s: %s", what, diff)
		}
	}
	field := func(name string, events, batch int64) inspect.NewField {
		return inspect.NewField{Name: name, Events: events, Batch: batch}
	}
	s := mustOpen(t, path)
	w := mustWindow(t, s)
	mustCommit(t, s, w, pageOf(events(0, 100)))
	same("none", mustNewFields(t, s), nil)
	mustCommit(t, s, w, pageOf(append(withExtra(100, 107, `{"a \"b\"\n":1,"region":"eu"}`), withExtra(107, 110, `{"region":null,"session":{"os":"x","tz":[1]}}`)...)))
	mustCommit(t, s, w, pageOf(withExtra(110, 120, `{"region":"us","session":"none"}`)))
	first := []inspect.NewField{field("a \"b\"\n", 7, 2), field("region", 20, 2), field("session.os", 3, 2), field("session.tz", 3, 2), field("session", 10, 3)}
	same("without a closing check", mustNewFields(t, s), first)
	complete(t, s, w)
	same("after it", mustNewFields(t, s), first)
	same("again", mustNewFields(t, s), first)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	same("status", status(), first)
	// A second run names only members that the file did not have. Its process is killed before it counts them.
	s = mustOpen(t, path)
	mustCommit(t, s, w, pageOf(withExtra(120, 125, `{"region":"eu","zone":1}`)))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	grown := append([]inspect.NewField{}, first...)
	grown[1].Events = 25
	grown = append(grown, field("zone", 5, 4))
	same("status after a kill", status(), grown)
	s = mustOpen(t, path)
	mustCommit(t, s, w, pageOf(withExtra(125, 126, `{"zone":1,"late":2}`)))
	complete(t, s, w)
	same("third run", mustNewFields(t, s), []inspect.NewField{field("late", 1, 5)})
	grown[5].Events = 6
	grown = append(grown, field("late", 1, 5))
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	same("status after it", status(), grown)
	var kept sql.NullString
	if kept.String = one[string](t, path, fmt.Sprintf("SELECT value FROM meta WHERE key = '%s'", inspect.FieldsKey)); len(kept.String) < 100 {
		t.Errorf("kept %q", kept.String)
	}
}

// An API that uses ids as names does not fill the file with them.
func TestNewFieldsAreLimited(t *testing.T) {
	s := mustOpen(t, filepath.Join(t.TempDir(), "a.duckdb"))
	w := mustWindow(t, s)
	many := events(0, 1500)
	for i := range many {
		many[i].Extra = fmt.Sprintf(`{"%0200d":1,"id-%04d":2}`, 7, i)
	}
	mustCommit(t, s, w, pageOf(many))
	complete(t, s, w)
	found := mustNewFields(t, s)
	if len(found) != 1000 || len(found[0].Name) != 100 || found[0].Events != 1500 || found[1].Name != "id-0000" {
		t.Errorf("%d fields, the first %+v", len(found), found[:min(2, len(found))])
	}
}
