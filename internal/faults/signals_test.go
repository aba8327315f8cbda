package faults

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"datasync/mockserver"

	"github.com/creack/pty"
)

// held is a pull that has come to some request, whose answer it waits for until letGo is
// called.
type held struct {
	*running
	letGo func()
}

// hold starts a pull and holds its nth request.
func (w *world) hold(n int64, c command) held {
	w.Helper()
	came, release := make(chan struct{}), make(chan struct{})
	w.atRequest(n, func() { close(came); <-release })
	h := held{w.start(c), sync.OnceFunc(func() { close(release) })}
	w.Cleanup(h.letGo)
	select {
	case <-came:
	case <-time.After(within):
		h.letGo()
		w.Fatalf("no request %d: %v", n, h.wait())
	}
	return h
}

// signal sends one to the program.
func (r *running) signal(s syscall.Signal) {
	r.w.Helper()
	if err := r.Process.Signal(s); err != nil {
		r.w.Error(err)
	}
}

// TestSignalsEndAPullAtAnyMoment: SIGINT, SIGTERM and SIGHUP end a pull soon (in a second or two),
// also while it writes a large batch, and the next one goes on.
func TestSignalsEndAPullAtAnyMoment(t *testing.T) {
	t.Parallel()
	type moment struct {
		signal  syscall.Signal
		request int64
		later   time.Duration
	}
	var moments []moment
	for i, s := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP} {
		for n := int64(1); n <= 29; n += 7 {
			moments = append(moments, moment{s, n + int64(i), time.Duration(i*17) * time.Millisecond})
		}
	}
	o := mockserver.Options{Data: mockserver.DataOptions{Events: 150_000, DirtyEvery: 5000}, Events: mockserver.Pages{Cap: 5000}}
	for _, m := range some(moments, 3) {
		t.Run(fmt.Sprintf("%s at request %d", m.signal, m.request), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, o)
			var r *running
			started := make(chan struct{})
			w.atRequest(m.request, func() {
				<-started
				go func() {
					<-time.After(m.later)
					_ = r.Process.Signal(m.signal)
				}()
			})
			r = w.start(command{Args: []string{"pull"}})
			close(started)
			e := r.wait()
			if e.Code == 0 {
				w.isWhole() // it was too late
				return
			}
			code := 143
			if m.signal == syscall.SIGINT {
				code = 130
			}
			w.endsWith(e, code)
			w.says(e, "run the same command again to resume")
			before := w.stored()
			w.recovers()
			if after := w.stored(); after < before {
				t.Errorf("%d events after %d", after, before)
			}
			w.isAsUndisturbed(o.Data)
		})
	}
}

// TestTheSecondSignalEndsItAtOnce: it does not wait for what the first one lets be written,
// and nothing that was committed is lost.
func TestTheSecondSignalEndsItAtOnce(t *testing.T) {
	t.Parallel()
	o := mockserver.Options{Data: mockserver.DataOptions{Events: 120_000}, Events: mockserver.Pages{Cap: 10_000}}
	var abrupt, tried int
	var mu sync.Mutex
	t.Run("all", func(t *testing.T) {
		for _, pause := range some([]time.Duration{0, 5 * time.Millisecond, time.Millisecond, 10 * time.Millisecond, 20 * time.Millisecond, 50 * time.Millisecond}, 3) {
			t.Run(pause.String(), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, o)
				h := w.hold(12, command{Args: []string{"pull"}})
				h.signal(syscall.SIGINT)
				<-time.After(pause)
				h.signal(syscall.SIGINT)
				e := h.wait()
				h.letGo()
				if e.Code != 130 || trace.MatchString(e.Err) {
					t.Error(e)
				}
				// Who was ended at once could not say so in the table.
				mu.Lock()
				tried++
				if _, err := os.Stat(w.File); err != nil || w.query("SELECT outcome FROM runs")[1][0] == "running" {
					abrupt++
				}
				mu.Unlock()
				w.recovers()
				w.isAsUndisturbed(o.Data)
			})
		}
	})
	if abrupt == 0 {
		t.Errorf("in none of %d the second signal did anything", tried)
	}
}

