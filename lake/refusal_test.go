package lake_test

import (
	"strings"
	"testing"

	"datasync/internal/model"

	"datasync/lake/laketest"

	"github.com/apache/iceberg-go/table"
)

// each runs a test over both catalogs, after the export of a file with 4 batches.
func each(t *testing.T, name string, test func(t *testing.T, s laketest.Server, f laketest.File, plan model.LakePlan)) {
	s := laketest.Weed(t)
	for kind, url := range both(s) {
		t.Run(kind, func(t *testing.T) {
			f := laketest.NewFile(t, "http://a.test:80")
			f.Add(t, 4, 250, 3)
			plan := laketest.Plan(t, s, f, url, "refuse."+name)
			exported(t, s, plan)
			test(t, s, f, plan)
		})
	}
}

// refuseThenReplace expects an export to refuse the table, and --replace to succeed.
func refuseThenReplace(t *testing.T, s laketest.Server, f laketest.File, plan model.LakePlan, batch int64, want string) {
	t.Helper()
	e := refused(t, s, plan, model.ExitData)
	if !strings.Contains(e.Text, want) || !strings.Contains(e.Text, "--replace") || e.Topic != "lake" || strings.Contains(e.Text, "\n") {
		t.Errorf("error %+v, want one line with %q and --replace", e, want)
	}
	plan.Replace = true
	r := exported(t, s, plan)
	if r.Events.Commits != 1 || r.Events.Position.Batch != batch {
		t.Errorf("replaced %+v", r.Events)
	}
	equal(t, s, plan.Table.Catalog, plan.Table.Name, f, batch)
	plan.Replace = false
	f.Add(t, 1, 10, 1)
	exported(t, s, plan)
	equal(t, s, plan.Table.Catalog, plan.Table.Name, f, batch+1)
}

func TestFilePulledAnew(t *testing.T) {
	each(t, "anew", func(t *testing.T, s laketest.Server, f laketest.File, plan model.LakePlan) {
		f.Exec(t, "UPDATE meta SET value = uuid()::VARCHAR WHERE key = 'lineage'")
		refuseThenReplace(t, s, f, plan, 4, "come from another pull")
	})
}

func TestDuplicatesDeletedInTheFile(t *testing.T) {
	each(t, "deleted", func(t *testing.T, s laketest.Server, f laketest.File, plan model.LakePlan) {
		f.Exec(t, "DELETE FROM events WHERE id = (SELECT min(id) FROM events WHERE batch = 3)")
		refuseThenReplace(t, s, f, plan, 4, "999 rows and the table 1000")
	})
}

func TestRowsChangedInTheFile(t *testing.T) {
	each(t, "changed", func(t *testing.T, s laketest.Server, f laketest.File, plan model.LakePlan) {
		f.Exec(t, `UPDATE events SET "timestamp" = "timestamp" + INTERVAL 1 SECOND WHERE id = (SELECT min(id) FROM events)`)
		refuseThenReplace(t, s, f, plan, 4, "checksum")
	})
}

func TestTableSetBack(t *testing.T) {
	each(t, "back", func(t *testing.T, s laketest.Server, f laketest.File, plan model.LakePlan) {
		first := s.Load(t, plan.Table.Catalog, plan.Table.Name).CurrentSnapshot().SnapshotID
		f.Add(t, 1, 100, 1)
		exported(t, s, plan)
		tx := s.Load(t, plan.Table.Catalog, plan.Table.Name).NewTransaction()
		if err := tx.RollbackToSnapshot(first); err != nil {
			t.Fatal(err)
		}
		if _, err := tx.Commit(t.Context()); err != nil {
			t.Fatal(err)
		}
		refuseThenReplace(t, s, f, plan, 5, "rollback")
	})
}

func TestReplaceKeepsOtherOrigins(t *testing.T) {
	each(t, "others", func(t *testing.T, s laketest.Server, f laketest.File, plan model.LakePlan) {
		other := laketest.NewFile(t, "http://a.test:80/longer/than/sixteen/bytes")
		other.Add(t, 3, 100, 2)
		exported(t, s, laketest.Plan(t, s, other, plan.Table.Catalog, plan.Table.Name))
		f.Exec(t, "DELETE FROM events WHERE batch = 2")
		plan.Replace = true
		r := exported(t, s, plan)
		if r.Events.Rows != 1050 || len(r.Events.Others) != 1 || r.Events.Others[0].Rows != 300 {
			t.Errorf("replaced %+v", r.Events)
		}
		equal(t, s, plan.Table.Catalog, plan.Table.Name, f, 4)
		equal(t, s, plan.Table.Catalog, plan.Table.Name, other, 3)
	})
}

