package lake_test

import (
	"strings"
	"testing"

	"datasync/internal/model"

	"datasync/lake/laketest"
)

// rewrite rewrites all rows of a table, with several origins in one file, like an engine's compaction.
func rewrite(t *testing.T, s laketest.Server, plan model.LakePlan) {
	t.Helper()
	l := s.Load(t, plan.Table.Catalog, plan.Table.Name)
	all, err := l.Scan().ToArrowTable(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer all.Release()
	tx := l.NewTransaction()
	if err := tx.OverwriteTable(t.Context(), all, 1<<20, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestForeignCompaction(t *testing.T) {
	each(t, "compacted", func(t *testing.T, s laketest.Server, f laketest.File, plan model.LakePlan) {
		other := laketest.NewFile(t, "http://a.test:80/longer/than/sixteen/bytes")
		other.Add(t, 3, 100, 2)
		exported(t, s, laketest.Plan(t, s, other, plan.Table.Catalog, plan.Table.Name))
		rewrite(t, s, plan)
		if files := len(s.Load(t, plan.Table.Catalog, plan.Table.Name).Data); files != 3 {
			t.Fatalf("%d files after the compaction, want one a day", files)
		}
		f.Add(t, 1, 50, 1)
		exported(t, s, plan)
		equal(t, s, plan.Table.Catalog, plan.Table.Name, f, 5)
		equal(t, s, plan.Table.Catalog, plan.Table.Name, other, 3)

		f.Exec(t, "DELETE FROM events WHERE batch = 2") // the files of both origins must be written anew
		refused(t, s, plan, model.ExitData)
		plan.Replace = true
		exported(t, s, plan)
		equal(t, s, plan.Table.Catalog, plan.Table.Name, f, 5)
		equal(t, s, plan.Table.Catalog, plan.Table.Name, other, 3)
		plan.Replace = false
		f.Add(t, 1, 50, 1)
		exported(t, s, plan)
		equal(t, s, plan.Table.Catalog, plan.Table.Name, f, 6)
	})
}

// TestManySnapshots makes as many commits as an export allows before it expires snapshots.
func TestManySnapshots(t *testing.T) {
	each(t, "many", func(t *testing.T, s laketest.Server, f laketest.File, plan model.LakePlan) {
		f.Add(t, 160, 10, 1)
		plan.CommitRows = 10
		if r := exported(t, s, plan); r.Events.Commits != 160 {
			t.Errorf("%d commits", r.Events.Commits)
		}
		l := s.Load(t, plan.Table.Catalog, plan.Table.Name)
		if n := len(l.Metadata().Snapshots()); n < 100 || n > 150 {
			t.Errorf("%d snapshots stay", n)
		}
		count := objects(t, s, plan.Table.Catalog, plan.Table.Name)
		if count["lists"] > 150 || count["manifests"] > 150 {
			t.Errorf("the folder has %v", count)
		}
		if strings.HasPrefix(plan.Table.Catalog, "http") && count["metadata"] > 110 {
			t.Errorf("the folder has %v", count)
		}
		equal(t, s, plan.Table.Catalog, plan.Table.Name, f, 164)
	})
}
