package faults

import (
	"bytes"
	"debug/elf"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"datasync/internal/e2e/harness"
	"datasync/mockserver"
)

// shifted is a program with a wrong wall clock and a right monotonic clock.
type shifted struct {
	*running
	memory *os.File
	at     int64 // where the offset in seconds is
}

// wrongClock replaces the kernel's clock_gettime in the program's memory. It makes the system call
// and adds the offset that follows it to the wall clock.
var wrongClock = []byte{
	0xb8, 0xe4, 0x00, 0x00, 0x00, // mov $228, %eax: clock_gettime
	0x0f, 0x05, // syscall
	0x85, 0xff, // test %edi, %edi: CLOCK_REALTIME
	0x75, 0x0a, // jne to ret
	0x48, 0x8b, 0x0d, 0x06, 0x00, 0x00, 0x00, // mov 6(%rip), %rcx
	0x48, 0x01, 0x0e, // add %rcx, (%rsi)
	0xc3, // ret
	0, 0, // the offset in seconds, aligned to 8 bytes
}

// startAt starts the program with a wall clock that is wrong by this much. Neither Go nor DuckDB
// asks the C library for the time: they call code that the kernel maps into the program (the vDSO).
// startAt changes that code before the program's first instruction.
func (w *world) startAt(by time.Duration, c command) *shifted {
	w.Helper()
	if runtime.GOOS != "linux" || runtime.GOARCH != "amd64" {
		w.Skip("the machine code is that of Linux on amd64")
	}
	runtime.LockOSThread() // the tracer is a thread, not a process
	defer runtime.UnlockOSThread()
	r := w.command(c)
	r.SysProcAttr = &syscall.SysProcAttr{Ptrace: true}
	if err := r.Start(); err != nil {
		w.Fatal(err)
	}
	pid := r.Process.Pid
	var status syscall.WaitStatus
	if _, err := syscall.Wait4(pid, &status, 0, nil); err != nil || !status.Stopped() {
		w.Fatalf("%v, %v", status, err)
	}
	s := &shifted{running: r}
	var err error
	if s.memory, err = os.OpenFile(fmt.Sprintf("/proc/%d/mem", pid), os.O_RDWR, 0); err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { _ = s.memory.Close() })
	code := s.clockCode()
	s.at = code + int64(len(wrongClock))
	if _, err := s.memory.WriteAt(wrongClock, code); err != nil {
		w.Fatal(err)
	}
	s.set(by)
	if err := syscall.PtraceDetach(pid); err != nil {
		w.Fatal(err)
	}
	return s
}

// clockCode finds the kernel's clock_gettime.
func (s *shifted) clockCode() int64 {
	maps, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", s.Process.Pid))
	if err != nil {
		s.w.Fatal(err)
	}
	for line := range strings.Lines(string(maps)) {
		if !strings.Contains(line, "[vdso]") {
			continue
		}
		var from, to int64
		if _, err := fmt.Sscanf(line, "%x-%x", &from, &to); err != nil {
			s.w.Fatal(err)
		}
		image := make([]byte, to-from)
		if _, err := s.memory.ReadAt(image, from); err != nil {
			s.w.Fatal(err)
		}
		file, err := elf.NewFile(bytes.NewReader(image))
		if err != nil {
			s.w.Fatal(err)
		}
		symbols, err := file.DynamicSymbols()
		if err != nil {
			s.w.Fatal(err)
		}
		for _, symbol := range symbols {
			// The replacement must fit into the original code.
			if symbol.Name == "__vdso_clock_gettime" && symbol.Size >= uint64(len(wrongClock)+8) && symbol.Value%8 == 0 {
				return from + int64(symbol.Value)
			}
		}
	}
	s.w.Skip("this kernel has another clock_gettime")
	return 0
}

// set sets the wall clock to be wrong by this much.
func (s *shifted) set(by time.Duration) {
	s.w.Helper()
	var seconds [8]byte // the low word first
	for i := range seconds {
		seconds[i] = byte(by / time.Second >> (8 * i))
	}
	if _, err := s.memory.WriteAt(seconds[:], s.at); err != nil {
		s.w.Error(err)
	}
}