// TestAStoppedPullGoesOn: a pull that was stopped for longer than cursors and tokens live
// finds another way on when it is continued, and ends whole.
func TestAStoppedPullGoesOn(t *testing.T) {
	t.Parallel()
	pages := mockserver.Pages{Cap: 100, Until: mockserver.Inclusive}
	limited := mockserver.Contract().WithoutLatency()
	limited.Data.Events, limited.TimeScale, limited.Events.Cap, limited.Feed.Cap = 3000, 10, 100, 100
	short := mockserver.Options{Data: mockserver.DataOptions{Events: 3000}, Events: pages, Feed: pages,
		Cursor: mockserver.Cursors{Life: 10 * time.Second, Signed: true}, Access: mockserver.Access{TokenLife: 10 * time.Second}}
	for _, tc := range some([]struct {
		name    string
		o       mockserver.Options
		request int64
		pause   time.Duration
	}{
		{"in a request", short, 8, 11 * time.Second},
		{"longer than cursors live", limited, 6, 12500 * time.Millisecond},
		{"longer than tokens live", limited, 9, 31 * time.Second},
		{"longer than a request may take", short, 5, 95 * time.Second},
	}, 1) {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, tc.o)
			// All that the pull is answered comes while it cannot read it.
			h := w.hold(tc.request, command{Args: []string{"pull"}})
			h.signal(syscall.SIGSTOP)
			h.letGo()
			<-time.After(tc.pause)
			h.signal(syscall.SIGCONT)
			e := h.wait()
			w.endsWith(e, 0)
			w.isWhole()
			w.isAsUndisturbed(tc.o.Data)
		})
	}
}

// TestReadersOfAStoppedPull end in time and say which process does not answer, whether they
// ask it before or after it is stopped, and the pull goes on as if nobody had asked.
func TestReadersOfAStoppedPull(t *testing.T) {
	t.Parallel()
	pages := mockserver.Pages{Cap: 100}
	w := newWorld(t, mockserver.Options{Data: mockserver.DataOptions{Events: 3000}, Events: pages, Feed: pages})
	h := w.hold(8, command{Args: []string{"pull"}})
	// It must have begun to answer.
	for w.run(command{Args: []string{"status"}}).Code != 0 {
		<-time.After(10 * time.Millisecond)
	}
	h.signal(syscall.SIGSTOP)
	var readers []*running
	for _, args := range some([]string{
		"query|--timeout|1s|FROM events", "query|FROM events", "export|--parquet|a.parquet", "export|--csv|-", "status", "status|--json", "verify", "schema",
	}, 1) {
		readers = append(readers, w.start(command{Args: strings.Split(args, "|")}))
	}
	for _, r := range readers {
		e := r.wait()
		w.endsWith(e, 6)
		w.says(e, "the running pull does not answer", fmt.Sprintf("process %d", h.Process.Pid), "kill -CONT")
	}
	h.signal(syscall.SIGCONT)
	h.letGo()
	w.endsWith(h.wait(), 0)
	w.isWhole()
}

// TestNobodyReadsWhatAPullSays: a pull goes on where its stderr or all of its files are gone.
func TestNobodyReadsWhatAPullSays(t *testing.T) {
	t.Parallel()
	for _, redirect := range []string{"<&- >&- 2>&-", "2>&-", "2>/dev/full", "gone"} {
		t.Run(redirect, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, tcpPages())
			c := command{Args: []string{"pull"}, Redirect: redirect}
			if redirect == "gone" {
				// A pipe whose reader has ended.
				read, write, err := os.Pipe()
				if err != nil {
					t.Fatal(err)
				}
				_ = read.Close()
				defer func() { _ = write.Close() }()
				c.Redirect, c.Stdout = "2>&1", write
			}
			w.endsWith(w.run(c), 0)
			w.isWhole()
		})
	}
}

