package e2e_test

import (
	"fmt"
	"sync"
	"testing"

	"datasync/internal/model"

	"datasync/lake/laketest"
)

// atOnce runs plans in parallel, which must all succeed, and returns the number of added rows.
func (k kind) atOnce(t *testing.T, plans ...model.LakePlan) (added int64) {
	t.Helper()
	answers := make([]laketest.Answer, len(plans))
	var group sync.WaitGroup
	for i, plan := range plans {
		p := laketest.Start(t, k.Environ(), plan)
		group.Go(func() { answers[i] = p.Await(t, nil) })
	}
	group.Wait()
	for i, a := range answers {
		if a.Code != 0 {
			t.Errorf("export %d: code %d, error %+v", i, a.Code, a.Error)
			continue
		}
		added += a.Result.Events.Added
	}
	return added
}

// TestFourAtOnce runs four exports of growing copies of one file, and four of files of other origins that
// grow every round.
func TestFourAtOnce(t *testing.T) {
	whole(t)
	const rounds = 3
	both(t, func(t *testing.T, k kind) {
		for name, origins := range map[string]int{"copies": 1, "origins": 4, "both": 2} {
			t.Run(name, func(t *testing.T) {
				table := "many." + name
				var files []laketest.File
				for i := range origins {
					files = append(files, laketest.NewFile(t, fmt.Sprintf("http://%d.test", i)))
				}
				var copies []laketest.File
				want := int64(0)
				for range rounds {
					var plans []model.LakePlan
					for i := range 4 {
						f := files[i%origins]
						f.Add(t, 1, 50, 2)
						want += 50
						copies = append(copies, copyOf(t, f))
						plans = append(plans, k.plan(t, copies[len(copies)-1], table))
					}
					k.atOnce(t, plans...)
					k.equal(t, table, files...)
					if rows := k.Load(t, k.url, table).Count(t); rows != want {
						t.Fatalf("the table has %d rows, want %d", rows, want)
					}
				}
				if !k.rest() {
					k.hint(t, table)
				}
				var left []string
				for _, f := range copies {
					left = k.sweep(t, f, table)
				}
				if len(left) > 0 {
					t.Errorf("the sweeps leave %d files, such as %s", len(left), left[0])
				}
				k.equal(t, table, files...)
			})
		}
	})
}
