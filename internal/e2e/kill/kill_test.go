package kill_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"datasync/internal/dbfile"
	"datasync/internal/e2e/harness"
	"datasync/internal/inspect"
	"datasync/mockserver"
)

// walks draws a number of parallel walks.
func walks(random *rand.Rand) string { return []string{"1", "4", "auto"}[random.IntN(3)] }

// TestKillLoop kills pulls at random moments, each with another number of walks, while the API
// grows. Each pull resumes where the one before was killed, and the last one ends with exactly the
// API's events.
func TestKillLoop(t *testing.T) {
	t.Parallel()
	seeds, events, pageCap := harness.KillSeeds(), 20_000, 500
	if harness.Soak() {
		seeds, events, pageCap = 1, 3_000_000, 5_000
	} else if testing.Short() {
		seeds = 3
	}
	binary := harness.Program(t)
	for seed := range uint64(seeds) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			random := rand.New(rand.NewPCG(seed, 7))
			o := mockserver.Options{
				Data:   mockserver.DataOptions{Seed: seed, Events: events, DirtyEvery: 50 + random.IntN(500), TieEvery: 1000, TieSize: 100},
				Events: mockserver.Pages{Cap: pageCap}, Feed: mockserver.Pages{Cap: pageCap, Until: mockserver.Bound(random.IntN(3))},
				FaultSeed: seed, Grace: time.Millisecond,
				Random: []mockserver.RandomFault{{Rate: 0.02, Fault: mockserver.Status(503)}, {Rate: 0.02, Fault: mockserver.ResetAfter(100)}},
			}
			if seed%2 == 1 {
				o.Cursor.Signed = true
			}
			if seed%3 > 0 {
				// With this latency parallel walks are worth it, and windows are split into shards.
				o.Events.Latency, o.Feed.Latency = 8*time.Millisecond, 8*time.Millisecond
				o.Events.Cap, o.Feed.Cap = pageCap/4, pageCap/4
			}
			s, base := harness.Serve(t, o)
			folder := t.TempDir()
			for range 5 {
				kill(t, binary, folder, base, random, harness.Soak())
				if seed%2 == 1 {
					s.ExpireCursors()
				}
				if random.IntN(2) == 0 {
					s.Dataset().Grow(random.IntN(3000))
				}
				if random.IntN(4) == 0 {
					// A restart takes over the rest of older windows.
					finish(t, binary, folder, base, s, [][]string{nil, {"--restart"}}[random.IntN(2)]...)
				}
			}
			finish(t, binary, folder, base, s)
		})
	}
}

// kill starts a pull and kills it at a random moment. The file it leaves must be sound.
func kill(t *testing.T, binary, folder, base string, random *rand.Rand, long bool) {
	t.Helper()
	life := time.Duration(random.IntN(400)) * time.Millisecond
	if long {
		life *= 6
	}
	ctx, cancel := context.WithTimeout(t.Context(), life)
	defer cancel()
	cmd, output := harness.Command(ctx, binary, folder, base, "pull", "--quiet", "--workers", walks(random)) // killed when ctx ends
	if err := cmd.Run(); err != nil && ctx.Err() == nil {
		t.Fatalf("%v: %s", err, output)
	}
	leavesSound(t, folder)
}

// leavesSound fails the test where verify finds anything in the files of a killed pull.
func leavesSound(t *testing.T, folder string) {
	t.Helper()
	if err := harness.Verify(filepath.Join(folder, "datasync.duckdb")); err != nil && !errors.Is(err, dbfile.ErrMissing) {
		t.Error(err)
	}
}

// finish pulls to the end and checks the file.
func finish(t *testing.T, binary, folder, base string, s *mockserver.Server, options ...string) {
	t.Helper()
	cmd, output := harness.Command(t.Context(), binary, folder, base, append([]string{"pull"}, options...)...)
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	path := filepath.Join(folder, "datasync.duckdb")
	if err := errors.Join(harness.Compare(s, path), harness.Verify(path)); err != nil {
		t.Error(err)
	}
	harness.OnlyDatabase(t, folder, output.Bytes())
}

// TestSignals: the first signal ends a pull gracefully in each of its phases.
func TestSignals(t *testing.T) {
	binary := harness.Program(t)
	hold := mockserver.RateLimitedIn(mockserver.RetryAfterSeconds, time.Hour)
	for _, tc := range []struct {
		name   string
		signal syscall.Signal
		code   int
		fault  mockserver.Fault
	}{
		{"SIGINT in a wait", syscall.SIGINT, 130, hold},
		{"SIGTERM in a wait", syscall.SIGTERM, 143, hold},
		{"SIGHUP in a wait", syscall.SIGHUP, 143, hold},
		{"SIGTERM while a server hangs", syscall.SIGTERM, 143, mockserver.Hang()},
		{"SIGTERM within a body", syscall.SIGTERM, 143, mockserver.Stall(200)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			base, fifth := harness.ServeUntilFifth(t, tc.fault)
			folder := t.TempDir()
			cmd, output := harness.Command(t.Context(), binary, folder, base, "pull", "--max-wait", "2h")
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			<-fifth
			if err := cmd.Process.Signal(tc.signal); err != nil {
				t.Fatal(err)
			}
			_ = cmd.Wait()
			if got := cmd.ProcessState.ExitCode(); got != tc.code {
				t.Errorf("exit %d, want %d: %s", got, tc.code, output)
			}
			if text := output.String(); !strings.Contains(text, "run the same command to resume") || strings.Contains(text, "goroutine") {
				t.Errorf("output %q", text)
			}
			db, err := inspect.OpenReadOnly(t.Context(), filepath.Join(folder, "datasync.duckdb"), "UTC")
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = db.Close() }()
			var stored int
			var outcome string
			if err := db.QueryRow("SELECT (SELECT count(*) FROM events), outcome FROM runs").Scan(&stored, &outcome); err != nil || stored != 400 || outcome != "interrupted" {
				t.Errorf("%d stored, outcome %q, %v; want the 400 that had come", stored, outcome, err)
			}
		})
	}
}
