package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
)

// patience is how long a test waits for what must come: it only guards against one that
// would hang.
const patience = 5 * time.Minute

// terminal is a program that runs on a pseudo-terminal.
type terminal struct {
	t   *testing.T
	cmd *exec.Cmd
	tty *os.File

	mu   sync.Mutex
	text bytes.Buffer
	more chan struct{} // something came, or it ended
	seen int           // up to where expect has looked
}

// onTerminal starts the built program on a terminal of 30 lines of 100 columns.
func onTerminal(t *testing.T, folder string, env []string, args ...string) *terminal {
	t.Helper()
	x := &terminal{t: t, cmd: exec.Command(build(t, ""), args...), more: make(chan struct{}, 1)}
	x.cmd.Dir = folder
	x.cmd.Env = append(append(os.Environ(), "XDG_STATE_HOME="+filepath.Join(folder, "state"), "TERM=xterm", "DATASYNC_PAGER=cat"), env...)
	tty, err := pty.StartWithSize(x.cmd, &pty.Winsize{Rows: 30, Cols: 100})
	if err != nil {
		t.Fatal(err)
	}
	x.tty = tty
	t.Cleanup(func() { _ = x.cmd.Process.Kill(); _ = tty.Close() })
	go x.read()
	return x
}

func (x *terminal) read() {
	defer close(x.more)
	b := make([]byte, 4096)
	for {
		n, err := x.tty.Read(b)
		if bytes.Contains(b[:n], []byte("\x1b[6n")) {
			_, _ = x.tty.WriteString("\x1b[1;1R") // where the cursor is, as a terminal answers
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

// send types text.
func (x *terminal) send(text string) {
	x.t.Helper()
	if _, err := x.tty.WriteString(text); err != nil {
		x.t.Fatal(err)
	}
}

// expect waits for what the pattern matches, behind what was expected before.
func (x *terminal) expect(pattern string) {
	x.t.Helper()
	re, end := regexp.MustCompile(pattern), time.After(patience)
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
			if !ok && !re.MatchString(x.rest()) {
				x.t.Fatalf("%s did not come before the end:\n%q", pattern, shown)
			}
		case <-end:
			x.t.Fatalf("%s did not come:\n%q", pattern, shown)
		}
	}
}

func (x *terminal) rest() string {
	x.mu.Lock()
	defer x.mu.Unlock()
	return string(x.text.Bytes()[x.seen:])
}

// exit waits for the program's end and returns its code.
func (x *terminal) exit() int {
	x.t.Helper()
	ended := make(chan error, 1)
	go func() { ended <- x.cmd.Wait() }()
	select {
	case <-ended:
		return x.cmd.ProcessState.ExitCode()
	case <-time.After(patience):
		x.t.Fatalf("it does not end:\n%q", x.rest())
		return 0
	}
}

// demo makes a file of 2,000 events in a folder of its own.
func demo(t *testing.T) (folder string) {
	t.Helper()
	folder = t.TempDir()
	cmd, output := program(t.Context(), build(t, ""), folder, "", "pull", "--demo", "--demo-events", "2000", "--quiet")
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	return folder
}

// prompted waits for the prompt and types a line.
func (x *terminal) prompted(text string) {
	x.t.Helper()
	x.expect(`datasync> `)
	x.send(text + "\r")
}

func TestShell(t *testing.T) {
	folder := demo(t)
	x := onTerminal(t, folder, nil, "query")
	x.prompted("SELECT count(*) AS n,")
	x.expect(`\.\.\.> `)
	x.send("'a;b' AS t -- not the end;\r")
	x.expect(`\.\.\.> `)
	x.send("FROM events;\r")
	x.expect(`int64`)
	x.expect(`2000 │ a;b`)
	x.expect(`1 row`)
	x.expect(`datasync> `)
	x.send("SELECT devi\t")
	x.expect(`device_type`)
	x.send("\x03") // Ctrl-C
	for _, step := range [][2]string{
		{".tab\t", `events_flat`}, {".schema events_flat", `CREATE VIEW events_flat`}, {".schema nothing", `no table or view "nothing"`},
		{".mode jsonl", ``}, {".mode", `jsonl\r\n`}, {"SELECT 7 AS seven; SELECT 8 AS eight;", `\{"seven":7\}\r\n\{"eight":8\}`}, {".mode nothing", `none of table`},
		{".timer on", ``}, {".timer", `on\r\n`}, {"SELECT 9 AS nine;", `\{"nine":9\}\r\n.*1 row in [0-9.]+ s`}, {".timer maybe", `want on or off`},
		{".maxrows", `40\r\n`}, {".maxrows 3", ``}, {".maxrows 5x", `want a number`}, {".mode table", ``}, {"FROM range(100);", `100 rows \(3 shown\)`},
		{"SELECT nothing;", `Binder Error`}, {"DELETE FROM events;", `read-only`},
	} {
		x.prompted(step[0])
		x.expect(step[1])
	}
	// What it writes says that the terminal is no longer read key by key.
	x.prompted("SELECT 'run' || 'ning'; SELECT count(*) FROM range(100000000000) a, range(100000000000) b;")
	x.expect(`running`)
	x.send("\x03")
	x.expect(`interrupted`)
	for _, step := range [][2]string{
		{"SELECT 10 AS ten;", `│ +10 │`}, {".nothing", `unknown command \.nothing`}, {".help me", `takes no argument`}, {".help", `\.quit`},
		{"\x1b[A\x1b[A\x1b[A\x1b[A", `│ +10 │`}, // up to the statement before the three commands
	} {
		x.prompted(step[0])
		x.expect(step[1])
	}
	x.prompted(".quit")
	if code := x.exit(); code != 0 {
		t.Errorf("exit %d", code)
	}
	if rest := x.rest(); strings.Contains(rest, "goroutine") {
		t.Errorf("%q", rest)
	}

	name := filepath.Join(folder, "state", "datasync", "history")
	info, err := os.Stat(name)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	x = onTerminal(t, folder, nil, "query", "--timezone", "Asia/Tokyo")
	x.prompted("\x1b[A\x1b[A") // the statement of the other session
	x.expect(`│ +10 │`)
	x.expect(`datasync> `)
	x.send("\x04") // Ctrl-D
	if code := x.exit(); code != 0 {
		t.Errorf("exit %d", code)
	}
	x = onTerminal(t, folder, nil, "query")
	x.expect(`datasync> `)
	if err := x.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code := x.exit(); code != 143 {
		t.Errorf("exit %d", code)
	}
}

func TestPager(t *testing.T) {
	folder := demo(t)
	long, short := "FROM range(1000)", "FROM range(3)"
	for _, tc := range []struct {
		name, sql, want string
		env, args       []string
	}{
		{"a long result is paged", long, `P:│ +999 │`, []string{"DATASYNC_PAGER=sed s/^/P:/"}, nil},
		{"PAGER", long, `P:│ +999 │`, []string{"DATASYNC_PAGER=", "PAGER=sed s/^/P:/"}, nil},
		{"a short one is not", short, `[^:]│ +2 │`, []string{"DATASYNC_PAGER=sed s/^/P:/"}, nil},
		{"--no-pager", long, `[^:]│ +999 │`, []string{"DATASYNC_PAGER=sed s/^/P:/"}, []string{"--no-pager"}},
		{"a pager that is not there", long, `[^:]│ +999 │`, []string{"DATASYNC_PAGER=no-such-pager -x"}, nil},
		{"a pager that is left early", "FROM range(10000000)", "range", []string{"DATASYNC_PAGER=head -1"}, []string{"--format", "csv"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			x := onTerminal(t, folder, tc.env, append([]string{"query", tc.sql}, tc.args...)...)
			x.expect(tc.want)
			if code := x.exit(); code != 0 {
				t.Errorf("exit %d: %q", code, x.rest())
			}
		})
	}
}

// A reader that does not want all is no failure, and a query that nobody reads can be
// stopped.
func TestPipes(t *testing.T) {
	folder := demo(t)
	for _, format := range []string{"csv", "json", "table", "box"} {
		read, write, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		sql := "FROM range(100000000)"
		if format == "table" || format == "box" {
			sql = "SELECT repeat('x', 100000) FROM range(20)"
		}
		cmd, _ := program(t.Context(), build(t, ""), folder, "", "query", "--format", format, sql)
		var talk bytes.Buffer
		cmd.Stdout, cmd.Stderr = write, &talk
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		_ = write.Close()
		if _, err := read.Read(make([]byte, 10)); err != nil {
			t.Fatal(err)
		}
		_ = read.Close()
		if err := cmd.Wait(); err != nil || talk.Len() > 0 {
			t.Errorf("%s: %v: %s", format, err, &talk)
		}
	}

	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = read.Close() }()
	cmd, _ := program(t.Context(), build(t, ""), folder, "", "query", "FROM range(100000000)")
	cmd.Stdout = write
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	_ = write.Close()
	if _, err := read.Read(make([]byte, 10)); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if _ = cmd.Wait(); cmd.ProcessState.ExitCode() != 130 {
		t.Error(fmt.Sprint("exit ", cmd.ProcessState.ExitCode()))
	}
}
