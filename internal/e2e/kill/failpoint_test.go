package kill_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"datasync/internal/e2e/harness"
	"datasync/internal/inspect"
	"datasync/internal/model"
	"datasync/mockserver"
)

// TestFailpoints kills a pull at each failpoint. The file it leaves is sound, and the next pull
// completes it.
func TestFailpoints(t *testing.T) {
	t.Parallel()
	binary := harness.FailpointProgram(t)
	o := mockserver.Options{
		Data:   mockserver.DataOptions{Events: 4000, DirtyEvery: 70, TieEvery: 500, TieSize: 60},
		Events: mockserver.Pages{Cap: 200}, Feed: mockserver.Pages{Cap: 200, Until: mockserver.Inclusive},
	}
	for _, tc := range []struct {
		point string
		times []int
		sure  bool // the process cannot end before the signal comes
	}{
		{"f1", []int{1, 2, 9}, true}, {"f2", []int{1, 2, 9}, true}, {"f3", []int{1, 5, 12}, true}, {"f4", []int{1}, true},
		{"f5", []int{1}, true}, {"f6", []int{1, 2, 3}, true}, {"f7", []int{1, 2, 3}, true}, {"f8", []int{1, 2}, true},
		{"f9", []int{1, 2}, false}, {"f10", []int{1, 2}, true}, {"f11", []int{1, 2}, false}, {"f12", []int{1, 2}, true}, {"f13", []int{1, 2, 3, 4}, true},
	} {
		for i, n := range tc.times {
			if !harness.Tried(i, len(tc.times), 1) {
				continue
			}
			point := fmt.Sprint(tc.point, ":", n)
			t.Run(point, func(t *testing.T) {
				t.Parallel()
				s, base := harness.Serve(t, o)
				folder := t.TempDir()
				if killed := harness.KilledAt(t, point, folder, base, "pull", "--quiet"); !killed && tc.sure {
					t.Errorf("the program did not come to %s", point)
				}
				leavesSound(t, folder)
				s.ExpireCursors()
				s.Dataset().Grow(700)
				// The same failpoint in the next pull.
				_ = harness.KilledAt(t, point, folder, base, "pull", "--quiet")
				leavesSound(t, folder)
				finish(t, binary, folder, base, s)
			})
		}
	}
	for seed := range uint64(max(1, harness.KillSeeds()/4)) {
		t.Run(fmt.Sprint("at random, seed ", seed), func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(seed, 3))
			s, base := harness.Serve(t, o)
			folder := t.TempDir()
			for range 4 {
				point := fmt.Sprint("f", 1+random.IntN(13), ":", 1+random.IntN(6))
				_ = harness.KilledAt(t, point, folder, base, "pull", "--quiet", "--workers", walks(random))
				leavesSound(t, folder)
				s.Dataset().Grow(random.IntN(900))
				if random.IntN(2) == 0 {
					s.ExpireCursors()
				}
			}
			finish(t, binary, folder, base, s)
		})
	}
}

// TestFailpointsOfFullBatches kills a pull whose batches are full: pages are split, and two batches
// are written at a time.
func TestFailpointsOfFullBatches(t *testing.T) {
	t.Parallel()
	binary := harness.FailpointProgram(t)
	points := []string{"f5:2", "f6:1", "f6:3", "f6:4", "f6:6", "f7:3", "f7:4", "f8:2", "f9:2", "f9:3", "f10:1", "f10:2"}
	for i, point := range points {
		if !harness.Tried(i, len(points), 2) {
			continue
		}
		t.Run(point, func(t *testing.T) {
			s, base := harness.Serve(t, mockserver.Options{
				Data:   mockserver.DataOptions{Events: 3*model.MaxRows + 1000, DirtyEvery: 5000 * (i % 2), TieEvery: 50_000, TieSize: 300},
				Events: mockserver.Pages{Cap: 5000}, Feed: mockserver.Pages{Cap: 5000, Until: mockserver.Inclusive},
			})
			folder := t.TempDir()
			if !harness.KilledAt(t, point, folder, base, "pull", "--quiet") && !strings.HasPrefix(point, "f9") {
				t.Errorf("the program did not come to %s", point)
			}
			leavesSound(t, folder)
			if i%3 == 0 {
				s.ExpireCursors()
			}
			finish(t, binary, folder, base, s)
		})
	}
}

