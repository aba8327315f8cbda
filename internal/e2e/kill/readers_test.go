package kill_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"datasync/internal/e2e/harness"
	"datasync/mockserver"
)

// TestReadersOfARunningPull: several readers at a time are killed at random, as the pull is. A
// reader that succeeds has seen the file as of one batch, and the pull ends with exactly the API's
// events.
func TestReadersOfARunningPull(t *testing.T) {
	binary := harness.Program(t)
	limit := mockserver.RateLimit{Requests: 10, Window: 5 * time.Second, Named: mockserver.RetryAfterBody}
	s := mockserver.New(mockserver.Options{
		Data: mockserver.DataOptions{Events: 50_000, TieEvery: 1000, TieSize: 50}, TimeScale: 10, Grace: time.Second,
		Events: mockserver.Pages{Cap: 250, RateLimit: limit}, Feed: mockserver.Pages{Cap: 250, RateLimit: limit, Until: mockserver.Inclusive},
	})
	// The first pull cannot end before it is killed.
	firstIsKilled := make(chan struct{})
	var requests atomic.Int64
	socket := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if requests.Add(1) > 40 {
			select {
			case <-firstIsKilled:
			case <-r.Context().Done():
			}
		}
		s.ServeHTTP(w, r)
	}))
	t.Cleanup(socket.Close)
	base := socket.URL
	// A socket's path must be short.
	runtime, err := os.MkdirTemp("/tmp", "datasync-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(runtime) })
	t.Setenv("XDG_RUNTIME_DIR", runtime)
	folder, exports := t.TempDir(), t.TempDir()
	path := filepath.Join(folder, "datasync.duckdb")

	few := 5
	if harness.All() {
		few = 20
	}
	random := rand.New(rand.NewPCG(1, 2))
	reading, stop := context.WithCancel(t.Context())
	defer stop()
	var readers sync.WaitGroup
	var seen, asOf atomic.Int64
	read := func(seed uint64) {
		random := rand.New(rand.NewPCG(seed, 3))
		for n := 0; reading.Err() == nil; n++ {
			ctx, cancel := context.WithCancel(t.Context())
			if random.IntN(3) == 0 { // it is killed
				ctx, cancel = context.WithTimeout(t.Context(), time.Duration(random.IntN(300))*time.Millisecond)
			}
			target := filepath.Join(exports, fmt.Sprintf("%d-%d.parquet", seed, n))
			r, err := readOnce(ctx, t, random.IntN(3), binary, folder, base, target)
			switch {
			case err != nil:
				t.Errorf("%v: %+v", err, r)
			case r.Code == 0:
				seen.Add(1)
				if strings.Contains(r.Err, "as of batch") {
					asOf.Add(1)
				}
			case ctx.Err() == nil && !refused(r.Code, r.Err):
				t.Errorf("%+v", r)
			}
			cancel()
		}
	}

	killed := 0
	for round := 0; ; round++ {
		ctx, cancel := context.WithCancel(t.Context())
		if round > 0 && round < 5 {
			ctx, cancel = context.WithTimeout(t.Context(), time.Duration(300+random.IntN(900))*time.Millisecond)
		}
		pull, output := harness.Command(ctx, binary, folder, base, "pull", "--quiet") // killed when ctx ends
		if err := pull.Start(); err != nil {
			t.Fatal(err)
		}
		if round == 0 {
			harness.Await(t, "the pull answers", func() bool { _, err := os.Stat(path + ".socket"); return err == nil })
			for seed := range uint64(few) {
				readers.Go(func() { read(seed) })
			}
			_ = pull.Process.Kill()
			close(firstIsKilled)
		}
		err := pull.Wait()
		cancel()
		if pull.ProcessState.ExitCode() == -1 {
			killed++
			continue
		}
		if round < 200 && refused(pull.ProcessState.ExitCode(), output.String()) {
			continue
		}
		if err != nil {
			t.Errorf("round %d: %v: %s", round, err, output)
		}
		if asOf.Load() > 0 || round > 50 {
			break
		}
		s.Dataset().Grow(5_000) // no reader has come in the meantime: there is another pull
	}
	stop()
	readers.Wait()
	t.Logf("%d pulls were killed; %d readers ended well, %d of them while a pull was running", killed, seen.Load(), asOf.Load())
	if killed == 0 || asOf.Load() == 0 {
		t.Error("no pull was killed, or no reader succeeded while a pull was running")
	}
	if err := errors.Join(harness.Compare(s, path), harness.Verify(path)); err != nil {
		t.Error(err)
	}
	harness.OnlyDatabase(t, folder, nil)
	if left, err := os.ReadDir(filepath.Join(runtime, "datasync")); err != nil || len(left) > 0 {
		t.Errorf("in the runtime folder are left %v, %v", left, err)
	}
	if err := s.Verify(); err != nil {
		t.Error(err)
	}
}

// refused reports whether a program ended because another one had the file for too long. On a busy
// machine each of them may be that slow.
func refused(code int, said string) bool {
	return code == 6 && regexp.MustCompile(`process \d+ |another process has it open|the running pull does not answer`).MatchString(said)
}

var (
	asOfBatch = regexp.MustCompile(`as of batch (\d+) \(([\d,]+) events?\)`)
	wrote     = regexp.MustCompile(`wrote ([\d,]+) events`)
)

// readOnce runs one reader. If it succeeds, the error says where its result is inconsistent.
func readOnce(ctx context.Context, t *testing.T, what int, binary, folder, base, target string) (harness.Result, error) {
	t.Helper()
	plain := func(text string) string { return strings.ReplaceAll(text, ",", "") }
	var r harness.Result
	var saw string
	switch what {
	case 0:
		r = harness.Run(ctx, t, binary, folder, base, "query", `SELECT count(*) || ' ' || (SELECT coalesce(sum(stored), 0) FROM page_log) || ' ' ||
			count(DISTINCT id) || ' ' || (SELECT coalesce(max(batch), 0) FROM page_log) AS s FROM events`)
		if r.Code != 0 {
			return r, nil
		}
		var count, stored, ids, batch int64
		if _, err := fmt.Sscanf(r.Out, "s\n%d %d %d %d", &count, &stored, &ids, &batch); err != nil || count != stored || count != ids {
			return r, fmt.Errorf("%d events of %d ids, %d in the page log, %w", count, ids, stored, err)
		}
		if m := asOfBatch.FindStringSubmatch(r.Err); m != nil && m[1] != fmt.Sprint(batch) {
			return r, fmt.Errorf("batch %d", batch)
		}
		saw = fmt.Sprint(count)
	case 1:
		r = harness.Run(ctx, t, binary, folder, base, "export", "--parquet", target)
		if r.Code != 0 {
			return r, nil
		}
		if _, err := os.Stat(target); err != nil {
			return r, err
		}
		saw = plain(wrote.FindStringSubmatch(r.Err)[1])
	default:
		r = harness.Run(ctx, t, binary, folder, base, "status", "--json")
		if r.Code != 0 {
			return r, nil
		}
		var status struct {
			Stored, Duplicates int64
			Windows            []struct{ Events int64 }
		}
		if err := json.Unmarshal([]byte(r.Out), &status); err != nil {
			return r, err
		}
		came := int64(0)
		for _, w := range status.Windows {
			came += w.Events
		}
		if came != status.Stored+status.Duplicates {
			return r, errors.New("the windows do not add up")
		}
		return r, nil
	}
	if m := asOfBatch.FindStringSubmatch(r.Err); m != nil && plain(m[2]) != saw {
		return r, fmt.Errorf("%s events", saw)
	}
	return r, nil
}
