package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"datasync/internal/dbfile"
	"datasync/internal/inspect"
	"datasync/mockserver"
)

var (
	soak      = flag.Bool("soak", false, "TestKillLoop with 3,000,000 events")
	killSeeds = flag.Int("kill-seeds", 3, "the tests that kill at random with so many seeds")
	all       = flag.Bool("all", false, "try all cases where the tests try a few of them: minutes")
)

// tried reports whether the ith of n cases is tried: all are with -all, else a few that lie
// apart, so that go test has something of each suite and ends within a few minutes.
func tried(i, n, few int) bool { return *all || i*few%n < few }

// serve serves the API on a loopback port until the test ends.
func serve(t *testing.T, o mockserver.Options) (*mockserver.Server, string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := mockserver.New(o)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx, listener) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return s, "http://" + listener.Addr().String()
}

// program returns the built program as a command, in the folder.
func program(ctx context.Context, binary, folder, base string, args ...string) (*exec.Cmd, *bytes.Buffer) {
	cmd := exec.CommandContext(ctx, binary, args...)
	cmd.Dir = folder
	cmd.Env = append(os.Environ(), "DATASYNC_API_KEY=ds_test_canary", "DATASYNC_BASE_URL="+base)
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	return cmd, &output
}

// binaries are what build has built, by its tags; TestMain removes them.
var binaries = struct {
	sync.Mutex
	folder string
	paths  map[string]string
}{paths: map[string]string{}}

// build builds the program, once for all tests, with a build tag if one is given.
func build(t *testing.T, tag string) string {
	t.Helper()
	binaries.Lock()
	defer binaries.Unlock()
	if path := binaries.paths[tag]; path != "" {
		return path
	}
	if binaries.folder == "" {
		folder, err := os.MkdirTemp("", "datasync-test-")
		if err != nil {
			t.Fatal(err)
		}
		binaries.folder = folder
	}
	path := filepath.Join(binaries.folder, "datasync"+tag)
	if out, err := exec.Command("go", "build", "-tags", tag, "-o", path, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	binaries.paths[tag] = path
	return path
}

// walks draws how many walks at a time a pull may have.
func walks(random *rand.Rand) string { return []string{"1", "4", "auto"}[random.IntN(3)] }

// TestKillLoop kills pulls at random moments, each where the one before stood and with
// another number of walks, while the API grows, and expects the last one to end with exactly
// what the API has.
func TestKillLoop(t *testing.T) {
	t.Parallel()
	seeds, events, pageCap := *killSeeds, 20_000, 500
	if *soak {
		seeds, events, pageCap = 1, 3_000_000, 5_000
	} else if testing.Short() {
		seeds = 3
	}
	binary := build(t, "")
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
				// Walks side by side are worth it, and windows are walked in parts.
				o.Events.Latency, o.Feed.Latency = 8*time.Millisecond, 8*time.Millisecond
				o.Events.Cap, o.Feed.Cap = pageCap/4, pageCap/4
			}
			s, base := serve(t, o)
			folder := t.TempDir()
			for range 5 {
				kill(t, binary, folder, base, random, *soak)
				if seed%2 == 1 {
					s.ExpireCursors()
				}
				if random.IntN(2) == 0 {
					s.Dataset().Grow(random.IntN(3000))
				}
				if random.IntN(4) == 0 {
					// What older windows had left is then this one's.
					finish(t, binary, folder, base, s, [][]string{nil, {"--restart"}}[random.IntN(2)]...)
				}
			}
			finish(t, binary, folder, base, s)
		})
	}
}

// kill starts a pull and kills it at a random moment; what it leaves must be sound.
func kill(t *testing.T, binary, folder, base string, random *rand.Rand, long bool) {
	t.Helper()
	life := time.Duration(random.IntN(400)) * time.Millisecond
	if long {
		life *= 6
	}
	ctx, cancel := context.WithTimeout(t.Context(), life)
	defer cancel()
	cmd, output := program(ctx, binary, folder, base, "pull", "--quiet", "--workers", walks(random)) // which is killed when ctx ends
	if err := cmd.Run(); err != nil && ctx.Err() == nil {
		t.Fatalf("%v: %s", err, output)
	}
	leavesSound(t, folder)
}

// leavesSound fails where verify finds anything in what a killed pull left.
func leavesSound(t *testing.T, folder string) {
	t.Helper()
	if err := soundness(filepath.Join(folder, "datasync.duckdb")); err != nil && !errors.Is(err, dbfile.ErrMissing) {
		t.Error(err)
	}
}

// finish pulls to the end, and checks all that can be said of the file then.
func finish(t *testing.T, binary, folder, base string, s *mockserver.Server, options ...string) {
	t.Helper()
	cmd, output := program(t.Context(), binary, folder, base, append([]string{"pull"}, options...)...)
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	path := filepath.Join(folder, "datasync.duckdb")
	if err := errors.Join(compare(s, path), soundness(path)); err != nil {
		t.Error(err)
	}
	noCanary(t, folder, output.Bytes())
}

// noCanary looks for the key in all that the program has written.
func noCanary(t *testing.T, folder string, output []byte) {
	t.Helper()
	if bytes.Contains(output, []byte("ds_test_canary")) {
		t.Error("the key stands in the output")
	}
	files, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		b, err := os.ReadFile(filepath.Join(folder, f.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(b, []byte("ds_test_canary")) {
			t.Errorf("the key stands in %s", f.Name())
		}
		if info, err := f.Info(); err != nil || info.Mode().Perm()&0o077 != 0 {
			t.Errorf("%s can be read by others: %v, %v", f.Name(), info.Mode(), err)
		}
	}
	if len(files) != 1 {
		t.Errorf("left are %v, want the database alone", files)
	}
}

// serveUntilFifth serves 2,000 events on pages of 100; the fifth request and all that follow
// meet the fault, so that a pull gets no further however slow the test is. The fifth closes
// fifth.
func serveUntilFifth(t *testing.T, fault mockserver.Fault) (base string, fifth <-chan struct{}) {
	t.Helper()
	api := mockserver.New(mockserver.Options{Data: mockserver.DataOptions{Events: 2000}, Events: mockserver.Pages{Cap: 100},
		Scripts: []mockserver.Script{{Request: 5, Faults: []mockserver.Fault{mockserver.Repeat(mockserver.Forever, fault)}}}})
	came := make(chan struct{})
	var requests atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if requests.Add(1) == 5 {
			close(came)
		}
		api.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL, came
}

// TestSignals: the first signal ends a pull gently wherever it is.
func TestSignals(t *testing.T) {
	binary := build(t, "")
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
			base, fifth := serveUntilFifth(t, tc.fault)
			folder := t.TempDir()
			cmd, output := program(t.Context(), binary, folder, base, "pull", "--max-wait", "2h")
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
			if text := output.String(); !strings.Contains(text, "run the same command again to resume") || strings.Contains(text, "goroutine") {
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