// until is the offset of a clock that shows this year.
func until(year int) time.Duration {
	return time.Until(time.Date(year, 6, 1, 0, 0, 0, 0, time.UTC)).Truncate(time.Second)
}

// jumps are the offsets of wrong clocks.
var jumps = []time.Duration{time.Hour, -time.Hour, until(1970), until(2100), 36 * time.Hour, -26 * time.Hour}

// limitedPages is an API in which time matters: cursors and tokens that expire, and two waits.
func limitedPages() mockserver.Options {
	o := tcpPages()
	o.Cursor = mockserver.Cursors{Signed: true}
	o.Feed.Until = mockserver.Inclusive
	o.Access.TokenLife = 10 * time.Second
	o.Scripts = []mockserver.Script{
		{Endpoint: mockserver.Events, Request: 4, Faults: []mockserver.Fault{mockserver.RateLimited(2 * time.Second)}},
		{Endpoint: mockserver.Feed, Request: 4, Faults: []mockserver.Fault{mockserver.RateLimitedIn(mockserver.RetryAfterDate, time.Second)}},
	}
	return o
}

// TestTheClockIsSet: a wall clock that is set back or forth during a pull, or wrong from its start,
// changes no result.
func TestTheClockIsSet(t *testing.T) {
	t.Parallel()
	type clock struct{ before, after time.Duration }
	var clocks []clock
	for _, by := range jumps {
		clocks = append(clocks, clock{0, by}, clock{by, 0})
	}
	for _, c := range harness.Some(clocks, 3) {
		t.Run(fmt.Sprintf("from %s to %s", c.before, c.after), func(t *testing.T) {
			t.Parallel()
			o := limitedPages()
			w := newWorld(t, o)
			var s *shifted
			started := make(chan struct{})
			w.atRequest(8, func() { <-started; s.set(c.after) })
			s = w.startAt(c.before, command{Args: []string{"pull", "--workers", "1"}})
			close(started)
			e := s.wait()
			w.endsWith(e, 0)
			w.isWhole()
			w.isAsUndisturbed(o.Data)
			began, err := time.Parse(time.RFC3339Nano, w.query("SELECT strftime(began_at, '%Y-%m-%dT%H:%M:%SZ') AS began FROM runs")[1][0])
			w.tookTime()
			if off := time.Since(began) + c.before; err != nil || off < -time.Minute || off > within {
				t.Errorf("the clock was not wrong by %s: the run began at %s, %v", c.before, began, err)
			}
		})
	}
}

// tookTime fails the test where a run ended before it began, or long after.
func (w *world) tookTime() {
	w.Helper()
	for _, row := range w.query("SELECT ended_at >= began_at AND ended_at < began_at + to_seconds(600) AS ok, began_at, ended_at FROM runs")[1:] {
		if row[0] != "true" {
			w.Errorf("a run began at %s and ended at %s", row[1], row[2])
		}
	}
}

// negative finds a negative span.
var negative = regexp.MustCompile(`\W-\d+(\.\d+)?(h|m|s|ms|µs)`)

// waitingFor returns the remaining wait of a pull according to status.
var waitingFor = regexp.MustCompile(`(?m)^waiting .*, in ([^,]+)$`)

