package lake_test

import (
	"testing"

	"datasync/lake/laketest"
)

func TestRejects(t *testing.T) {
	s := laketest.Weed(t)
	for kind, url := range both(s) {
		t.Run(kind, func(t *testing.T) {
			f := laketest.NewFile(t, "http://a.test:80")
			f.Add(t, 2, 50, 2)
			plan := laketest.Plan(t, s, f, url, "web.with_rejects")
			if r := exported(t, s, plan); r.Rejected != nil {
				t.Errorf("without a reject there is a table %+v", r.Rejected)
			}
			f.Exec(t, `INSERT INTO rejected_events (raw, reason, reject_key, id, "timestamp", endpoint, batch, resolved) VALUES
				('{"id": 1}', 'no timestamp', 'k1', NULL, NULL, 'events', 3, false),
				('{"id": 2}', 'no type', 'k2', '00000000-0000-4000-8000-000000000002', TIMESTAMPTZ '2026-01-02 03:04:05.000006+00', 'feed', 3, false)`)
			f.Add(t, 1, 50, 2)
			r := exported(t, s, plan)
			if r.Rejected == nil || r.Rejected.Table != "web.with_rejects_rejected" || r.Rejected.Added != 2 || r.Rejected.Rows != 2 || r.Rejected.Position.Batch != 3 {
				t.Fatalf("rejects %+v", r.Rejected)
			}
			f.Add(t, 1, 50, 2)
			f.Exec(t, "UPDATE rejected_events SET resolved = true, resolved_batch = 4 WHERE reject_key = 'k1'")
			if r = exported(t, s, plan); r.Rejected.Added != 1 || r.Rejected.Rows != 3 {
				t.Errorf("resolved %+v", r.Rejected)
			}
			var open, resolved string
			l := s.Load(t, url, "web.with_rejects_rejected")
			l.Row(t, `SELECT string_agg(reject_key || raw || epoch_us("timestamp"), ',') FILTER (NOT resolved AND reject_key NOT IN (SELECT reject_key FROM lake WHERE resolved)),
				string_agg(reject_key || resolved_batch, ',') FILTER (resolved) FROM lake`, &open, &resolved)
			if open != `k2{"id": 2}1767323045000006` || resolved != "k14" {
				t.Errorf("open %q, resolved %q", open, resolved)
			}
			if r = exported(t, s, plan); r.Rejected.Added != 0 || r.Events.Added != 0 {
				t.Errorf("nothing new, and %+v, %+v", r.Events, r.Rejected)
			}
			plan.Replace = true
			if r = exported(t, s, plan); r.Rejected.Rows != 3 || r.Rejected.Added != 3 || r.Events.Rows != 200 {
				t.Errorf("replaced %+v, %+v", r.Events, r.Rejected)
			}
			equal(t, s, url, plan.Table.Name, f, 4)
		})
	}
}
