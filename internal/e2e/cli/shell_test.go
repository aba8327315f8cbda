package cli_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"datasync/internal/e2e/harness"
)

func TestShell(t *testing.T) {
	folder := harness.Demo(t)
	x := harness.NewTerminal(t, folder, nil, "query")
	x.Enter("SELECT count(*) AS n,")
	x.Expect(`\.\.\.> `)
	x.Send("'a;b' AS t -- not the end;\r")
	x.Expect(`\.\.\.> `)
	x.Send("FROM events;\r")
	x.Expect(`int64`)
	x.Expect(`2000 │ a;b`)
	x.Expect(`1 row`)
	x.Expect(`datasync> `)
	x.Send("SELECT devi\t")
	x.Expect(`device_type`)
	x.Send("\x03") // Ctrl-C
	for _, step := range [][2]string{
		{".tab\t", `events_flat`}, {".schema events_flat", `CREATE VIEW events_flat`}, {".schema nothing", `no table or view "nothing"; see`},
		{".mode jsonl", ``}, {".mode", `jsonl\r\n`}, {"SELECT 7 AS seven; SELECT 8 AS eight;", `\{"seven":7\}\r\n\{"eight":8\}`}, {".mode nothing", `the formats are table`},
		{".timer on", ``}, {".timer", `on\r\n`}, {"SELECT 9 AS nine;", `\{"nine":9\}\r\n.*1 row in [0-9.]+ s`}, {".timer maybe", `want on or off`},
		{".maxrows", `40\r\n`}, {".maxrows 3", ``}, {".maxrows 5x", `want a number`}, {".mode table", ``}, {"FROM range(100);", `100 rows \(3 shown\)`},
		{"SELECT nothing;", `Binder Error.*\r\nLINE 1: SELECT nothing;?\r\n {15}\^\r\n`}, {"DELETE FROM events;", `read-only`},
	} {
		x.Enter(step[0])
		x.Expect(step[1])
	}
	// Its output shows that the terminal no longer reads key by key.
	x.Enter("SELECT 'run' || 'ning'; SELECT count(*) FROM range(100000000000) a, range(100000000000) b;")
	x.Expect(`running`)
	x.Send("\x03")
	x.Expect(`interrupted`)
	for _, step := range [][2]string{
		{"SELECT 10 AS ten;", `│ +10 │`}, {".nothing", `unknown command \.nothing`}, {".help me", `unknown command \.me`}, {".help", `\.quit`},
		{"\x1b[A\x1b[A\x1b[A\x1b[A", `│ +10 │`}, // up to the statement before the three commands
	} {
		x.Enter(step[0])
		x.Expect(step[1])
	}
	x.Enter(".quit")
	if code := x.Exit(); code != 0 {
		t.Errorf("exit %d", code)
	}
	if rest := x.Rest(); strings.Contains(rest, "goroutine") {
		t.Errorf("%q", rest)
	}

	name := filepath.Join(folder, "state", "datasync", "history")
	info, err := os.Stat(name)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	x = harness.NewTerminal(t, folder, nil, "query", "--timezone", "Asia/Tokyo")
	x.Enter("\x1b[A\x1b[A") // the statement of the other session
	x.Expect(`│ +10 │`)
	x.Expect(`datasync> `)
	x.Send("\x04") // Ctrl-D
	if code := x.Exit(); code != 0 {
		t.Errorf("exit %d", code)
	}
	x = harness.NewTerminal(t, folder, nil, "query")
	x.Expect(`datasync> `)
	if err := x.Cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code := x.Exit(); code != 143 {
		t.Errorf("exit %d", code)
	}
}

func TestPager(t *testing.T) {
	folder := harness.Demo(t)
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
			x := harness.NewTerminal(t, folder, tc.env, append([]string{"query", tc.sql}, tc.args...)...)
			x.Expect(tc.want)
			if code := x.Exit(); code != 0 {
				t.Errorf("exit %d: %q", code, x.Rest())
			}
		})
	}
}

// TestPipes: a reader that does not read everything is not a failure, and a query without a reader can
// be interrupted.
func TestPipes(t *testing.T) {
	folder := harness.Demo(t)
	for _, format := range []string{"csv", "json", "table", "box"} {
		read, write, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		sql := "FROM range(100000000)"
		if format == "table" || format == "box" {
			sql = "SELECT repeat('x', 100000) FROM range(20)"
		}
		cmd, _ := harness.Command(t.Context(), harness.Program(t), folder, "", "query", "--format", format, sql)
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
	cmd, _ := harness.Command(t.Context(), harness.Program(t), folder, "", "query", "FROM range(100000000)")
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

// TestShellOptions: the shell refuses options that it does not heed.
func TestShellOptions(t *testing.T) {
	folder := harness.Demo(t)
	for _, args := range [][]string{{"--output", "a.csv"}, {"--timeout", "5s"}} {
		x := harness.NewTerminal(t, folder, nil, append([]string{"query"}, args...)...)
		x.Expect(`query: ` + args[0] + ` needs SQL: give it as an argument or in --file`)
		if code := x.Exit(); code != 2 {
			t.Errorf("%s: exit %d", args, code)
		}
	}
}
