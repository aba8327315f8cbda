package model_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"datasync/ingest"
	"datasync/ingest/api"
	"datasync/internal/e2e/harness"
	"datasync/internal/store"
	"datasync/mockserver"

	"pgregory.net/rapid"
)

// TestModel plays random histories of pulls, kills, growth and pauses on the real store. The model
// is the set of the API's ids: the file must have the same, and verify must find nothing at any
// time. It runs in virtual time, in which pauses that expire every cursor take no time.
func TestModel(t *testing.T) {
	// A failure is shown as it was drawn: rapid cannot shrink it across a synctest bubble. It is
	// not written into the source tree; rapid prints how to repeat it.
	checks := "6"
	if harness.All() {
		checks = "40"
	}
	for name, value := range map[string]string{"rapid.checks": checks, "rapid.shrinktime": "0s", "rapid.nofailfile": "true"} {
		if f := flag.Lookup(name); f.Value.String() == f.DefValue {
			if err := f.Value.Set(value); err != nil {
				t.Fatal(err)
			}
		}
	}
	folders := t.TempDir()
	rapid.Check(t, func(rt *rapid.T) {
		folder, err := os.MkdirTemp(folders, "")
		if err != nil {
			rt.Fatal(err)
		}
		defer func() { _ = os.RemoveAll(folder) }()
		var failed any
		synctest.Test(t, func(t *testing.T) {
			// A panic by which rapid ends a run must not end the bubble's goroutine.
			defer func() { failed = recover() }()
			play(rt, folder)
		})
		if failed != nil {
			panic(failed)
		}
	})
}

// world is an API and the file of a user who pulls from it.
type world struct {
	rt     *rapid.T
	api    *mockserver.Server
	base   *url.URL
	folder string
	path   string
	files  int
	opts   ingest.Options
}

func play(rt *rapid.T, folder string) {
	draw := func(name string, most int) int { return rapid.IntRange(0, most).Draw(rt, name) }
	o := mockserver.Options{
		Data: mockserver.DataOptions{
			Seed: uint64(draw("seed", 1000)), Events: 1 + draw("events", 900), DirtyEvery: draw("dirty every", 1) * (3 + draw("dirty", 60)),
			TieEvery: 200, TieSize: 1 + draw("ties", 120),
		},
		Events:    mockserver.Pages{Cap: 5 + draw("cap", 200), RateLimit: mockserver.RateLimit{Requests: 3 + draw("limit", 10), Window: 20 * time.Second}},
		Feed:      mockserver.Pages{Cap: 5 + draw("feed cap", 100), Until: mockserver.Bound(draw("until", 2)), RateLimit: mockserver.RateLimit{Requests: 5 + draw("feed limit", 20), Window: 20 * time.Second}},
		Cursor:    mockserver.Cursors{Life: 2 * time.Minute, Signed: rapid.Bool().Draw(rt, "signed")},
		FaultSeed: uint64(draw("fault seed", 1000)),
		Random:    []mockserver.RandomFault{{Rate: float64(draw("503", 10)) / 100, Fault: mockserver.Status(503)}},
	}
	if rapid.IntRange(0, 4).Draw(rt, "in order") == 0 {
		o.Data.SwapEvery, o.Data.SwapDistance = 40, 1+draw("swap", 30)
	}
	if rapid.Bool().Draw(rt, "slow") {
		// So that a shard has begun before the one above has read far into it.
		o.Events.Latency, o.Feed.Latency = 50*time.Millisecond, 50*time.Millisecond
	}
	w := &world{rt: rt, api: mockserver.New(o), folder: folder, path: filepath.Join(folder, "0.duckdb")}
	var err error
	if w.base, err = url.Parse(mockserver.BaseURL); err != nil {
		rt.Fatal(err)
	}
	w.opts = ingest.Options{
		Transport: w.api.Transport(), BaseURL: w.base, Key: "ds_test_key", PageSize: 100_000, RenewCursors: rapid.Bool().Draw(rt, "renew"),
		Lookback: 10 * time.Minute, MaxWait: 5 * time.Minute, MaxRetryTime: 5 * time.Minute,
		Now: func() time.Time { return time.Date(2026, 2, 1, 0, 0, 0, 0, time.UTC) },
	}
	for range rapid.IntRange(1, 8).Draw(rt, "steps") {
		w.opts.Workers = rapid.SampledFrom([]int{1, 4}).Draw(rt, "workers")
		switch rapid.SampledFrom([]string{"pull", "kill", "stop", "grow", "wait", "restart"}).Draw(rt, "step") {
		case "pull":
			w.pull(w.opts)
		case "restart":
			opts := w.opts
			opts.Restart = true
			w.pull(opts)
		case "kill":
			w.kill(rapid.IntRange(1, 12).Draw(rt, "operation"))
		case "stop":
			w.stop(rapid.IntRange(1, 20).Draw(rt, "request"))
		case "grow":
			w.api.Dataset().Grow(draw("new", 500))
		case "wait":
			<-time.After(time.Duration(draw("seconds", 400)) * time.Second)
		}
		w.sound()
	}
	w.pull(w.opts)
	w.sound()
}