func TestForeignTable(t *testing.T) {
	each(t, "foreign", func(t *testing.T, s laketest.Server, f laketest.File, plan model.LakePlan) {
		tx := s.Load(t, plan.Table.Catalog, plan.Table.Name).NewTransaction()
		var keys []string
		for key := range s.Load(t, plan.Table.Catalog, plan.Table.Name).Properties() {
			if strings.HasPrefix(key, "datasync.position.") {
				keys = append(keys, key)
			}
		}
		if err := tx.RemoveProperties(keys); err != nil {
			t.Fatal(err)
		}
		if _, err := tx.Commit(t.Context()); err != nil {
			t.Fatal(err)
		}
		other := laketest.NewFile(t, "http://b.test:80")
		other.Add(t, 1, 100, 1)
		foreign := laketest.Plan(t, s, other, plan.Table.Catalog, plan.Table.Name)
		for _, foreign.Replace = range []bool{false, true} {
			if e := refused(t, s, foreign, model.ExitData); !strings.Contains(e.Text, "no position") {
				t.Errorf("error %+v", e)
			}
		}
		plan.Replace = true // the rows are of this origin
		exported(t, s, plan)
		equal(t, s, plan.Table.Catalog, plan.Table.Name, f, 4)
	})
}

func TestRenamedAndNewColumns(t *testing.T) {
	each(t, "renamed", func(t *testing.T, s laketest.Server, f laketest.File, plan model.LakePlan) {
		tx := s.Load(t, plan.Table.Catalog, plan.Table.Name).NewTransaction()
		update := tx.UpdateSchema(true, false).RenameColumn([]string{"user_id"}, "visitor").AddColumn([]string{"note"}, text, "", false, nil)
		if err := update.Commit(); err != nil {
			t.Fatal(err)
		}
		if _, err := tx.Commit(t.Context()); err != nil {
			t.Fatal(err)
		}
		f.Add(t, 1, 100, 1)
		exported(t, s, plan)
		var named, before, nulls int64
		s.Load(t, plan.Table.Catalog, plan.Table.Name).Row(t, "SELECT count(visitor), count(user_id), (SELECT count(*) FROM lake WHERE batch = 5 AND visitor IS NULL) FROM lake", &named, &before, &nulls)
		var want, wantBefore, wantNulls int64
		f.Row(t, "SELECT count(user_id) FILTER (batch = 5), count(user_id) FILTER (batch < 5), count(*) FILTER (batch = 5 AND user_id IS NULL) FROM events", &want, &wantBefore, &wantNulls)
		if named != want || before != wantBefore || nulls != wantNulls {
			t.Errorf("visitor of %d rows, user_id of %d, %d without; want %d, %d, %d", named, before, nulls, want, wantBefore, wantNulls)
		}
	})
}

func TestDroppedColumn(t *testing.T) {
	each(t, "dropped", func(t *testing.T, s laketest.Server, f laketest.File, plan model.LakePlan) {
		tx := s.Load(t, plan.Table.Catalog, plan.Table.Name).NewTransaction()
		if err := tx.UpdateSchema(true, false).DeleteColumn([]string{"browser"}).Commit(); err != nil {
			t.Fatal(err)
		}
		if _, err := tx.Commit(t.Context()); err != nil {
			t.Fatal(err)
		}
		refuseThenReplace(t, s, f, plan, 4, "column browser was dropped")
	})
}

func TestForeignExpiry(t *testing.T) {
	each(t, "expired", func(t *testing.T, s laketest.Server, f laketest.File, plan model.LakePlan) {
		for range 3 {
			f.Add(t, 1, 50, 1)
			exported(t, s, plan)
		}
		tx := s.Load(t, plan.Table.Catalog, plan.Table.Name).NewTransaction()
		if err := tx.ExpireSnapshots(table.WithRetainLast(1), table.WithOlderThan(0)); err != nil {
			t.Fatal(err)
		}
		if _, err := tx.Commit(t.Context()); err != nil {
			t.Fatal(err)
		}
		f.Add(t, 1, 50, 1)
		exported(t, s, plan)
		equal(t, s, plan.Table.Catalog, plan.Table.Name, f, 8)
	})
}

func TestOptionsOfAnExistingTable(t *testing.T) {
	each(t, "options", func(t *testing.T, s laketest.Server, _ laketest.File, plan model.LakePlan) {
		asked := *plan.Table
		asked.UUID = "uuid"
		plan.Table = &asked
		if e := refused(t, s, plan, model.ExitUsage); !strings.Contains(e.Text, "--uuid") {
			t.Errorf("error %+v", e)
		}
		asked.UUID, asked.PartitionBy = "string", "none"
		if e := refused(t, s, plan, model.ExitUsage); !strings.Contains(e.Text, "--partition-by") {
			t.Errorf("error %+v", e)
		}
		asked.PartitionBy = "day"
		exported(t, s, plan)
	})
}

func TestLayouts(t *testing.T) {
	s := laketest.Weed(t)
	for kind, url := range both(s) {
		t.Run(kind, func(t *testing.T) {
			f := laketest.NewFile(t, "http://a.test:80")
			f.Add(t, 2, 250, 3)
			plan := laketest.Plan(t, s, f, url, "web.uuid")
			plan.Table.UUID, plan.Table.PartitionBy = "uuid", "none"
			if r := exported(t, s, plan); r.Files != 1 {
				t.Errorf("%d files, want 1", r.Files)
			}
			equal(t, s, url, plan.Table.Name, f, 2)
			f.Add(t, 1, 50, 3)
			plan.Table.UUID, plan.Table.PartitionBy = "", ""
			exported(t, s, plan)
			equal(t, s, url, plan.Table.Name, f, 3)
		})
	}
}
