package faults

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

var (
	all  = flag.Bool("all", false, "try all cases of every fault, also those that take minutes")
	with = flag.String("program", "", "try the program at this `path`, instead of one built from this tree")
)

// binary is the program, and failing one that ends itself where DATASYNC_FAILPOINT says.
var binary, failing string

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(func() int {
		if folder := os.Getenv(programsEnv); folder != "" {
			binary, failing = filepath.Join(folder, "datasync"), filepath.Join(folder, "failing")
			if *with != "" {
				binary = *with
			}
			return m.Run()
		}
		folder, err := os.MkdirTemp("", "datasync-faults-")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer func() { _ = os.RemoveAll(folder) }()
		binary, failing = filepath.Join(folder, "datasync"), filepath.Join(folder, "failing")
		for path, tags := range map[string]string{binary: "", failing: "failpoint"} {
			build := exec.Command("go", "build", "-trimpath", "-tags", tags, "-o", path, ".")
			build.Dir = "../.."
			if out, err := build.CombinedOutput(); err != nil {
				fmt.Fprintf(os.Stderr, "%v: %s", err, out)
				return 1
			}
		}
		if *with != "" {
			binary = *with
		}
		return m.Run()
	}())
}

// some returns the cases to try: all of them with -all, else a few that lie apart.
func some[T any](cases []T, few int) []T {
	if *all || len(cases) <= few {
		return cases
	}
	var chosen []T
	for i := range few {
		chosen = append(chosen, cases[i*len(cases)/few])
	}
	return chosen
}

// within is by when a program must have ended (O7), however slow the machine is: what would
// hang has not. How long it takes is for tests in which time is not the machine's (ingest).
const within = 10 * time.Minute

// command is one run of the program in a world.
type command struct {
	Args []string
	// Program runs instead of binary.
	Program string
	// Env is in addition to, or in place of, what the world sets.
	Env []string
	// Limits are arguments of ulimit, such as "-n 32".
	Limits []string
	// Terminal is stdin, stdout and stderr in one.
	Terminal *os.File
	// Redirect is what the shell does to its files, such as "<&-".
	Redirect string
	Stdin    io.Reader
	Stdout   io.Writer // where not given, ended.Out
}

// ended is what became of it.
type ended struct {
	Args     []string
	Code     int            // -1 where a signal ended it
	Signal   syscall.Signal // 0 where none did
	Out, Err string
	Peak     int64 // bytes of memory at most
	Took     time.Duration
}

func (e ended) String() string {
	return fmt.Sprintf("datasync %s: exit %d (signal %d) after %s, %d MB\n%s%s",
		strings.Join(e.Args, " "), e.Code, e.Signal, e.Took.Round(time.Millisecond), e.Peak>>20, e.Out, e.Err)
}

// running is a command that was started.
type running struct {
	*exec.Cmd
	w        *world
	out, err bytes.Buffer
	began    time.Time
	cancel   context.CancelFunc
	ctx      context.Context
	peak     atomic.Int64
}

// command makes a command that was not started yet. Whoever starts it must call wait.
func (w *world) command(c command) *running {
	w.Helper()
	ctx, cancel := context.WithTimeout(w.Context(), within)
	program := c.Program
	if program == "" {
		program = binary
	}
	name, args := program, c.Args
	if len(c.Limits) > 0 || c.Redirect != "" {
		// The shell sets the limits and becomes the program.
		script := ""
		for _, l := range c.Limits {
			script += "ulimit " + l + " && "
		}
		name, args = "bash", append([]string{"-c", script + `exec "$@" ` + c.Redirect, "bash", program}, c.Args...)
	}
	r := &running{Cmd: exec.CommandContext(ctx, name, args...), w: w, cancel: cancel, ctx: ctx}
	r.Dir = w.Folder
	r.Env = append(w.env(), c.Env...)
	r.Stdin, r.Stdout, r.Stderr = c.Stdin, &r.out, &r.err
	if c.Stdout != nil {
		r.Stdout = c.Stdout
	}
	if c.Terminal != nil {
		r.Stdin, r.Stdout, r.Stderr = c.Terminal, c.Terminal, c.Terminal
		r.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	}
	if w.user != 0 {
		r.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(w.user), Gid: uint32(w.user)}}
	}
	r.WaitDelay = 5 * time.Second
	r.began = time.Now()
	return r
}

// start starts the program. Whoever calls it must call wait.
func (w *world) start(c command) *running {
	w.Helper()
	r := w.command(c)
	if err := r.Start(); err != nil {
		r.cancel()
		w.Fatal(err)
	}
	go r.watch()
	// O5 of the process list, which everyone can read.
	if line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", r.Process.Pid)); err == nil {
		w.noSecret("the process list", line)
	}
	go r.watch()
	return r
}

// mark is the line of /proc/PID/status with the most memory that a process had so far.
var mark = regexp.MustCompile(`VmHWM:\s+(\d+) kB`)

// watch keeps the program's most memory up to its end. What wait4 tells of that counts
// what this process had when it made the program.
func (r *running) watch() {
	for range time.Tick(10 * time.Millisecond) {
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", r.Process.Pid))
		at := mark.FindSubmatch(status)
		if err != nil || at == nil {
			return
		}
		if kb, err := strconv.ParseInt(string(at[1]), 10, 64); err == nil {
			r.peak.Store(kb << 10)
		}
	}
}

// wait waits for it to end: O7, and O5 of what it has printed.
func (r *running) wait() ended {
	r.w.Helper()
	defer r.cancel()
	err := r.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) && !errors.Is(err, exec.ErrWaitDelay) {
		r.w.Fatal(err)
	}
	e := ended{Args: r.Args[1:], Code: r.ProcessState.ExitCode(), Out: r.out.String(), Err: r.err.String(), Took: time.Since(r.began)}
	// A process that was over before anyone looked inherits the figure of the one that started it.
	if e.Peak = r.peak.Load(); e.Peak == 0 {
		if usage, ok := r.ProcessState.SysUsage().(*syscall.Rusage); ok {
			e.Peak = usage.Maxrss << 10
		}
	}
	if status, ok := r.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		e.Signal = status.Signal()
	}
	if r.ctx.Err() != nil {
		r.w.Fatalf("O7: not ended after %s: %v", within, e)
	}
	r.w.noSecret("stdout", []byte(e.Out))
	r.w.noSecret("stderr", []byte(e.Err))
	return e
}

// run runs the program to its end.
func (w *world) run(c command) ended {
	w.Helper()
	return w.start(c).wait()
}

// pull is a pull that gives up on an API within seconds.
func pull(options ...string) command {
	return command{Args: append([]string{"pull", "--max-retry-time", "3s", "--max-wait", "20s"}, options...)}
}
