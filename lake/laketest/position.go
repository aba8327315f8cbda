package laketest

import (
	"errors"
	"path"
	"slices"
	"strings"
	"testing"

	"datasync/internal/model"

	"datasync/lake/catalog"
	"datasync/lake/position"
)

// Position returns the position that a table has of an origin; it is zero if there is none.
func (l Table) Position(t *testing.T, origin string) model.LakePosition {
	t.Helper()
	all, err := position.Read(l.Properties())
	if err != nil {
		t.Fatal(err)
	}
	if p := position.Of(all, origin); p != nil {
		return *p
	}
	return model.LakePosition{}
}

// Count returns how many rows the table's data files have.
func (l Table) Count(t *testing.T) (rows int64) {
	t.Helper()
	if len(l.Data) > 0 {
		l.Row(t, "SELECT count(*) FROM lake", &rows)
	}
	return rows
}

// Orphans returns the sorted files below the table's location that no snapshot names. It fails the test if
// a file of a snapshot is missing.
func (l Table) Orphans(t *testing.T) (orphans []string) {
	t.Helper()
	live := map[string]bool{}
	for _, s := range l.Metadata().Snapshots() {
		live[s.ManifestList] = true
		manifests, err := s.Manifests(l.Files)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range manifests {
			live[m.FilePath()] = true
			for e, err := range m.Entries(l.Files, true) {
				if err != nil {
					t.Fatal(err)
				}
				live[e.DataFile().FilePath()] = true
			}
		}
	}
	found := map[string]bool{}
	err := l.Files.List(t.Context(), l.Location(), func(f catalog.File) error {
		found[f.Location] = true
		if name := path.Base(f.Location); !live[f.Location] && !strings.HasSuffix(name, ".metadata.json") && name != "version-hint.text" {
			orphans = append(orphans, f.Location)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for location := range live {
		if !found[location] {
			t.Errorf("the table names %s, which is missing", location)
		}
	}
	slices.Sort(orphans)
	return orphans
}

// Has reports whether a catalog has a table.
func (s Server) Has(t *testing.T, url, name string) bool {
	t.Helper()
	ident, err := catalog.Name(name)
	if err != nil {
		t.Fatal(err)
	}
	_, err = s.Catalog(t, url).Load(t.Context(), ident)
	if err != nil && !errors.Is(err, catalog.ErrNoTable) {
		t.Fatal(err)
	}
	return err == nil
}