// TestReadersThatGoAway: "query ... | head -1", and the same of export, end quietly, and the
// database is as it was.
func TestReadersThatGoAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t, mockserver.Options{})
	w.endsWith(w.run(command{Args: []string{"pull", "--quiet"}}), 0)
	before := w.fingerprint()
	for _, args := range [][]string{
		{"query", "FROM range(100000000)"},
		{"query", "--format", "jsonl", "FROM range(100000000)"},
		{"query", "--format", "table", "SELECT repeat('x', 100000) FROM range(40)"},
		{"export", "--csv", "-", "--query", "FROM range(100000000)"},
		{"export", "--jsonl", "-"},
		{"export", "--csv", "-"},
	} {
		// What the program's exit code is, bash says.
		c := command{Args: args, Redirect: "| head -1; exit ${PIPESTATUS[0]}"}
		e := w.run(c)
		if e.Code != 0 || strings.Count(e.Out, "\n") > 1 || trace.MatchString(e.Err) || strings.Contains(e.Err, "pipe") {
			t.Error(e)
		}
	}
	if after := w.fingerprint(); after != before {
		t.Errorf("fingerprint %s, want %s", after, before)
	}
	w.isWhole()
}

// TestTheTerminalIsClosed: a pull on a terminal that goes away ends as by SIGTERM.
func TestTheTerminalIsClosed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, tcpPages())
	came, release := make(chan struct{}), make(chan struct{})
	w.atRequest(8, func() { close(came); <-release })
	r := w.command(command{Args: []string{"pull"}})
	r.Stdout, r.Stderr = nil, nil
	tty, err := pty.Start(r.Cmd)
	if err != nil {
		t.Fatal(err)
	}
	<-came
	if err := tty.Close(); err != nil {
		t.Error(err)
	}
	e := r.wait()
	close(release)
	if e.Code != 143 {
		t.Errorf("exit %d, want 143: %v", e.Code, e)
	}
	if got := w.query("SELECT outcome FROM runs")[1][0]; got != "interrupted" {
		t.Errorf("outcome %q", got)
	}
	w.recovers()
	w.isAsUndisturbed(tcpPages().Data)
}

// TestTwoPullsOnOneFile: the second ends at once, names the first and asks the API nothing;
// the first takes no notice.
func TestTwoPullsOnOneFile(t *testing.T) {
	t.Parallel()
	w := newWorld(t, tcpPages())
	link := filepath.Join(w.Folder, "link.duckdb")
	if err := os.Symlink(w.File, link); err != nil {
		t.Fatal(err)
	}
	w.Kept = append(w.Kept, link)
	h := w.hold(8, command{Args: []string{"pull", "--workers", "1"}})
	before := len(w.API.Log())
	for _, args := range [][]string{{"pull"}, {"pull", "--restart"}, {"pull", "--quiet", "--db", link}, {"pull", "--dry-run"}, {"status", "--recover"}} {
		e := w.run(command{Args: args})
		w.endsWith(e, 6)
		w.says(e, "another pull is running", fmt.Sprintf("process %d", h.Process.Pid))
	}
	if after := len(w.API.Log()); after != before {
		t.Errorf("%d requests were sent", after-before)
	}
	h.letGo()
	w.endsWith(h.wait(), 0)
	w.isWhole()
	w.isAsUndisturbed(tcpPages().Data)
}

// TestPullsThatBeginTogether: of many that begin on a new file at the same time at least one
// does its work, and the others say that it does.
func TestPullsThatBeginTogether(t *testing.T) {
	t.Parallel()
	w := newWorld(t, tcpPages())
	var pulls []*running
	for range 8 {
		pulls = append(pulls, w.start(command{Args: []string{"pull"}}))
	}
	done := 0
	for _, r := range pulls {
		e := r.wait()
		w.endsWith(e, 0, 6)
		if e.Code == 0 {
			done++
		}
	}
	if done == 0 {
		t.Error("nobody pulled")
	}
	w.isWhole()
	w.isAsUndisturbed(tcpPages().Data)
}

