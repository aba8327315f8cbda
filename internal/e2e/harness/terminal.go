package harness

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"
)

// lines is the number of lines of each terminal.
const lines = 30

// Terminal is the built program on a pseudo-terminal.
type Terminal struct {
	Cmd *exec.Cmd

	tb   testing.TB
	tty  *os.File
	mu   sync.Mutex
	text bytes.Buffer
	more chan struct{} // holds a value after new text, closed at the end
	seen int           // how far Expect has read
}

// NewTerminal starts the built program on a terminal of 30 lines and 100 columns.
func NewTerminal(tb testing.TB, folder string, env []string, args ...string) *Terminal {
	tb.Helper()
	return NewTerminalOf(tb, 100, folder, env, args...)
}

// NewTerminalOf starts the built program on a terminal of 30 lines and this many columns.
func NewTerminalOf(tb testing.TB, columns int, folder string, env []string, args ...string) *Terminal {
	tb.Helper()
	return startOnTerminal(tb, exec.Command(Program(tb), args...), columns, folder, env)
}

// NewTerminalWithBash starts an interactive bash on such a terminal. Its prompt is "$ ".
func NewTerminalWithBash(tb testing.TB, columns int, folder string, env []string) *Terminal {
	tb.Helper()
	return startOnTerminal(tb, exec.Command("bash", "--norc", "--noprofile", "-i"), columns, folder, append(env, "PS1=$ "))
}

func startOnTerminal(tb testing.TB, cmd *exec.Cmd, columns int, folder string, env []string) *Terminal {
	tb.Helper()
	x := &Terminal{tb: tb, Cmd: cmd, more: make(chan struct{}, 1)}
	x.Cmd.Dir = folder
	x.Cmd.Env = append(append(os.Environ(), "XDG_STATE_HOME="+filepath.Join(folder, "state"), "TERM=xterm", "DATASYNC_PAGER=cat"), env...)
	tty, err := pty.StartWithSize(x.Cmd, &pty.Winsize{Rows: lines, Cols: uint16(columns)})
	if err != nil {
		tb.Fatal(err)
	}
	x.tty = tty
	tb.Cleanup(func() { _ = x.Cmd.Process.Kill(); _ = tty.Close() })
	go x.read()
	return x
}

func (x *Terminal) read() {
	defer close(x.more)
	b := make([]byte, 4096)
	for {
		n, err := x.tty.Read(b)
		if bytes.Contains(b[:n], []byte("\x1b[6n")) {
			_, _ = x.tty.WriteString("\x1b[1;1R") // the cursor's position, as a terminal answers
		}
		x.mu.Lock()
		x.text.Write(b[:n])
		x.mu.Unlock()
		select {
		case x.more <- struct{}{}:
		default:
		}
		if err != nil {
			return
		}
	}
}

// Send types text.
func (x *Terminal) Send(text string) {
	x.tb.Helper()
	if _, err := x.tty.WriteString(text); err != nil {
		x.tb.Fatal(err)
	}
}

// Resize gives the terminal another number of columns.
func (x *Terminal) Resize(columns int) {
	x.tb.Helper()
	if err := pty.Setsize(x.tty, &pty.Winsize{Rows: lines, Cols: uint16(columns)}); err != nil {
		x.tb.Fatal(err)
	}
}

// Enter waits for the shell's prompt and types a line.
func (x *Terminal) Enter(line string) {
	x.tb.Helper()
	x.Expect(`datasync> `)
	x.Send(line + "\r")
}

// Expect waits for text that matches the pattern, after the text of the last call.
func (x *Terminal) Expect(pattern string) {
	x.tb.Helper()
	re, end := regexp.MustCompile(pattern), time.After(Patience)
	for {
		x.mu.Lock()
		rest := x.text.Bytes()[x.seen:]
		at := re.FindIndex(rest)
		if at != nil {
			x.seen += at[1]
			x.mu.Unlock()
			return
		}
		shown := string(rest)
		x.mu.Unlock()
		select {
		case _, ok := <-x.more:
			if !ok && !re.MatchString(x.Rest()) {
				x.tb.Fatalf("%s did not come before the end:\n%q", pattern, shown)
			}
		case <-end:
			x.tb.Fatalf("%s did not come:\n%q", pattern, shown)
		}
	}
}

// Rest returns the text after what Expect has read.
func (x *Terminal) Rest() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return string(x.text.Bytes()[x.seen:])
}

// Text returns all that the program has written.
func (x *Terminal) Text() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.text.String()
}

// Exit waits for the program's end, and for the last of its text, and returns its exit code.
func (x *Terminal) Exit() int {
	x.tb.Helper()
	ended := make(chan struct{})
	go func() {
		_ = x.Cmd.Wait() // ProcessState has the code
		for range x.more {
		}
		close(ended)
	}()
	select {
	case <-ended:
		return x.Cmd.ProcessState.ExitCode()
	case <-time.After(Patience):
		x.tb.Fatalf("the program does not end:\n%q", x.Rest())
		return 0
	}
}
