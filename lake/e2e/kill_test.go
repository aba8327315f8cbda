package e2e_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"datasync/internal/model"

	"datasync/lake/laketest"
)

// requests counts the requests of a run, and calls at with the number of each.
type requests struct {
	mu sync.Mutex
	n  int
	at func(n int, r *http.Request) laketest.Fault
}

func (q *requests) decide(r *http.Request) laketest.Fault {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.n++
	if q.at == nil {
		return laketest.None
	}
	return q.at(q.n, r)
}

// victim is an export that will be killed.
type victim struct {
	started chan struct{}
	process *laketest.Process
}

func (v *victim) kill() {
	<-v.started
	_ = v.process.Process.Kill() // it may have ended by itself
}

func (v *victim) run(t *testing.T, k kind, plan model.LakePlan) laketest.Answer {
	t.Helper()
	v.process = laketest.Start(t, k.Environ(), plan)
	close(v.started)
	return v.process.Await(t, nil)
}

// killAt kills an export at its nth request: before the service receives it, or after the proxy drops the
// response.
func (k kind) killAt(t *testing.T, plan model.LakePlan, n int, after bool) laketest.Answer {
	t.Helper()
	v := victim{started: make(chan struct{})}
	q := requests{at: func(i int, _ *http.Request) laketest.Fault {
		switch {
		case i != n:
			return laketest.None
		case after:
			return laketest.LoseAnswer
		}
		v.kill()
		return laketest.Drop
	}}
	bucket, catalog := k.via(t, &plan, q.decide)
	for _, p := range []*laketest.Proxy{bucket, catalog} {
		p.OnLost(func(*http.Request) { v.kill() })
	}
	return v.run(t, k, plan)
}

// killWithin kills an export at a random moment.
func (k kind) killWithin(t *testing.T, plan model.LakePlan, moment time.Duration) laketest.Answer {
	t.Helper()
	v := victim{started: make(chan struct{})}
	timer := time.AfterFunc(moment, v.kill)
	defer timer.Stop()
	return v.run(t, k, plan)
}

// sweep makes an export's journals old, removes orphans, and returns the remaining ones.
func (k kind) sweep(t *testing.T, f laketest.File, table string) (left []string) {
	t.Helper()
	journals, err := filepath.Glob(filepath.Join(filepath.Dir(f.Path), ".*.lake-journal", "*"))
	if err != nil {
		t.Fatal(err)
	}
	old := time.Now().Add(-2 * time.Hour)
	for _, j := range journals {
		if err := os.Chtimes(j, old, old); err != nil {
			t.Fatal(err)
		}
	}
	plan := k.plan(t, f, table)
	plan.Sweep = true
	k.done(t, plan)
	return k.Load(t, k.url, table).Orphans(t)
}

// exists reports whether an export has created the table.
func (k kind) exists(t *testing.T, table string) bool {
	t.Helper()
	return k.Has(t, k.url, table)
}

// kills is the number of killed exports of one table before the final comparison.
const kills = 10

// TestKills kills exports at each request and at random moments. After each kill the table has only whole
// batches. In the end it has all batches, and no orphans.
func TestKills(t *testing.T) {
	rounds := 6
	if !*all {
		rounds = 1
	}
	both(t, func(t *testing.T, k kind) {
		random := rand.New(rand.NewPCG(21, uint64(len(k.url))))
		f := laketest.NewFile(t, "http://a.test:80")
		f.Add(t, 1, 40, 2)
		clean := k.plan(t, f, "kill.clean")
		var q requests
		k.via(t, &clean, q.decide)
		began := time.Now()
		k.done(t, clean)
		took := time.Since(began)
		first := q.n
		f.Add(t, 1, 40, 2)
		k.done(t, clean)
		next := q.n - first
		t.Logf("an export sends %d requests, the first one %d", next, first)
		at, done := 0, 0
		for round := range rounds {
			f := laketest.NewFile(t, "http://a.test:80")
			table := fmt.Sprintf("kill.round%d", round)
			some := kills
			if !*all {
				some = 1
			}
			for i := range some {
				f.Add(t, 1, 40, 2)
				plan := k.plan(t, f, table)
				how := ""
				var a laketest.Answer
				switch {
				case !*all:
					how = "after the commit"
					a = k.killAtCommit(t, plan)
				case i%3 == 2:
					moment := time.Duration(random.Int64N(int64(took)))
					how = fmt.Sprint("after ", moment)
					a = k.killWithin(t, plan, moment)
				default:
					of := next
					if i == 0 {
						of = first
					}
					n, after := at/2%of+1, at%2 == 1
					at++
					how = fmt.Sprintf("at request %d, after it: %v", n, after)
					a = k.killAt(t, plan, n, after)
				}
				if a.Code == -1 {
					done++
				}
				if k.exists(t, table) {
					k.equal(t, table, f)
				}
				if t.Failed() {
					t.Fatalf("round %d, kill %d %s", round, i, how)
				}
				if i%2 == 1 {
					k.done(t, k.plan(t, f, table))
					k.equal(t, table, f)
				}
			}
			if r := k.done(t, k.plan(t, f, table)); r.Events.Position.Batch != int64(some) || r.Events.Rows != int64(some)*40 {
				t.Fatalf("round %d ends with %+v", round, r.Events)
			}
			k.equal(t, table, f)
			if left := k.sweep(t, f, table); len(left) > 0 {
				t.Errorf("round %d leaves %q", round, left)
			}
			k.equal(t, table, f)
		}
		t.Logf("%d exports were killed", done)
	})
}

// killAtCommit kills an export after its commit, before it receives the response.
func (k kind) killAtCommit(t *testing.T, plan model.LakePlan) laketest.Answer {
	t.Helper()
	v := victim{started: make(chan struct{})}
	_, catalog := k.via(t, &plan, func(r *http.Request) laketest.Fault {
		if isCommit(r) {
			return laketest.LoseAnswer
		}
		return laketest.None
	})
	catalog.OnLost(func(*http.Request) { v.kill() })
	return v.run(t, k, plan)
}
