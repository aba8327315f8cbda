package e2e_test

import (
	"maps"
	"path/filepath"
	"slices"
	"testing"

	"datasync/lake/laketest"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"
)

// changed has another program change a table.
func (k kind) changed(t *testing.T, name string, change func(l laketest.Table, tx *table.Transaction) error) {
	t.Helper()
	l := k.Load(t, k.url, name)
	tx := l.NewTransaction()
	if err := change(l, tx); err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// batchOne is the rows of the first batch.
var batchOne = iceberg.EqualTo(iceberg.Reference("batch"), int64(1))

// TestSwappedRows has another program replace a file of the table by one with as many rows: the counts are
// equal, but the rows differ.
func TestSwappedRows(t *testing.T) {
	whole(t)
	both(t, func(t *testing.T, k kind) {
		f := laketest.NewFile(t, "http://a.test:80")
		other := laketest.NewFile(t, "http://a.test:80")
		plan := k.plan(t, f, "foreign.swap")
		f.Add(t, 1, 60, 1)
		k.done(t, plan)
		f.Add(t, 1, 60, 1)
		k.done(t, plan)
		other.Add(t, 1, 60, 1)
		other.Exec(t, `UPDATE events SET id = uuid(), name = 'swapped'`)
		k.done(t, k.plan(t, other, "foreign.swapped"))
		l := k.Load(t, k.url, "foreign.swapped")
		content, err := l.Files.ReadFile(l.Data[0])
		if err != nil {
			t.Fatal(err)
		}
		k.changed(t, "foreign.swap", func(_ laketest.Table, tx *table.Transaction) error { return tx.Delete(t.Context(), batchOne, nil) })
		k.refused(t, plan, "--replace")
		k.changed(t, "foreign.swap", func(l laketest.Table, tx *table.Transaction) error {
			foreign := l.Location() + "/data/" + filepath.Base("foreign.parquet")
			if err := l.Files.WriteFile(foreign, content); err != nil {
				return err
			}
			d, err := iceberg.NewDataFileBuilder(l.Spec(), iceberg.EntryContentData, foreign, iceberg.ParquetFile,
				map[int]any{1000: iceberg.Date(20454)}, nil, nil, 60, int64(len(content)))
			if err != nil {
				return err
			}
			return tx.AddDataFiles(t.Context(), []iceberg.DataFile{d.Build()}, nil, table.WithoutDuplicateCheck())
		})
		if rows := k.Load(t, k.url, "foreign.swap").Count(t); rows != 120 {
			t.Fatalf("%d rows, want 120: nothing to detect", rows)
		}
		k.refused(t, plan, "removed rows and added as many")
		plan.Replace = true
		k.done(t, plan)
		k.equal(t, "foreign.swap", f)
		plan.Replace = false
		f.Add(t, 1, 10, 1)
		k.done(t, plan)
		k.equal(t, "foreign.swap", f)
	})
}

// TestRequiredColumn has another program add a column that must not be null.
func TestRequiredColumn(t *testing.T) {
	whole(t)
	both(t, func(t *testing.T, k kind) {
		f := laketest.NewFile(t, "http://a.test:80")
		f.Add(t, 1, 60, 1)
		plan := k.plan(t, f, "foreign.required")
		k.done(t, plan)
		k.changed(t, "foreign.required", func(_ laketest.Table, tx *table.Transaction) error {
			return tx.UpdateSchema(true, true).AddColumn([]string{"must"}, iceberg.PrimitiveTypes.String, "", true, nil).Commit()
		})
		f.Add(t, 1, 60, 1)
		k.refused(t, plan, "its column must must not be null")
		k.equal(t, "foreign.required", f)
	})
}

// TestSpecAndOrderOfOthers has another program partition the table by type too, and move columns.
func TestSpecAndOrderOfOthers(t *testing.T) {
	whole(t)
	both(t, func(t *testing.T, k kind) {
		f := laketest.NewFile(t, "http://a.test:80")
		f.Add(t, 2, 60, 2)
		plan := k.plan(t, f, "foreign.spec")
		k.done(t, plan)
		k.changed(t, "foreign.spec", func(_ laketest.Table, tx *table.Transaction) error {
			return tx.UpdateSpec(true).AddField("type", iceberg.IdentityTransform{}, "kind").Commit()
		})
		k.changed(t, "foreign.spec", func(_ laketest.Table, tx *table.Transaction) error {
			return tx.UpdateSchema(true, true).MoveFirst([]string{"batch"}).Commit()
		})
		f.Add(t, 2, 60, 2)
		k.done(t, plan)
		k.equal(t, "foreign.spec", f)
		plan.Replace = true
		k.done(t, plan)
		k.equal(t, "foreign.spec", f)
	})
}

// TestManySnapshots exports until old snapshots expire, and has another program expire all but the newest.
func TestManySnapshots(t *testing.T) {
	whole(t)
	both(t, func(t *testing.T, k kind) {
		f := laketest.NewFile(t, "http://a.test:80")
		plan := k.plan(t, f, "foreign.many")
		plan.Table.PartitionBy = "none"
		for range 4 {
			f.Add(t, 40, 3, 1)
			plan.CommitRows = 3
			if r := k.done(t, plan); r.Events.Commits != 40 {
				t.Fatalf("%+v", r.Events)
			}
			plan.Table.PartitionBy = ""
		}
		k.equal(t, "foreign.many", f)
		if n := len(k.Load(t, k.url, "foreign.many").Metadata().Snapshots()); n > 150 {
			t.Errorf("%d snapshots", n)
		}
		if !k.rest() {
			k.hint(t, "foreign.many")
		}
		k.changed(t, "foreign.many", func(_ laketest.Table, tx *table.Transaction) error {
			return tx.ExpireSnapshots(table.WithRetainLast(1), table.WithOlderThan(0))
		})
		f.Add(t, 1, 3, 1)
		k.done(t, plan)
		k.equal(t, "foreign.many", f)
		if left := k.sweep(t, f, "foreign.many"); len(left) > 0 {
			t.Logf("%d files are in no snapshot, such as %s", len(left), left[0])
			kinds := map[string]int{}
			for _, l := range left {
				kinds[filepath.Ext(l)]++
			}
			t.Logf("kinds: %v of %v", kinds, slices.Sorted(maps.Keys(kinds)))
		}
	})
}
