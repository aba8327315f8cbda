package harness

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// Key is the API key of the programs that [Command] and [Run] start. It must be in nothing that
// they write.
const Key = "ds_test_canary"

// Command returns a program, not yet started, in a folder and with an API at base. Both outputs
// go to the buffer. The program is killed when ctx ends.
func Command(ctx context.Context, program, folder, base string, args ...string) (*exec.Cmd, *bytes.Buffer) {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = folder
	cmd.Env = append(os.Environ(), "DATASYNC_API_KEY="+Key, "DATASYNC_BASE_URL="+base)
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	return cmd, &output
}

// Run runs a program, as [Command] sets it up, to its end.
func Run(ctx context.Context, tb testing.TB, program, folder, base string, args ...string) Result {
	tb.Helper()
	p := Prepare(ctx, tb, program, args...)
	p.Dir = folder
	p.Env = append(os.Environ(), "DATASYNC_API_KEY="+Key, "DATASYNC_BASE_URL="+base)
	if err := p.Start(); err != nil {
		if ctx.Err() == nil {
			tb.Error(err)
		}
		return Result{Args: args, Code: -1}
	}
	return p.Wait()
}

// Running is a run of a program whose outputs are kept.
type Running struct {
	*exec.Cmd
	tb       testing.TB
	ctx      context.Context
	out, err bytes.Buffer
	began    time.Time
	peak     atomic.Int64 // bytes
}

// Prepare returns a run that is not yet started, and is killed when ctx ends.
func Prepare(ctx context.Context, tb testing.TB, name string, args ...string) *Running {
	p := &Running{Cmd: exec.CommandContext(ctx, name, args...), tb: tb, ctx: ctx, began: time.Now()}
	p.Stdout, p.Stderr = &p.out, &p.err
	p.WaitDelay = 5 * time.Second
	return p
}

// Watch keeps the largest memory use of a process that runs, until it ends. The figure of wait4
// would include what the test had at the fork.
func (p *Running) Watch() {
	go func() {
		for range time.Tick(10 * time.Millisecond) {
			status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.Process.Pid))
			at := highWater.FindSubmatch(status)
			if err != nil || at == nil {
				return
			}
			if kb, err := strconv.ParseInt(string(at[1]), 10, 64); err == nil {
				p.peak.Store(kb << 10)
			}
		}
	}()
}

// highWater is the line of /proc/PID/status with the largest memory use so far.
var highWater = regexp.MustCompile(`VmHWM:\s+(\d+) kB`)

// Wait waits for the process to end. An end by ctx or by a signal is a result like any other.
func (p *Running) Wait() Result {
	p.tb.Helper()
	err := p.Cmd.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) && !errors.Is(err, exec.ErrWaitDelay) && p.ctx.Err() == nil {
		p.tb.Error(err)
	}
	r := Result{Args: p.Args[1:], Code: -1, Out: p.out.String(), Err: p.err.String(), Took: time.Since(p.began)}
	if p.ProcessState == nil {
		return r
	}
	r.Code = p.ProcessState.ExitCode()
	// A process that ended before the first look has only the figure of wait4.
	if r.Peak = p.peak.Load(); r.Peak == 0 {
		if usage, ok := p.ProcessState.SysUsage().(*syscall.Rusage); ok {
			r.Peak = usage.Maxrss << 10
		}
	}
	if status, ok := p.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		r.Signal = status.Signal()
	}
	return r
}

// Result is a run that has ended.
type Result struct {
	Args     []string
	Code     int            // -1 where a signal ended it
	Signal   syscall.Signal // 0 where none did
	Out, Err string         // stdout and stderr
	Peak     int64          // bytes of memory at most, of a process that was watched
	Took     time.Duration
}

func (r Result) String() string {
	return fmt.Sprintf("datasync %s: exit %d (signal %d) after %s, %d MB\n%s%s",
		strings.Join(r.Args, " "), r.Code, r.Signal, r.Took.Round(time.Millisecond), r.Peak>>20, r.Out, r.Err)
}

// KilledAt runs a program with a failpoint and reports whether it killed itself there. It fails
// the test where the program ended otherwise and not with 0.
func KilledAt(tb testing.TB, point, folder, base string, args ...string) bool {
	tb.Helper()
	cmd, output := Command(tb.Context(), FailpointProgram(tb), folder, base, args...)
	cmd.Env = append(cmd.Env, "DATASYNC_FAILPOINT="+point)
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		tb.Fatal(err)
	}
	status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus)
	killed := ok && status.Signaled() && status.Signal() == syscall.SIGKILL
	if err != nil && !killed {
		tb.Fatalf("%s: %v: %s", point, err, output)
	}
	return killed
}

// Await waits until other processes have done something.
func Await(tb testing.TB, what string, happened func() bool) {
	tb.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for limit := time.After(Patience); !happened(); {
		select {
		case <-limit:
			tb.Fatalf("%s: not within %s", what, Patience)
		case <-tick.C:
		}
	}
}
