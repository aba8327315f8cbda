package cli_test

import (
	"bytes"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"datasync/internal/e2e/harness"
)

// logging makes DuckDB log to stdout, in a way that no check of the SQL finds. title would set a
// terminal's window title if it were logged.
const (
	logging = `(SELECT count(*) FROM query('FROM enable_' || 'logging(storage = ''stdout'')'))`
	title   = `write_log(chr(27) || ']0;title' || chr(7) || type)`
)

// TestOnlyResultsArePrinted: DuckDB logs each value to stdout. No log entry reaches stdout, stderr
// or the data.
func TestOnlyResultsArePrinted(t *testing.T) {
	folder := harness.Demo(t)
	file := filepath.Join(folder, "a.csv")
	statements := "SELECT " + logging + "; SELECT " + title + " IS NULL AS logged FROM events"
	for _, c := range []struct {
		args  []string
		lines int // on stdout
	}{
		{[]string{"query", "--format", "csv", statements}, 2 + 2001},
		{[]string{"query", "--format", "jsonl", statements}, 1 + 2000},
		{[]string{"query", "--output", file, statements}, 0},
		{[]string{"query", "--format", "csv", "--timing", statements}, 2 + 2001},
		{[]string{"export", "--quiet", "--csv", "-", "--query", "SELECT id, " + title + " IS NULL FROM events, (SELECT " + logging + ")"}, 2001},
		{[]string{"export", "--quiet", "--csv", "-", "--where", title + " IS NULL AND " + logging + " >= 0"}, 2001},
		{[]string{"export", "--quiet", "--jsonl", filepath.Join(folder, "a.jsonl"), "--where", title + " IS NULL AND " + logging + " >= 0"}, 0},
	} {
		cmd, _ := harness.Command(t.Context(), harness.Program(t), folder, "", c.args...)
		var stdout, stderr bytes.Buffer
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		if err := cmd.Run(); err != nil {
			t.Errorf("%q: %v: %s", c.args, err, &stderr)
		}
		for _, b := range []string{stdout.String(), stderr.String()} {
			if strings.ContainsAny(b, "\x1b\a") || strings.Contains(b, "QueryLog") {
				t.Errorf("%q: %.300q", c.args, b)
			}
		}
		if n := strings.Count(stdout.String(), "\n"); n != c.lines {
			t.Errorf("%q: %d lines, want %d", c.args, n, c.lines)
		}
	}
	if b, err := os.ReadFile(file); err != nil || bytes.ContainsAny(b, "\x1b\a") || bytes.Count(b, []byte("\n")) != 2+2001 {
		t.Errorf("%v, %.300q", err, b)
	}
	if runtime.GOOS != "linux" {
		return
	}
	x := harness.NewTerminal(t, folder, nil, "query")
	x.Expect(`datasync> `)
	for fd := range 3 {
		to, err := os.Readlink(fmt.Sprintf("/proc/%d/fd/%d", x.Cmd.Process.Pid, fd))
		if err != nil || (to == os.DevNull) == (fd == 0) {
			t.Errorf("descriptor %d leads to %s, %v", fd, to, err)
		}
	}
	x.Send(".quit\r")
	x.Exit()
}

// TestReadersOfEachCommandGoAway: a command whose reader has gone is not a failure.
func TestReadersOfEachCommandGoAway(t *testing.T) {
	folder := harness.Demo(t)
	for _, args := range []string{"status", "status --json", "verify", "schema", "help", "explain", "explain limits", "--help", "query --named list", "query FROM/**/events", "export --csv - --quiet", "report -o -", "stats", "stats --by day", "stats --json", "pull --demo --dry-run --db other.duckdb --quiet"} {
		read, write, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		_ = read.Close()
		cmd, _ := harness.Command(t.Context(), harness.Program(t), folder, "", strings.Fields(args)...)
		var stderr bytes.Buffer
		cmd.Stdout, cmd.Stderr = write, &stderr
		if err := cmd.Run(); err != nil || stderr.Len() > 0 {
			t.Errorf("%s: %v: %s", args, err, &stderr)
		}
		_ = write.Close()
	}
}

