package lake_test

import (
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"datasync/internal/model"

	"datasync/lake/catalog"
	"datasync/lake/laketest"
)

// objects counts the files of a table's folder, by the ends of their names.
func objects(t *testing.T, s laketest.Server, url, name string) map[string]int {
	t.Helper()
	l := s.Load(t, url, name)
	count := map[string]int{}
	err := l.Files.List(t.Context(), l.Location(), func(f catalog.File) error {
		base := filepath.Base(f.Location)
		switch {
		case strings.HasSuffix(base, ".parquet"):
			count["data"]++
		case strings.HasPrefix(base, "snap-"):
			count["lists"]++
		case strings.HasSuffix(base, ".avro"):
			count["manifests"]++
		case strings.HasSuffix(base, ".metadata.json"):
			count["metadata"]++
		default:
			count["other "+base]++
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return count
}

func TestAnIncrementWritesThreeObjectsMoreThanItsData(t *testing.T) {
	each(t, "objects", func(t *testing.T, s laketest.Server, f laketest.File, plan model.LakePlan) {
		before := objects(t, s, plan.Table.Catalog, plan.Table.Name)
		f.Add(t, 1, 500, 1)
		r := exported(t, s, plan)
		after := objects(t, s, plan.Table.Catalog, plan.Table.Name)
		total := 0
		for kind, n := range after {
			total += n - before[kind]
		}
		if r.Files != 1 || total != 4 {
			t.Errorf("%d files, and the folder has %v after %v", r.Files, after, before)
		}
	})
}

func TestSweepRemovesWhatAKilledExportLeft(t *testing.T) {
	s := laketest.Weed(t)
	for kind, url := range both(s) {
		t.Run(kind, func(t *testing.T) {
			f := laketest.NewFile(t, "http://a.test:80")
			f.Add(t, 2, 200, 2)
			name := "web.sweep"
			exported(t, s, laketest.Plan(t, s, f, url, name))
			clean := objects(t, s, url, name)
			f.Add(t, 2, 200, 2)
			// The commit fails, so all its files remain.
			victim := laketest.Plan(t, s, f, url, name)
			var p *laketest.Process
			started := make(chan struct{})
			throughProxy(t, s, kind, &victim, func(r *http.Request) laketest.Fault {
				<-started
				if isCommit(r) {
					_ = p.Process.Kill()
					return laketest.Drop
				}
				return laketest.None
			})
			p = laketest.Start(t, s.Environ(), victim)
			close(started)
			p.Await(t, nil)
			if left := objects(t, s, url, name); left["data"] != clean["data"]+2 {
				t.Fatalf("after the kill there is %v, before it was %v", left, clean)
			}
			sweep := laketest.Plan(t, s, f, url, name)
			sweep.Sweep = true
			if r := exported(t, s, sweep); r.Removed != 0 {
				t.Errorf("a sweep removed %d files of a fresh export", r.Removed)
			}
			folder := filepath.Join(dir(f), ".events.duckdb.lake-journal")
			journals, err := os.ReadDir(folder)
			if err != nil || len(journals) != 1 {
				t.Fatalf("journals %v, %v", journals, err)
			}
			old := time.Now().Add(-2 * time.Hour)
			if err := os.Chtimes(filepath.Join(folder, journals[0].Name()), old, old); err != nil {
				t.Fatal(err)
			}
			sweep.DryRun = true
			if r := exported(t, s, sweep); r.Removed != 4 {
				t.Errorf("a dry sweep would remove %d files, want 4", r.Removed)
			}
			sweep.DryRun = false
			if r := exported(t, s, sweep); r.Removed != 4 {
				t.Errorf("a sweep removed %d files, want 4", r.Removed)
			}
			if left := objects(t, s, url, name); left["data"] != clean["data"] || left["lists"] != clean["lists"] || left["manifests"] != clean["manifests"] {
				t.Errorf("after the sweep there is %v, want %v", left, clean)
			}
			if _, err := os.Stat(folder); !os.IsNotExist(err) {
				t.Errorf("%s stays: %v", folder, err)
			}
			exported(t, s, laketest.Plan(t, s, f, url, name))
			equal(t, s, url, name, f, 4)
		})
	}
}
