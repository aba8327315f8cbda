package faults

import (
	"fmt"
	"os"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"datasync/internal/e2e/harness"
	"datasync/mockserver"

	"github.com/creack/pty"
)

// held is a pull that waits for the response to some request until letGo is called.
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

// signal sends a signal to the program.
func (r *running) signal(s syscall.Signal) {
	r.w.Helper()
	if err := r.Process.Signal(s); err != nil {
		r.w.Error(err)
	}
}

// TestSignalsEndAPullAtAnyMoment: SIGINT, SIGTERM and SIGHUP end a pull within a second or two,
// also while it writes a large batch. The next pull resumes.
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
	for _, m := range harness.Some(moments, 3) {
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
			w.says(e, "run the same command to resume")
			before := w.stored()
			w.recovers()
			if after := w.stored(); after < before {
				t.Errorf("%d events after %d", after, before)
			}
			w.isAsUndisturbed(o.Data)
		})
	}
}

// TestTheSecondSignalEndsItAtOnce: after a second signal the pull does not finish the write that
// the first one allowed. No committed event is lost.
func TestTheSecondSignalEndsItAtOnce(t *testing.T) {
	t.Parallel()
	o := mockserver.Options{Data: mockserver.DataOptions{Events: 120_000}, Events: mockserver.Pages{Cap: 10_000}}
	var abrupt, tried int
	var mu sync.Mutex
	t.Run("all", func(t *testing.T) {
		for _, pause := range harness.Some([]time.Duration{0, 5 * time.Millisecond, time.Millisecond, 10 * time.Millisecond, 20 * time.Millisecond, 50 * time.Millisecond}, 3) {
			t.Run(pause.String(), func(t *testing.T) {
				t.Parallel()
				w := newWorld(t, o)
				h := w.hold(12, command{Args: []string{"pull"}})
				h.signal(syscall.SIGINT)
				<-time.After(pause)
				h.signal(syscall.SIGTERM) // a second SIGINT would be the same signal
				e := h.wait()
				h.letGo()
				// Without a pause the two arrive in any order.
				if e.Code != 143 && (pause > 0 || e.Code != 130) || trace.MatchString(e.Err) {
					t.Error(e)
				}
				// A run that ended at once could not record its outcome.
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

// TestAStoppedPullGoesOn: a pull that was stopped for longer than cursors and tokens live resumes
// by another way when it is continued, and is complete.
func TestAStoppedPullGoesOn(t *testing.T) {
	t.Parallel()
	pages := mockserver.Pages{Cap: 100, Until: mockserver.Inclusive}
	limited := mockserver.Contract().WithoutLatency()
	limited.Data.Events, limited.TimeScale, limited.Events.Cap, limited.Feed.Cap = 3000, 10, 100, 100
	short := mockserver.Options{Data: mockserver.DataOptions{Events: 3000}, Events: pages, Feed: pages,
		Cursor: mockserver.Cursors{Life: 10 * time.Second, Signed: true}, Access: mockserver.Access{TokenLife: 10 * time.Second}}
	for _, tc := range harness.Some([]struct {
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
			// All responses arrive while the pull cannot read them.
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

// TestReadersOfAStoppedPull: readers that ask a pull, before or after it is stopped, end in time
// and name the process that does not answer. The pull continues undisturbed.
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
	for _, args := range harness.Some([]string{
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

// TestNobodyReadsWhatAPullSays: a pull continues where its stderr, or all of its standard files,
// are closed.
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

// TestReadersThatGoAway: "query ... | head -1" and "export ... | head -1" end quietly and leave the
// database unchanged.
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
		// bash prints the program's exit code.
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

// TestTheTerminalIsClosed: a pull whose terminal is closed ends as by SIGTERM.
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

// TestAPanic: a panic rolls the open transaction back and shows its origin, without a secret. It
// counts as a fault of the program.
func TestAPanic(t *testing.T) {
	t.Parallel()
	for _, point := range harness.Some([]string{"f3:9", "f1:5", "f6:2", "f10:1", "f4:1", "f5:1", "f8:1", "f2:1", "f7:1"}, 3) {
		t.Run(point, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, tcpPages())
			e := w.run(command{Args: []string{"pull", "--workers", "1"}, Program: harness.FailpointProgram(w), Env: []string{"DATASYNC_FAILPOINT=panic " + point, "GOTRACEBACK=all"}})
			if e.Code != 2 || !strings.Contains(e.Err, "panic: failpoint ") || strings.Contains(e.Err, "SIGSEGV") {
				t.Errorf("want exit 2: %v", e)
			}
			w.noSecretInFiles()
			w.recovers()
			w.isAsUndisturbed(tcpPages().Data)
		})
	}
}

// TestCrashesShowNoSecret: SIGQUIT, which prints all goroutines, and SIGABRT leave the key neither
// in the output nor in a core file.
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