// TestStdoutIsFull: a command whose stdout has no room says so in one line, and fails.
func TestStdoutIsFull(t *testing.T) {
	folder := harness.Demo(t)
	for _, args := range []string{"report -o -", "stats", "stats --by day", "stats --json", "status", "status --json", "verify", "schema", "query FROM/**/events", "export --csv - --quiet"} {
		full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
		if err != nil {
			t.Skip(err) // not on Linux
		}
		cmd, _ := harness.Command(t.Context(), harness.Program(t), folder, "", strings.Fields(args)...)
		var stderr bytes.Buffer
		cmd.Stdout, cmd.Stderr = full, &stderr
		_ = cmd.Run()
		if said := stderr.String(); cmd.ProcessState.ExitCode() != 1 || !strings.Contains(said, "no space left on device") || strings.Count(said, "\n") != 1 {
			t.Errorf("%s: exit %d: %s", args, cmd.ProcessState.ExitCode(), said)
		}
		_ = full.Close()
	}
}

// TestHostileHistories: the shell shows another user's text in its history file only escaped. It
// neither waits for such a file nor follows links.
func TestHostileHistories(t *testing.T) {
	folder := harness.Demo(t)
	state := filepath.Join(folder, "state", "datasync")
	name, other := filepath.Join(state, "history"), filepath.Join(folder, "other")
	const evil = "SELECT 1; \x1b]0;title\a\nSELECT '\u202e';\n\x9b2J\n.quit\x00\n"
	write := func(path, text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		what string
		make func() error
		kept bool // typed lines are kept in it
	}{
		{"escapes", func() error { write(name, "SELECT 70 + 7;\n"+evil); return nil }, true},
		{"huge", func() error {
			write(name, "SELECT 1;\n"+strings.Repeat("x", 20<<20)+"\n"+strings.Repeat("SELECT 2;\n", 500_000)+"SELECT 70 + 7;\n")
			return nil
		}, true},
		{"no line's end", func() error { write(name, "SELECT 70 + 7;\n"+strings.Repeat("\x00", 5<<20)); return nil }, true},
		{"a link", func() error { write(other, "SELECT 5;\n"); return os.Symlink(other, name) }, false},
		{"a FIFO", func() error { return syscall.Mkfifo(name, 0o600) }, false},
		{"a folder", func() error { return os.Mkdir(name, 0o700) }, false},
		{"a device", func() error { return os.Symlink("/dev/zero", name) }, false},
		{"a folder of everybody's", func() error { write(name, evil); return os.Chmod(state, 0o777) }, false},
		{"another user's", func() error {
			if write(name, evil); os.Geteuid() != 0 {
				return os.Chmod(state, 0o770) // only root can give a file away
			}
			return os.Chown(name, 12345, -1)
		}, false},
		{"another user's folder", func() error {
			if write(name, evil); os.Geteuid() != 0 {
				return os.Chmod(state, 0o720)
			}
			return os.Chown(state, 12345, -1)
		}, false},
		{"a folder that is a link", func() error {
			write(other, "SELECT 5;\n")
			return errorsOf(os.Remove(state), os.Mkdir(state+"2", 0o700), os.Symlink(state+"2", state))
		}, false},
	} {
		t.Run(c.what, func(t *testing.T) {
			if err := errorsOf(os.RemoveAll(filepath.Dir(state)), os.MkdirAll(state, 0o700), c.make()); err != nil {
				t.Fatal(err)
			}
			x := harness.NewTerminal(t, folder, nil, "query")
			x.Expect(`datasync> `)
			x.Send("\x1b[A\x1b[A\x1b[A\x1b[B\x1b[B\x1b[B\x15") // up and down, then delete the line
			x.Send("SELECT 80 + 8 AS n;\r")
			x.Expect(`│ +88 │`)
			x.Send(".quit\r")
			if code := x.Exit(); code != 0 {
				t.Errorf("exit %d", code)
			}
			shown := x.Text()
			for _, bad := range []string{"\x1b]0;title", "\u202e", "\x9b2J"} {
				if strings.Contains(shown, bad) {
					t.Errorf("shows %q: %.1000q", bad, shown)
				}
			}
			if strings.Contains(shown, "the history of this shell is not saved") == c.kept {
				t.Errorf("%.1000q", shown)
			}
			if b, err := os.ReadFile(other); err == nil && string(b) != "SELECT 5;\n" {
				t.Errorf("the other file has %q", b)
			}
			if !c.kept {
				return
			}
			if b, err := os.ReadFile(name); err != nil || !bytes.HasSuffix(b, []byte("SELECT 80 + 8 AS n;\n.quit\n")) || len(b) > 6<<20 {
				t.Errorf("%d bytes, %v", len(b), err)
			}
			if c.what == "no line's end" {
				return // the text before it is beyond the part that is read
			}
			x = harness.NewTerminal(t, folder, nil, "query")
			x.Expect(`datasync> `)
			x.Send("\x1b[A\x1b[A\x1b[A") // up to the earlier entry
			x.Send("\r")
			x.Expect(`│ +77 │`)
			x.Send(".quit\r")
			x.Exit()
		})
	}
}

