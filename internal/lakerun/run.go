package lakerun

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"

	"datasync/internal/dbfile"
	"datasync/internal/model"
)

// Patience is the longest time for datasync-lake to end after a signal.
const Patience = 10 * time.Second

// Watch receives progress and warnings. Run calls its functions one at a time, and skips nil ones.
type Watch struct {
	Progress func(model.LakeProgress)
	Warning  func(text string)
	// Patience overrides the constant Patience, unless it is 0.
	Patience time.Duration
}

// Failure is an error of datasync-lake, with its exit code and topic.
type Failure struct{ model.LakeError }

func (f *Failure) Error() string { return f.Text }

// Exit returns the exit code and the topic of the program.
func (f *Failure) Exit() model.Exit { return model.Exit{Code: f.Code, Topic: f.Topic} }

// Is reports whether the error is about a locked or missing database. A reader retries then, because a pull
// may just have begun or ended.
func (f *Failure) Is(target error) bool {
	return (target == dbfile.ErrLocked || target == dbfile.ErrMissing) && f.Topic != "" && f.Exit() == model.ExitOf(target)
}

// Run has datasync-lake execute the plan. When ctx ends, Run closes the program's input and forwards the
// signal, if one was the cause. It kills a program that does not end. It fails with a *Failure, with
// ErrEnded, or with the cause of ctx.
func (p Program) Run(ctx context.Context, plan model.LakePlan, watch Watch) (*model.LakeResult, error) {
	line, err := json.Marshal(plan)
	if err != nil {
		return nil, err
	}
	said := &tail{}
	cmd := exec.Command(p.path, "run")
	cmd.Env, cmd.Stderr = environment(), said
	stdin, err1 := cmd.StdinPipe()
	stdout, err2 := cmd.StdoutPipe()
	if err := errors.Join(err1, err2); err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", p.path, err)
	}
	ended := make(chan struct{})
	var stopping sync.WaitGroup
	stopping.Go(func() {
		select {
		case <-ctx.Done():
			stop(ctx, cmd.Process, stdin, ended, watch.patience())
		case <-ended:
		}
	})
	_, errWrite := stdin.Write(append(line, '\n')) // if the program has ended, Wait returns the reason
	last, errRead := read(stdout, watch)
	if errRead != nil {
		_ = cmd.Process.Kill() // it would block without a reader
	}
	errWait := cmd.Wait()
	close(ended)
	stopping.Wait()
	_ = stdin.Close()
	return result(last, said.text(), context.Cause(ctx), errRead, errWait, errWrite)
}

func (w Watch) patience() time.Duration {
	if w.Patience != 0 {
		return w.Patience
	}
	return Patience
}

// stop asks the program to end, and kills it after the patience.
func stop(ctx context.Context, program *os.Process, stdin io.Closer, ended <-chan struct{}, patience time.Duration) {
	switch model.ExitOf(context.Cause(ctx)).Code {
	case 128 + int(syscall.SIGINT):
		_ = program.Signal(syscall.SIGINT)
	case 128 + int(syscall.SIGTERM):
		_ = program.Signal(syscall.SIGTERM)
	}
	_ = stdin.Close()
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-ended:
	case <-timer.C:
		_ = program.Kill()
	}
}

// longest is the greatest length of a line, in bytes.
const longest = 16 << 20

// read reads all lines of the program, and returns the last result or error, or nil.
func read(from io.Reader, watch Watch) (last *model.LakeLine, err error) {
	scan := bufio.NewScanner(from)
	scan.Buffer(nil, longest)
	for scan.Scan() {
		var line model.LakeLine
		if err := json.Unmarshal(scan.Bytes(), &line); err != nil {
			return nil, fmt.Errorf("it printed %.60q: %w", scan.Text(), err)
		}
		switch {
		case line.Result != nil || line.Error != nil:
			last = &line
		case line.Progress != nil && watch.Progress != nil:
			watch.Progress(*line.Progress)
		case line.Warning != "" && watch.Warning != nil:
			watch.Warning(line.Warning)
		}
	}
	return last, scan.Err()
}

// result builds the result of Run. stopped is the cause of its context's end, or nil.
func result(last *model.LakeLine, said []byte, stopped, errRead, errWait, errWrite error) (*model.LakeResult, error) {
	switch {
	case errRead == nil && errWait == nil && last != nil && last.Error == nil:
		return last.Result, nil
	case stopped != nil:
		return nil, stopped
	case errRead == nil && last != nil && last.Error != nil:
		failure := &Failure{*last.Error}
		if failure.Code == 0 {
			failure.Code = model.ExitError
		}
		return nil, failure
	}
	why := errors.Join(errRead, errWait)
	var exit *exec.ExitError
	switch {
	case why == nil:
		why = errWrite
	case errRead == nil && errors.As(errWait, &exit) && exit.Sys().(syscall.WaitStatus).Signal() == syscall.SIGKILL:
		why = errors.New("a signal killed it, as when memory runs out; use a smaller --memory-limit")
	case errRead != nil:
		why = errRead
	}
	if why == nil {
		return nil, fmt.Errorf("%w%s; the same command continues", ErrEnded, after(said))
	}
	return nil, fmt.Errorf("%w: %w%s; the same command continues", ErrEnded, why, after(said))
}

// environment is this process's environment without the API key, which only the API may receive.
func environment() []string {
	var kept []string
	for _, entry := range os.Environ() {
		if !strings.HasPrefix(entry, "DATASYNC_API_KEY=") {
			kept = append(kept, entry)
		}
	}
	return kept
}

// after formats the last line on a program's stderr for the end of a message; "" without one.
func after(said []byte) string {
	said = bytes.TrimSpace(said)
	if i := bytes.LastIndexByte(said, '\n'); i >= 0 {
		said = said[i+1:]
	}
	if len(said) == 0 {
		return ""
	}
	return fmt.Sprintf(" (it wrote %.200q)", said)
}

// tail keeps the end of the text written to it.
type tail struct {
	mu   sync.Mutex
	kept []byte
}

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	const most = 4096
	if t.kept = append(t.kept, b...); len(t.kept) > most {
		t.kept = t.kept[len(t.kept)-most:]
	}
	return len(b), nil
}

func (t *tail) text() []byte {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.kept
}
