package lake_test

import (
	"os"
	"testing"

	"datasync/internal/model"

	"datasync/lake/laketest"
)

func TestMain(m *testing.M) { os.Exit(laketest.Main(m)) }

// both are the kinds of catalogs, on one server.
func both(s laketest.Server) map[string]string {
	return map[string]string{"rest": s.URL, "folder": "s3://" + s.Bucket + "/some/where"}
}

// exported runs a plan that must succeed.
func exported(t *testing.T, s laketest.Server, plan model.LakePlan) *model.LakeResult {
	t.Helper()
	a := laketest.Run(t, s, plan)
	if a.Code != 0 || a.Result == nil {
		t.Fatalf("code %d, error %+v", a.Code, a.Error)
	}
	return a.Result
}

// refused runs a plan that must fail with a code.
func refused(t *testing.T, s laketest.Server, plan model.LakePlan, code int) *model.LakeError {
	t.Helper()
	a := laketest.Run(t, s, plan)
	if a.Code != code || a.Error == nil || a.Error.Code != code {
		t.Fatalf("code %d, error %+v, result %+v; want code %d", a.Code, a.Error, a.Result, code)
	}
	return a.Error
}

// equal compares the table with the file, up to a batch.
func equal(t *testing.T, s laketest.Server, url, name string, f laketest.File, batch int64) {
	t.Helper()
	got, want := s.Load(t, url, name).Sums(t, f.Origin), f.Sums(t, batch)
	if got != want {
		t.Fatalf("the table has %+v, want %+v", got, want)
	}
}

func TestExport(t *testing.T) {
	s := laketest.Weed(t)
	for kind, url := range both(s) {
		t.Run(kind, func(t *testing.T) {
			f := laketest.NewFile(t, "http://a.test:80")
			f.Add(t, 3, 1000, 4)
			plan := laketest.Plan(t, s, f, url, "web.export")
			r := exported(t, s, plan)
			if r.Events == nil || r.Events.Added != 3000 || r.Events.Rows != 3000 || r.Events.Commits != 1 || r.Events.Position.Batch != 3 || r.Events.FileRows != 3000 || r.Files != 4 {
				t.Errorf("result %+v of %+v", r.Events, r)
			}
			equal(t, s, url, plan.Table.Name, f, 3)

			if r = exported(t, s, plan); r.Events.Added != 0 || r.Events.Commits != 0 || r.Files != 0 {
				t.Errorf("an export of nothing new did %+v", r.Events)
			}
			f.Add(t, 2, 500, 4)
			f.Exec(t, "UPDATE meta SET value = '4' WHERE key = 'checked_batch'")
			plan.DryRun = true
			if r = exported(t, s, plan); r.Events.Added != 500 || r.Events.Commits != 1 || r.Events.Rows != 3000 {
				t.Errorf("a dry run says %+v", r.Events)
			}
			plan.DryRun = false
			if r = exported(t, s, plan); r.Events.Added != 500 || r.Events.Rows != 3500 || r.Events.Batch != 4 {
				t.Errorf("an export up to the checked batch did %+v", r.Events)
			}
			equal(t, s, url, plan.Table.Name, f, 4)
			plan.Do = model.LakeDoStatus
			if r = exported(t, s, plan); r.Events.Position.Batch != 4 || r.Events.FileRows != 3500 {
				t.Errorf("the status is %+v", r.Events)
			}
			entries, err := os.ReadDir(dir(f))
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range entries {
				if len(e.Name()) > 5 && e.Name()[len(e.Name())-7:] == "journal" {
					t.Errorf("%s stays", e.Name())
				}
			}
		})
	}
}