// TestFailpointsOfShards kills a pull whose window is walked in shards.
func TestFailpointsOfShards(t *testing.T) {
	t.Parallel()
	binary := harness.FailpointProgram(t)
	shards := 0
	points := []string{"f1:20", "f2:30", "f3:15", "f4:3", "f5:1", "f5:4", "f6:2", "f6:7", "f7:2", "f7:6", "f8:2", "f8:5", "f9:3", "f10:2", "f10:5", "f11:1"}
	for i, point := range points {
		if !harness.Tried(i, len(points), 3) {
			continue
		}
		t.Run(point, func(t *testing.T) {
			s, base := harness.Serve(t, mockserver.Options{
				Data:   mockserver.DataOptions{Seed: uint64(i), Events: 5000, DirtyEvery: 70, TieEvery: 500, TieSize: 60},
				Events: mockserver.Pages{Cap: 100, Latency: 10 * time.Millisecond}, Feed: mockserver.Pages{Cap: 100, Latency: 10 * time.Millisecond, Until: mockserver.Bound(1 + i%2)},
				Cursor: mockserver.Cursors{Signed: true}, Grace: time.Millisecond,
			})
			folder := t.TempDir()
			for range 2 {
				_ = harness.KilledAt(t, point, folder, base, "pull", "--quiet", "--workers", "4")
				leavesSound(t, folder)
				if i%3 == 0 {
					s.ExpireCursors()
				}
			}
			finish(t, binary, folder, base, s)
			if harness.One(t, filepath.Join(folder, "datasync.duckdb"), "SELECT count(*)::VARCHAR FROM checkpoint WHERE begins IS NOT NULL") != "0" {
				shards++
			}
		})
	}
	t.Logf("%d windows were walked in shards", shards)
	if shards == 0 {
		t.Error("no window was walked in shards")
	}
}

// TestFailpointInAWait kills a pull after an endpoint asked for a wait and before the wait is
// committed. The next pull, which starts at once, keeps the wait.
func TestFailpointInAWait(t *testing.T) {
	t.Parallel()
	binary := harness.FailpointProgram(t)
	s, base := harness.Serve(t, mockserver.Options{
		Data: mockserver.DataOptions{Events: 1000}, Events: mockserver.Pages{Cap: 100}, Feed: mockserver.Pages{Cap: 100},
		Scripts: []mockserver.Script{{Endpoint: mockserver.Events, Request: 2, Faults: []mockserver.Fault{mockserver.RateLimited(2 * time.Second)}}},
	})
	folder := t.TempDir()
	if killed := harness.KilledAt(t, "f15", folder, base, "pull", "--quiet", "--workers", "1"); !killed {
		t.Error("the program did not come to f15")
	}
	leavesSound(t, folder)
	finish(t, binary, folder, base, s)
	if stats := s.Stats(); stats.Early != 0 || stats.Events.Limited == 0 {
		t.Errorf("%d requests came too soon, after %d 429s", stats.Early, stats.Events.Limited)
	}
}

// TestFailpointInMigration kills the pull that migrates a file of the first schema. The file has
// the old schema or the new one, and the next pull resumes.
func TestFailpointInMigration(t *testing.T) {
	t.Parallel()
	binary := harness.FailpointProgram(t)
	script, err := os.ReadFile(filepath.Join(harness.Root(t), "internal", "store", "migrations", "0001_init.sql"))
	if err != nil {
		t.Fatal(err)
	}
	// Once after each script, and once after the commit.
	for n := 1; n <= inspect.SchemaVersion; n++ {
		if !harness.Tried(n-1, inspect.SchemaVersion, 3) {
			continue
		}
		s, base := harness.Serve(t, mockserver.Options{Data: mockserver.DataOptions{Events: 4000}, Events: mockserver.Pages{Cap: 200}})
		folder := t.TempDir()
		path := filepath.Join(folder, "datasync.duckdb")
		harness.Change(t, path, string(script)+fmt.Sprintf(`; INSERT INTO meta VALUES ('application', 'datasync'), ('schema_version', '1'), ('origin', '%s');
			INSERT INTO events (id, session_id, type, "timestamp", batch) SELECT uuid(), uuid(), 'click', make_timestamptz(n), 1 FROM range(1, 500) r(n);
			INSERT INTO checkpoint SELECT 1, 'under_way', make_timestamptz(500), NULL, NULL, NULL, NULL, NULL, 1, 499, 499, 499, false, now();
			INSERT INTO page_log (batch, run, window_id, endpoint, first_timestamp, last_timestamp, returned, stored, duplicate, conflict, rejected, resumed)
			SELECT 1, uuid(), 1, 'events', make_timestamptz(499), make_timestamptz(1), 499, 499, 0, 0, 0, false`, base))
		if !harness.KilledAt(t, fmt.Sprint("f13:", n), folder, base, "pull", "--quiet") {
			t.Errorf("the program did not come to f13 for the %d. time", n)
		}
		want := "1 499"
		if n == inspect.SchemaVersion {
			want = fmt.Sprint(n, " 499")
		}
		if got := harness.One(t, path, "SELECT value || ' ' || (SELECT count(*) FROM events) FROM meta WHERE key = 'schema_version'"); got != want {
			t.Errorf("killed for the %d. time: schema and events %s, want %s", n, got, want)
		}
		cmd, output := harness.Command(t.Context(), binary, folder, base, "pull", "--quiet")
		if err := cmd.Run(); err != nil {
			t.Fatalf("%v: %s", err, output)
		}
		if got := harness.One(t, path, "SELECT count(*)::VARCHAR FROM events"); got != fmt.Sprint(499+s.Dataset().Len()) {
			t.Errorf("%s events", got)
		}
	}
}
