package e2e_test

import (
	"net/http"
	"testing"

	"datasync/lake/laketest"
)

// TestSweepBesideAnExport sweeps while another export has uploaded but not committed its files.
func TestSweepBesideAnExport(t *testing.T) {
	whole(t)
	both(t, func(t *testing.T, k kind) {
		f := laketest.NewFile(t, "http://a.test:80")
		f.Add(t, 1, 60, 2)
		k.done(t, k.plan(t, f, "sweep.beside"))
		f.Add(t, 1, 60, 2)
		other := copyOf(t, f)
		plan := k.plan(t, f, "sweep.beside")
		swept := false
		k.via(t, &plan, func(r *http.Request) laketest.Fault {
			if isCommit(r) && !swept {
				swept = true
				sweep := k.plan(t, other, "sweep.beside")
				sweep.Sweep = true
				if r := k.done(t, sweep); r.Removed != 0 {
					t.Errorf("the sweep removed %d files", r.Removed)
				}
			}
			return laketest.None
		})
		k.done(t, plan)
		if !swept {
			t.Error("there was no sweep")
		}
		k.equal(t, "sweep.beside", f)
	})
}