// TestTheClockIsSetInAWait: a wait that an earlier run stored lasts as long as before when the
// clock is set in the meantime. No request comes sooner, and none comes years later. status shows
// the remaining wait.
func TestTheClockIsSetInAWait(t *testing.T) {
	t.Parallel()
	const wait = 15 * time.Second
	for _, by := range harness.Some(jumps, 3) {
		t.Run(by.String(), func(t *testing.T) {
			t.Parallel()
			o := tcpPages()
			alone := []mockserver.Fault{mockserver.RateLimited(wait)}
			o.Scripts = []mockserver.Script{
				{Endpoint: mockserver.Events, Request: 4, Faults: alone},
				{Endpoint: mockserver.Feed, Request: 1, Faults: alone},
			}
			w := newWorld(t, o)
			w.endsWith(w.run(command{Args: []string{"pull", "--max-wait", "1s"}}), 4)
			s := w.startAt(0, command{Args: []string{"pull"}})
			waits := false
			for range 1000 {
				// Before the pull has read the stored wait, status reads it from the file.
				out := w.run(command{Args: []string{"status"}}).Out
				if waits = strings.Contains(out, " pulls: ") && waitingFor.MatchString(out); waits {
					break
				}
			}
			s.set(by)
			if waits {
				e := w.startAt(by, command{Args: []string{"status"}}).wait()
				left := waitingFor.FindStringSubmatch(e.Out)
				if e.Code == 0 && left != nil && (!regexp.MustCompile(`^\d{1,2} s$`).MatchString(left[1]) || strings.Contains(e.Out, " -")) {
					t.Errorf("told of a wait of %s: %v", left[1], e)
				}
			}
			e := s.wait()
			w.endsWith(e, 0)
			w.isWhole()
			w.wasPolite()
			w.tookTime()
			if !waits {
				t.Error("it was not seen waiting")
			}
		})
	}
}

// TestTheClockIsSetBetweenPulls: pulls with wrong clocks find the events of the pulls before. They
// keep a stored wait no longer than the API asked for, and keep all of it unless the clock was set
// forward.
func TestTheClockIsSetBetweenPulls(t *testing.T) {
	t.Parallel()
	const wait = 10 * time.Second
	for _, by := range harness.Some(jumps, 3) {
		t.Run(by.String(), func(t *testing.T) {
			t.Parallel()
			o := tcpPages()
			alone := []mockserver.Fault{mockserver.RateLimited(wait)}
			o.Scripts = []mockserver.Script{
				{Endpoint: mockserver.Events, Request: 4, Faults: alone},
				{Endpoint: mockserver.Feed, Request: 1, Faults: alone},
			}
			w := newWorld(t, o)
			first := w.run(command{Args: []string{"pull", "--max-wait", "1s"}})
			w.endsWith(first, 4)
			w.says(first, "come back at")
			w.sound()
			w.API.Dataset().Grow(500)
			second := w.startAt(by, command{Args: []string{"pull"}}).wait()
			w.endsWith(second, 0)
			w.verifies()
			w.hasAll()
			w.noTraces()
			if by < 0 {
				w.wasPolite()
			}
			// No span is negative, whatever the clock shows.
			for _, at := range []time.Duration{0, by, -48 * time.Hour} {
				e := w.startAt(at, command{Args: []string{"status"}}).wait()
				w.endsWith(e, 0)
				if negative.MatchString(e.Out) {
					t.Errorf("at %s: %v", at, e)
				}
			}
			w.endsWith(w.startAt(-48*time.Hour+min(by, 0), command{Args: []string{"status", "--max-age", "1h"}}).wait(), 1)
			w.tookTime()
			// With the right clock again, a pull gets the events that came in the meantime.
			w.API.Dataset().Grow(500)
			w.endsWith(w.run(command{Args: []string{"pull"}}), 0)
			w.verifies()
			w.hasAll()
		})
	}
}

// TestTheServersClockIsWrong: a date in Retry-After counts from the response's own Date.
func TestTheServersClockIsWrong(t *testing.T) {
	t.Parallel()
	const wait = 2 * time.Second
	type skew struct{ server, client time.Duration }
	for _, k := range harness.Some([]skew{
		{24 * time.Hour, 0}, {-24 * time.Hour, 0}, {24 * time.Hour, -24 * time.Hour}, {-24 * time.Hour, 24 * time.Hour}, {until(1970), 0}, {until(2100), 0},
	}, 2) {
		t.Run(fmt.Sprintf("%s and %s", k.server, k.client), func(t *testing.T) {
			t.Parallel()
			o := tcpPages()
			o.ClockSkew = k.server
			alone := []mockserver.Fault{mockserver.RateLimitedIn(mockserver.RetryAfterDate, wait)}
			o.Scripts = []mockserver.Script{{Endpoint: mockserver.Events, Request: 4, Faults: alone}, {Endpoint: mockserver.Feed, Request: 2, Faults: alone}}
			w := newWorld(t, o)
			e := w.startAt(k.client, command{Args: []string{"pull"}}).wait()
			w.endsWith(e, 0)
			w.isWhole()
			if e.Took < wait {
				t.Errorf("nothing was waited for: %v", e)
			}
			w.isAsUndisturbed(o.Data)
		})
	}
}

