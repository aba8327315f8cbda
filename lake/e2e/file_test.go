package e2e_test

import (
	"strings"
	"testing"

	"datasync/internal/model"

	"datasync/lake/laketest"
)

// refused runs an export that must fail with a reason of one line.
func (k kind) refused(t *testing.T, plan model.LakePlan, want string) {
	t.Helper()
	a := laketest.Run(t, k.Server, plan)
	if a.Code != model.ExitData || a.Error == nil || !strings.Contains(a.Error.Text, want) || strings.Contains(a.Error.Text, "\n") {
		t.Fatalf("code %d, error %+v, want code 5 and %q", a.Code, a.Error, want)
	}
}

// TestRestoredFile exports a file, restores it from an older copy, and pulls other events.
func TestRestoredFile(t *testing.T) {
	whole(t)
	both(t, func(t *testing.T, k kind) {
		f := laketest.NewFile(t, "http://a.test:80")
		f.Add(t, 4, 60, 2)
		backup := copyOf(t, f)
		f.Add(t, 4, 60, 2)
		plan := k.plan(t, f, "restored.file")
		k.done(t, plan)

		old := k.plan(t, backup, "restored.file")
		if r := k.done(t, old); r.Events.Added != 0 {
			t.Errorf("an older copy added %+v", r.Events)
		}
		k.equal(t, "restored.file", f)
		backup.Add(t, 2, 61, 3) // the copy has batch 6, and the table has batch 8
		if r := k.done(t, old); r.Events.Added != 0 {
			t.Errorf("a file that is behind the table added %+v", r.Events)
		}
		k.equal(t, "restored.file", f)
		backup.Add(t, 4, 61, 3)
		k.refused(t, old, "--replace")
		k.equal(t, "restored.file", f)
		old.Replace = true
		k.done(t, old)
		k.equal(t, "restored.file", backup)
	})
}

// TestHardValues exports extreme values, late days, and a file without a closing check.
func TestHardValues(t *testing.T) {
	whole(t)
	both(t, func(t *testing.T, k kind) {
		f := laketest.NewFile(t, "http://a.test:80")
		f.Add(t, 1, 20, 1)
		f.Exec(t, `INSERT INTO events SELECT uuid(), uuid(), NULL, type, name, ts::TIMESTAMPTZ, props, NULL, browser, NULL, 2 FROM (VALUES
			('', '', '0001-01-01 00:00:00+00', '{}', ''), ('a', repeat('ü', 5000), '9999-12-31 23:59:59.999999+00', '{"a": "\u0000"}', chr(10)),
			('b', 'c', '1969-12-31 23:59:59.999999+00', '[]', '"'), ('b', 'c', '1970-01-01 00:00:00+00', 'null', '\'),
			('b', '😀', '1582-10-04 12:00:00.000001+00', '1', ''''), ('b', '%00', '2024-02-29 23:59:59.999999+00', '"x"', 'é')) v(type, name, ts, props, browser)`,
			"UPDATE meta SET value = '2' WHERE key = 'checked_batch'")
		plan := k.plan(t, f, "hard.values")
		k.done(t, plan)
		k.equal(t, "hard.values", f)
		f.Exec(t, `INSERT INTO events SELECT uuid(), uuid(), uuid(), 'late', 'n', '2026-01-01 00:00:00.000001+00', '{}', NULL, NULL, NULL, 3`)
		if r := k.done(t, plan); r.Events.Added != 0 {
			t.Errorf("a batch that is not checked was exported: %+v", r.Events)
		}
		f.Exec(t, "DELETE FROM meta WHERE key = 'checked_batch'")
		a := laketest.Run(t, k.Server, plan)
		t.Logf("without a closing check, where the table has rows: code %d, %+v, %q", a.Code, a.Error, a.Warnings)
		k.equal(t, "hard.values", f)
		f.Exec(t, "INSERT INTO meta VALUES ('checked_batch', '3')")
		k.done(t, plan)
		k.equal(t, "hard.values", f)
	})
}