// TestAPullWhileSomebodyReads: it ends before it asks the API anything, and names the reader.
func TestAPullWhileSomebodyReads(t *testing.T) {
	t.Parallel()
	w := newWorld(t, mockserver.Options{})
	w.endsWith(w.run(command{Args: []string{"pull", "--quiet"}}), 0)
	before := len(w.API.Log())
	out, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	reader := w.start(command{Args: []string{"query", "SELECT 'begins' FROM range(100000000)"}, Stdout: in})
	_ = in.Close()
	if _, err := out.Read(make([]byte, 10)); err != nil {
		t.Error(err)
	}
	e := w.run(command{Args: []string{"pull"}})
	w.endsWith(e, 6)
	w.says(e, fmt.Sprintf("process %d", reader.Process.Pid))
	if after := len(w.API.Log()); after != before {
		t.Errorf("%d requests were sent", after-before)
	}
	_ = out.Close()
	w.endsWith(reader.wait(), 0)
	w.API.Dataset().Grow(100)
	w.recovers()
}

// TestReadersDuringAPull: whoever reads while a pull writes gets whole batches, and neither
// waits for the other.
func TestReadersDuringAPull(t *testing.T) {
	t.Parallel()
	pages := mockserver.Pages{Cap: 200, Latency: 30 * time.Millisecond}
	o := mockserver.Options{Data: mockserver.DataOptions{Events: 20_000, DirtyEvery: 200}, Events: pages, Feed: pages}
	w := newWorld(t, o)
	pulling := w.start(command{Args: []string{"pull", "--workers", "1"}})
	ended := make(chan ended, 1)
	go func() { ended <- pulling.wait() }()
	for {
		select {
		case e := <-ended:
			w.endsWith(e, 0)
			_ = os.Remove(filepath.Join(w.Folder, "a.csv"))
			w.isWhole()
			w.isAsUndisturbed(o.Data)
			return
		default:
		}
		for _, args := range [][]string{
			{"query", "SELECT (SELECT count(*) FROM events) = (SELECT coalesce(sum(stored), 0) FROM page_log) AS whole"},
			{"verify"}, {"status"}, {"schema"}, {"export", "--csv", "a.csv", "--force"},
		} {
			e := w.run(command{Args: args})
			if e.Code == 6 && strings.Contains(e.Err, "no such") || e.Code == 6 && strings.Contains(e.Err, "does not exist") {
				continue // the pull has just begun
			}
			w.endsWith(e, 0)
			if args[0] == "query" && e.Out != "whole\ntrue\n" {
				t.Error(e)
			}
		}
	}
}

// TestAPanic rolls back what was being written and shows where it came from, without a
// secret; it is a fault of the program.
func TestAPanic(t *testing.T) {
	t.Parallel()
	for _, point := range some([]string{"f3:9", "f1:5", "f6:2", "f10:1", "f4:1", "f5:1", "f8:1", "f2:1", "f7:1"}, 3) {
		t.Run(point, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, tcpPages())
			e := w.run(command{Args: []string{"pull", "--workers", "1"}, Program: failing, Env: []string{"DATASYNC_FAILPOINT=panic " + point, "GOTRACEBACK=all"}})
			if e.Code != 2 || !strings.Contains(e.Err, "panic: failpoint ") || strings.Contains(e.Err, "SIGSEGV") {
				t.Errorf("want exit 2: %v", e)
			}
			w.noSecretInFiles()
			w.recovers()
			w.isAsUndisturbed(tcpPages().Data)
		})
	}
}

// TestCrashesShowNoSecret: SIGQUIT, which prints all goroutines, and SIGABRT leave neither
// the key in what is printed nor a file with the program's memory.
func TestCrashesShowNoSecret(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		signal syscall.Signal
		level  string
	}{{syscall.SIGQUIT, "all"}, {syscall.SIGQUIT, "crash"}, {syscall.SIGABRT, "crash"}, {syscall.SIGSEGV, "system"}} {
		t.Run(fmt.Sprint(tc.signal, " ", tc.level), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, tcpPages())
			h := w.hold(8, command{Args: []string{"pull"}, Limits: []string{"-c unlimited"}, Env: []string{"GOTRACEBACK=" + tc.level}})
			h.signal(tc.signal)
			e := h.wait()
			h.letGo()
			if e.Code == 0 || !strings.Contains(e.Err, "goroutine") {
				t.Error(e)
			}
			w.noSecretInFiles()
			w.recovers()
			w.isAsUndisturbed(tcpPages().Data)
		})
	}
}
