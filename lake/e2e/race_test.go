package e2e_test

import (
	"net/http"
	"sync/atomic"
	"testing"

	"datasync/lake/laketest"
)

// TestOthersCommitBeforeTheReload drops the response to a commit. Before the reload, an export of a newer
// copy commits, so the newest position has another commit id.
func TestOthersCommitBeforeTheReload(t *testing.T) {
	ways := map[string]laketest.Fault{"lost": laketest.LoseAnswer, "504": laketest.TimeOut, "409": laketest.LateConflict}
	if !*all {
		ways = map[string]laketest.Fault{"504": laketest.TimeOut}
	}
	for name, fault := range ways {
		t.Run(name, func(t *testing.T) {
			both(t, func(t *testing.T, k kind) {
				f := laketest.NewFile(t, "http://a.test:80")
				f.Add(t, 2, 200, 2)
				newer := copyOf(t, f)
				newer.Add(t, 2, 100, 2)
				table := "race.before_" + name
				plan := k.plan(t, f, table)
				var commits atomic.Int64
				_, catalog := k.via(t, &plan, func(r *http.Request) laketest.Fault {
					if isCommit(r) && commits.Add(1) == 1 {
						return fault
					}
					return laketest.None
				})
				catalog.OnLost(func(*http.Request) { k.done(t, k.plan(t, newer, table)) })
				r := k.done(t, plan)
				if r.Events.Position.Batch != 4 || r.Events.Rows != 600 {
					t.Errorf("result %+v", r.Events)
				}
				k.equal(t, table, newer)
			})
		})
	}
}