func errorsOf(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// TestHostileNamesInTheShell: names in a file that another user made are escaped where the shell
// lists, completes and prints them, and in errors.
func TestHostileNamesInTheShell(t *testing.T) {
	folder := harness.Demo(t)
	db, err := sql.Open("duckdb", filepath.Join(folder, "datasync.duckdb"))
	if err != nil {
		t.Fatal(err)
	}
	bad := []string{"\x1b]0;title\a", "\x1b[2J", "\u202e", "\n", "\r", "\u009b"}
	for i, b := range bad {
		if _, err := db.Exec(fmt.Sprintf(`CREATE TABLE "zz%s%d" ("yy%[1]s%[2]d" INT DEFAULT 1, "xx " INT); INSERT INTO "zz%[1]s%[2]d" VALUES (1, 2); COMMENT ON TABLE "zz%[1]s%[2]d" IS 'c%[1]s'`, b, i)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := db.Exec(fmt.Sprintf(`CREATE TABLE "zz plain" (i INT); INSERT INTO "zz plain" VALUES (78); CREATE TABLE "%s" (i INT)`, strings.Repeat("zz", 500_000))); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	x := harness.NewTerminal(t, folder, nil, "query")
	for _, step := range [][2]string{
		{".tables", `zz\\x1b`}, {".schema", `yy\\x1b`}, {`FROM "zz\x1b]0;title\a0";`, "Error"}, {"DESCRIBE; SHOW ALL TABLES;", "rows"},
		{`FROM "zz p` + "\t;", `│ +78 │`}, {`FROM "zz` + "\t\t\x03", ""}, {`SELECT yy` + "\t\t\x03", ""},
	} {
		x.Enter(step[0])
		x.Expect(step[1])
	}
	x.Enter(".quit")
	if code := x.Exit(); code != 0 {
		t.Errorf("exit %d", code)
	}
	shown := x.Text()
	for _, text := range []string{"\x1b]0;title", "\u202e", "\u009b", "zz\n3", "zz\r4"} {
		if strings.Contains(shown, text) {
			t.Errorf("shows %q", text)
		}
	}
	for _, args := range [][]string{{"schema"}, {"schema", "zz\x1b]0;title\a"}, {"status"}, {"query", "--format", "table", "FROM duckdb_columns()"}, {"query", "--format", "line", "FROM duckdb_tables()"}} {
		cmd, output := harness.Command(t.Context(), harness.Program(t), folder, "", args...)
		_ = cmd.Run()
		if strings.ContainsAny(output.String(), "\x1b\u202e\u009b\r") {
			t.Errorf("%q: %.300q", args, output.String())
		}
	}
}

// TestHostileEnvironments: bad values of the environment, for the terminal and the pager, do no
// harm.
func TestHostileEnvironments(t *testing.T) {
	folder := harness.Demo(t)
	for _, env := range []string{
		"TERM=", "TERM=dumb", "TERM=\x1b]0;title\a", "COLUMNS=-1", "COLUMNS=1000000000", "COLUMNS=99999999999999999999", "COLUMNS=x", "LINES=0",
		"LESS=\x1b]0;title\a", "DATASYNC_PAGER=no-such-pager", "DATASYNC_PAGER=   ", "PAGER=\x1b[2J",
	} {
		x := harness.NewTerminal(t, folder, []string{env}, "query")
		x.Enter("SELECT 70 + 7 AS n;")
		x.Expect(`│ +77 │`)
		x.Enter(".quit")
		if code := x.Exit(); code != 0 || strings.Contains(x.Text(), "\x1b]0;title") {
			t.Errorf("%q: exit %d", env, code)
		}
		cmd, output := harness.Command(t.Context(), harness.Program(t), folder, "", "query", "--format", "table", "FROM events LIMIT 3")
		cmd.Env = append(cmd.Env, env)
		if err := cmd.Run(); err != nil || !strings.Contains(output.String(), "3 rows") || output.Len() > 10_000 {
			t.Errorf("%q: %v, %.300q", env, err, output.String())
		}
	}
}