// pull pulls to the end. The file must then have the API's events.
func (w *world) pull(opts ingest.Options) {
	s := w.open()
	opts.Store = s
	summary, err := ingest.Run(context.Background(), opts)
	if errClose := s.Close(); errClose != nil || !over(err) || summary.Complete != (err == nil) {
		w.rt.Fatalf("%v, %v, %+v", err, errClose, summary)
	}
	w.exact()
}

// over reports whether a pull reached its end; it may have found nothing but rejects.
func over(err error) bool { return err == nil || errors.Is(err, ingest.ErrUnusable) }

// stop pulls and cancels at the nth request.
func (w *world) stop(request int) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	s := w.open()
	opts := w.opts
	var requests atomic.Int64
	opts.Store, opts.Transport = s, roundTripper(func(r *http.Request) (*http.Response, error) {
		if int(requests.Add(1)) == request {
			cancel()
		}
		return w.opts.Transport.RoundTrip(r)
	})
	_, err := ingest.Run(ctx, opts)
	if errClose := s.Close(); errClose != nil || !over(err) && !errors.Is(err, context.Canceled) {
		w.rt.Fatalf("%v, %v", err, errClose)
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// kill pulls until the nth store operation. It continues with the files of a process that is killed
// there: the database and its write-ahead log.
func (w *world) kill(operation int) {
	s := w.open()
	killed := &killing{Store: s, left: operation, leave: func() error {
		w.files++
		next := filepath.Join(w.folder, fmt.Sprint(w.files, ".duckdb"))
		// Not by this process: closing a descriptor of the file would drop its lock.
		out, err := exec.Command("sh", "-c", `cp "$1" "$2" && if test -e "$1.wal"; then cp "$1.wal" "$2.wal"; fi`, "sh", w.path, next).CombinedOutput()
		if err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		w.path = next
		return nil
	}}
	opts := w.opts
	opts.Store = killed
	_, err := ingest.Run(context.Background(), opts)
	if errClose := s.Close(); errClose != nil || killed.failed != nil || !over(err) && !errors.Is(err, errKilled) {
		w.rt.Fatalf("%v, %v, %v", err, errClose, killed.failed)
	}
}

func (w *world) open() *store.Store {
	s, err := store.Open(context.Background(), store.Options{Path: w.path, Origin: api.Origin(w.base), ToolVersion: "test"})
	if err != nil {
		w.rt.Fatal(err)
	}
	return s
}

// sound fails the test where verify finds anything.
func (w *world) sound() {
	if _, err := os.Stat(w.path); errors.Is(err, fs.ErrNotExist) {
		return // nothing has been pulled yet
	}
	if err := harness.Verify(w.path); err != nil {
		w.rt.Fatal(err)
	}
}

// exact compares the file with the model.
func (w *world) exact() {
	if err := harness.Compare(w.api, w.path); err != nil {
		w.rt.Fatal(err)
	}
}