// TestZonesAndLocales: results and exports are the same in every time zone and locale, also in the
// night in which daylight saving time ends.
func TestZonesAndLocales(t *testing.T) {
	t.Parallel()
	night := time.Until(time.Date(2026, 10, 25, 0, 59, 59, 0, time.UTC))
	dst := time.Until(time.Date(2026, 3, 29, 0, 59, 59, 0, time.UTC))
	type place struct {
		env []string
		by  time.Duration
	}
	const sql = `SELECT id, "timestamp", "timestamp"::VARCHAR AS text, date_trunc('day', "timestamp") AS day, upper(type) AS type, device_type, 1234.5::DOUBLE AS number FROM events ORDER BY id`
	outputs := func(w *world, by time.Duration, env []string) string {
		w.Helper()
		e := w.startAt(by, command{Args: []string{"pull", "--quiet"}, Env: env}).wait()
		w.endsWith(e, 0)
		w.isWhole()
		all := w.fingerprint()
		for _, args := range [][]string{
			{"query", sql}, {"query", "--timezone", "Europe/Berlin", "--format", "jsonl", sql}, {"query", "--format", "table", "--max-rows", "50", sql},
			{"export", "--csv", "-", "--quiet"}, {"export", "--jsonl", "-", "--where", `"timestamp" >= '2026-01-20'`, "--quiet"},
			{"export", "--parquet", "days", "--partition-by", "day", "--query", `SELECT id, "timestamp" FROM events`, "--quiet"},
		} {
			e := w.startAt(by, command{Args: args, Env: env}).wait()
			w.endsWith(e, 0)
			all += e.Out
		}
		days, err := filepath.Glob(filepath.Join(w.Folder, "days", "*"))
		if err != nil || len(days) < 2 {
			w.Errorf("%v, %v", days, err)
		}
		return strings.ReplaceAll(all+strings.Join(days, "\n"), w.Folder, "")
	}
	o := mockserver.Options{Data: mockserver.DataOptions{Events: 1000, DirtyEvery: 100}}
	want := outputs(newWorld(t, o), 0, []string{"TZ=UTC", "LANG=C", "LC_ALL=C"})
	for _, p := range harness.Some([]place{
		{[]string{"TZ=Pacific/Kiritimati", "LANG=tr_TR.UTF-8", "LC_ALL=tr_TR.UTF-8"}, 0},
		{[]string{"TZ=Europe/Berlin", "LANG=de_DE.UTF-8", "LC_ALL=de_DE.UTF-8"}, night},
		{[]string{"TZ=Europe/Berlin"}, dst},
		{[]string{"TZ=America/St_Johns", "LANG=C"}, 0},
		{[]string{"TZ=No/Where", "LANG=xx_XX.nothing", "LC_ALL="}, 0},
		{[]string{"TZ=:/etc/passwd", "LANG="}, 0},
		{[]string{"TZ=", "LC_NUMERIC=de_DE.UTF-8", "LC_CTYPE=POSIX"}, 0},
		{[]string{"TZ=Asia/Kathmandu", "LC_ALL=ar_EG.UTF-8"}, 0},
	}, 2) {
		t.Run(strings.Join(p.env, " "), func(t *testing.T) {
			t.Parallel()
			if got := outputs(newWorld(t, o), p.by.Truncate(time.Second), p.env); got != want {
				t.Errorf("other outputs (%d bytes, want %d)", len(got), len(want))
			}
		})
	}
}
