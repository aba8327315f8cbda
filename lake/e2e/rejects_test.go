package e2e_test

import (
	"path/filepath"
	"testing"

	"datasync/lake/laketest"
)

// TestKillsWithRejects kills exports of a file with rejects during the writes to the second table. The next
// export completes both tables, and the sweep of both also removes the journals.
func TestKillsWithRejects(t *testing.T) {
	whole(t)
	both(t, func(t *testing.T, k kind) {
		f := laketest.NewFile(t, "http://a.test:80")
		const table = "rejects.kill"
		for i := range 6 {
			f.Add(t, 1, 40, 2)
			f.Exec(t, `UPDATE rejected_events SET resolved = true, resolved_batch = (SELECT max(batch) FROM events) WHERE NOT resolved`,
				`INSERT INTO rejected_events (raw, reason, reject_key, endpoint, batch, resolved) SELECT '{}', 'no id', 'k' || max(batch), 'events', max(batch), false FROM events`)
			n := 14 + 2*i
			if k.rest() {
				n = 9 + i
			}
			a := k.killAt(t, k.plan(t, f, table), n, i%2 == 0)
			if k.exists(t, table) {
				k.equal(t, table, f)
			}
			if i%2 == 0 {
				continue
			}
			r := k.done(t, k.plan(t, f, table))
			if r.Rejected == nil || r.Rejected.Rows != int64(2*i+1) {
				t.Fatalf("after kill %d with code %d: rejects %+v, want %d rows", i, a.Code, r.Rejected, 2*i+1)
			}
		}
		k.equal(t, table, f)
		left := k.sweep(t, f, table)
		left = append(left, k.Load(t, k.url, table+"_rejected").Orphans(t)...)
		if len(left) > 0 {
			t.Errorf("%d files are left, such as %s", len(left), left[0])
		}
		if journals, _ := filepath.Glob(filepath.Join(filepath.Dir(f.Path), ".*.lake-journal", "*")); len(journals) > 0 {
			t.Errorf("%d journals are left", len(journals))
		}
	})
}
