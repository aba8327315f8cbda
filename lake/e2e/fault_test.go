package e2e_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"datasync/internal/model"

	"datasync/lake/laketest"
)

// everyWay are the faults that a client knows as transient.
var everyWay = []laketest.Fault{laketest.Refuse, laketest.SlowDown, laketest.Fail, laketest.Reset, laketest.Drop, laketest.CutAnswer, laketest.LoseAnswer, laketest.TimeOut}

// TestLossyServices fails 3 of 10 requests to bucket and catalog.
func TestLossyServices(t *testing.T) {
	whole(t)
	both(t, func(t *testing.T, k kind) {
		for seed := range uint64(2) {
			f := laketest.NewFile(t, "http://a.test:80")
			table := fmt.Sprint("lossy.seed", seed)
			lossy := laketest.Lossy(seed, everyWay...)
			failures := 0
			for range 8 {
				f.Add(t, 1, 60, 3)
				plan := k.plan(t, f, table)
				bucket, catalog := k.via(t, &plan, lossy)
				a := laketest.Run(t, k.Server, plan)
				if a.Code != 0 && (a.Code != model.ExitError || a.Error == nil || a.Error.Topic != "lake") {
					t.Fatalf("code %d, error %+v", a.Code, a.Error)
				}
				if a.Code != 0 {
					t.Logf("failed: %s", a.Error.Text)
				}
				for _, w := range everyWay {
					failures += bucket.Count(w)
					if bucket != catalog {
						failures += catalog.Count(w)
					}
				}
				if k.exists(t, table) {
					k.equal(t, table, f)
				}
			}
			k.done(t, k.plan(t, f, table))
			k.equal(t, table, f)
			if left := k.sweep(t, f, table); len(left) > 0 {
				t.Errorf("%d files are left, such as %s", len(left), left[0])
			}
			t.Logf("%d requests failed", failures)
		}
	})
}

// TestLostAnswer drops the response to the commit, in each way.
func TestLostAnswer(t *testing.T) {
	ways := map[string]laketest.Fault{"lost": laketest.LoseAnswer, "504": laketest.TimeOut, "cut": laketest.CutAnswer, "409": laketest.LateConflict}
	if !*all {
		ways = map[string]laketest.Fault{"504": laketest.TimeOut}
	}
	both(t, func(t *testing.T, k kind) {
		for name, fault := range ways {
			f := laketest.NewFile(t, "http://a.test:80")
			for range 2 { // into an empty table, and into one with rows
				f.Add(t, 2, 60, 2)
				plan := k.plan(t, f, "lost.way_"+name)
				var commits atomic.Int64
				k.via(t, &plan, func(r *http.Request) laketest.Fault {
					if isCommit(r) && commits.Add(1) == 1 {
						return fault
					}
					return laketest.None
				})
				if r := k.done(t, plan); r.Events.Added != 120 || r.Events.Commits != 1 {
					t.Errorf("%s: %+v", name, r.Events)
				}
				k.equal(t, plan.Table.Name, f)
			}
		}
	})
}

// TestConflicts has the catalog answer 409 to five commits, although no other commit exists.
func TestConflicts(t *testing.T) {
	whole(t)
	both(t, func(t *testing.T, k kind) {
		f := laketest.NewFile(t, "http://a.test:80")
		f.Add(t, 2, 60, 2)
		plan := k.plan(t, f, "conflict.five")
		var commits atomic.Int64
		k.via(t, &plan, func(r *http.Request) laketest.Fault {
			if isCommit(r) && commits.Add(1) <= 5 {
				return laketest.Conflict
			}
			return laketest.None
		})
		if r := k.done(t, plan); r.Events.Added != 120 {
			t.Errorf("%+v", r.Events)
		}
		k.equal(t, plan.Table.Name, f)
		if left := k.sweep(t, f, plan.Table.Name); len(left) > 0 {
			t.Errorf("%d files are left, such as %s", len(left), left[0])
		}
	})
}

// TestRefusedServices: if a service refuses, the error names it and the reason, in one line and without a
// secret.
func TestRefusedServices(t *testing.T) {
	whole(t)
	both(t, func(t *testing.T, k kind) {
		f := laketest.NewFile(t, "http://a.test:80")
		f.Add(t, 1, 60, 2)
		for name, c := range map[string]struct {
			change func(*laketest.Server, *model.LakePlan)
			want   string
		}{
			"bucket": {func(_ *laketest.Server, p *model.LakePlan) {
				p.Table = &model.LakeTable{Catalog: "s3://no-such-bucket/here", Name: "refused.t"}
			}, "no-such-bucket"},
			"warehouse": {func(_ *laketest.Server, p *model.LakePlan) {
				if p.Table = (&model.LakeTable{Catalog: "s3://no-such-bucket", Name: "refused.t"}); k.rest() {
					p.Table.Catalog = strings.Replace(k.url, "iceberg-tables", "no-such-warehouse", 1)
				}
			}, "no-such-"},
			"endpoint": {func(_ *laketest.Server, p *model.LakePlan) {
				p.Endpoint, p.Table = "http://127.0.0.1:1", &model.LakeTable{Catalog: "s3://lake/x", Name: "refused.t"}
			}, "s3://lake"},
		} {
			t.Run(name, func(t *testing.T) {
				s, plan := k.Server, k.plan(t, f, "refused.t")
				c.change(&s, &plan)
				a := laketest.Run(t, s, plan)
				if a.Code != model.ExitError || a.Error == nil || a.Error.Topic != "lake" || !strings.Contains(a.Error.Text, c.want) ||
					strings.Contains(a.Error.Text, "\n") || strings.Contains(a.Error.Text, laketest.SecretKey) {
					t.Errorf("code %d, error %+v, want one line that names %s", a.Code, a.Error, c.want)
				}
			})
		}
	})
}
