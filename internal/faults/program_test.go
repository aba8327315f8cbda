package faults

import (
	"context"
	"fmt"
	"io"
	"os"
	"syscall"
	"testing"

	"datasync/internal/e2e/harness"
)

func TestMain(m *testing.M) { harness.Main(m) }

// within is the time in which a program must end (O7), however slow the machine is. It only ends
// a test that would hang otherwise.
const within = 2 * harness.Patience

// command is a run of the program in a world.
type command struct {
	Args []string
	// Program runs instead of the built program.
	Program string
	// Env is in addition to, or in place of, what the world sets.
	Env []string
	// Limits are arguments of ulimit, such as "-n 32".
	Limits []string
	// Terminal is stdin, stdout and stderr in one.
	Terminal *os.File
	// Redirect are the shell's redirections of its files, such as "<&-".
	Redirect string
	Stdin    io.Reader
	Stdout   io.Writer // where nil, the result has it
}

// running is a command that was started.
type running struct {
	*harness.Running
	w      *world
	cancel context.CancelFunc
	ctx    context.Context
}

// command returns a run that is not started yet. The caller must call wait after its start.
func (w *world) command(c command) *running {
	w.Helper()
	ctx, cancel := context.WithTimeout(w.Context(), within)
	program := c.Program
	if program == "" {
		program = harness.Program(w)
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
	r := &running{harness.Prepare(ctx, w, name, args...), w, cancel, ctx}
	r.Dir = w.Folder
	r.Env = append(w.env(), c.Env...)
	r.Stdin = c.Stdin
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
	return r
}

// start starts the program. The caller must call wait.
func (w *world) start(c command) *running {
	w.Helper()
	r := w.command(c)
	if err := r.Start(); err != nil {
		r.cancel()
		w.Fatal(err)
	}
	r.Watch()
	// O5 of the process list, which every user can read.
	if line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", r.Process.Pid)); err == nil {
		w.noSecret("the process list", line)
	}
	return r
}

// wait waits for it to end: O7, and O5 of its outputs.
func (r *running) wait() harness.Result {
	r.w.Helper()
	defer r.cancel()
	e := r.Wait()
	if r.ctx.Err() != nil {
		r.w.Fatalf("O7: not ended after %s: %v", within, e)
	}
	r.w.noSecret("stdout", []byte(e.Out))
	r.w.noSecret("stderr", []byte(e.Err))
	return e
}

// run runs the program to its end.
func (w *world) run(c command) harness.Result {
	w.Helper()
	return w.start(c).wait()
}

// pull is a pull that gives up on an API within seconds.
func pull(options ...string) command {
	return command{Args: append([]string{"pull", "--max-retry-time", "3s", "--max-wait", "20s"}, options...)}
}
