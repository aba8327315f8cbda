package measure

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// Cost is the time and the memory of a process.
type Cost struct {
	Wall time.Duration
	// CPU is user and system time, children included.
	CPU time.Duration
	// PeakRSS is the most memory that was resident, in bytes: of the process, or of the
	// largest of its children. The kernel counts what the starting process had resident
	// when it started the other, so it is never less than that.
	PeakRSS int64
	// Steal is the share of the machine's CPU time (0 to 1) that its host gave to others meanwhile.
	// Load is the load average of the last minute at the start. Both are negative if the system
	// does not tell.
	Steal, Load float64
}

// Process runs a command to its end and returns its cost and what it printed. What it says
// on stderr is part of the error where it fails.
func Process(ctx context.Context, name string, args ...string) (Cost, []byte, error) {
	return Command(exec.CommandContext(ctx, name, args...))
}

// Command is Process for a command that is made ready; its Stdout and Stderr must not be
// set.
func Command(cmd *exec.Cmd) (Cost, []byte, error) {
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	// A cancelled program gets the signal that a person would send, and time to heed it.
	if cmd.Cancel != nil {
		cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
		cmd.WaitDelay = 10 * time.Second
	}
	cost := Cost{Load: load()}
	before, began := readCPU(), time.Now()
	err := cmd.Run()
	cost.Wall = time.Since(began)
	cost.Steal = before.stealUntil(readCPU())
	if state := cmd.ProcessState; state != nil {
		cost.CPU = state.UserTime() + state.SystemTime()
		cost.PeakRSS = peakRSS(state)
	}
	if err != nil {
		text := strings.TrimSpace(stderr.String())
		if text == "" {
			text = strings.TrimSpace(stdout.String())
		}
		err = fmt.Errorf("%s: %w: %s", strings.Join(cmd.Args, " "), err, last(text, 2000))
	}
	return cost, stdout.Bytes(), err
}

func peakRSS(state *os.ProcessState) int64 {
	usage, ok := state.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0
	}
	if runtime.GOOS == "darwin" {
		return usage.Maxrss // in bytes there
	}
	return usage.Maxrss << 10
}

// last returns the end of a text, where an error says what it is.
func last(text string, most int) string {
	if len(text) > most {
		text = "... " + text[len(text)-most:]
	}
	return text
}

// ExitCode returns the exit code that err, of Process or Command, stems from; -1 where it
// does not.
func ExitCode(err error) int {
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode()
	}
	return -1
}
