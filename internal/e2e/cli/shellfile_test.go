package cli_test

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

	"datasync/internal/e2e/harness"
	"datasync/mockserver"
)

// pulled makes a database of 100 events, and returns its API and its folder.
func pulled(t *testing.T) (api *mockserver.Server, base, folder string) {
	t.Helper()
	api, base = harness.Serve(t, mockserver.Options{Data: mockserver.DataOptions{Events: 100}})
	folder = t.TempDir()
	if r := harness.Run(t.Context(), t, harness.Program(t), folder, base, "pull", "--quiet"); r.Code != 0 {
		t.Fatal(r)
	}
	return api, base, folder
}

// writable fails unless another program can open the database to write now.
func writable(t *testing.T, folder string) {
	t.Helper()
	_, letGo, err := harness.Hold(t, filepath.Join(folder, "datasync.duckdb"), "write")
	if err != nil {
		t.Errorf("another program cannot write: %v", err)
		return
	}
	letGo()
}

// held fails if another program can open the database to write now.
func held(t *testing.T, folder string) {
	t.Helper()
	if _, letGo, err := harness.Hold(t, filepath.Join(folder, "datasync.duckdb"), "write"); err == nil {
		letGo()
		t.Error("another program can write while the session is open")
	}
}

// TestIdleShell: the shell holds no lock between statements, survives a lock of others, and says when
// the data is new.
func TestIdleShell(t *testing.T) {
	t.Parallel()
	api, base, folder := pulled(t)
	x := harness.NewTerminal(t, folder, nil, "query")
	x.Expect(`datasync\.duckdb, read-only; complete as of 20\d\d-`)
	x.Expect(`datasync> `)
	writable(t, folder)
	x.Send("SELECT count(*) AS n FROM events;\r")
	x.Expect(`│ +100 │`)
	x.Expect(`datasync> `)
	writable(t, folder)
	x.Send(".tables\r")
	x.Expect(`runs`)
	x.Expect(`datasync> `)
	pid, letGo, err := harness.Hold(t, filepath.Join(folder, "datasync.duckdb"), "write")
	if err != nil {
		t.Fatal(err)
	}
	x.Send("SELECT count(*) AS n FROM events;\r")
	x.Expect(fmt.Sprintf(`process\s+%d\s+\(`, pid))
	letGo()
	api.Dataset().Grow(7)
	if r := harness.Run(t.Context(), t, harness.Program(t), folder, base, "pull", "--quiet"); r.Code != 0 {
		t.Fatal(r)
	}
	x.Enter("SELECT count(*) AS n FROM events;")
	x.Expect(`new data: batch \d+, 107 events, as of 20\d\d-\d\d-\d\dT[0-9:]+Z\r\n`)
	x.Expect(`│ +107 │`)
	x.Enter("SELECT count(*) AS n FROM events;")
	x.Expect(`│ +107 │`)
	if r := harness.Run(t.Context(), t, harness.Program(t), folder, base, "pull", "--quiet"); r.Code != 0 {
		t.Fatal(r)
	}
	x.Enter("SELECT count(*) AS n FROM events;")
	x.Expect(`no new events: batch \d+, 107 events, as of 20\d\d-`)
	x.Enter(".quit")
	if code := x.Exit(); code != 0 || strings.Count(x.Text(), "new data") != 1 {
		t.Errorf("exit %d: %q", code, x.Text())
	}
}

// TestSessionsThatKeepTheFile: a session with state to lose keeps the file open, and says so, until
// .close.
func TestSessionsThatKeepTheFile(t *testing.T) {
	t.Parallel()
	_, _, folder := pulled(t)
	x := harness.NewTerminal(t, folder, nil, "query")
	for statement, lost := range map[string]string{
		"SET VARIABLE x = 5;": "variable x", "CREATE TEMP TABLE t (i INT);": "temporary table t", "BEGIN;": "the open transaction",
		"CREATE TEMP VIEW v AS SELECT 1;": "temporary view v", "CREATE TEMP MACRO m(a) AS a + 1;": "temporary macro m",
		"CREATE TEMP SEQUENCE s;": "temporary sequence s", "CREATE TEMP TYPE e AS ENUM ('a');": "temporary type e",
		"PREPARE p AS SELECT 1;": "prepared statement p", "SELECT setseed(0.5);": "the seed of random()",
		"/* first */ SET VARIABLE y = 1;": "variable y", "BEGIN; SELECT 'a'::INT;": "the open transaction",
	} {
		x.Enter(statement)
		x.Expect(`datasync\.duckdb stays open for ` + regexp.QuoteMeta(lost) + `, until \.close or a pull asks`)
		held(t, folder)
		x.Enter(".close")
		x.Expect(`closed; lost: ` + regexp.QuoteMeta(lost))
		x.Enter(".close")
		x.Expect(`datasync\.duckdb is not open`)
		writable(t, folder)
	}
	before := len(x.Text())
	for _, statement := range []string{
		"SELECT 1 AS one;", "FROM (PIVOT (SELECT 1 AS a, 2 AS b) ON a USING sum(b));", "PIVOT (SELECT 1 AS a, 2 AS b) ON a USING sum(b);",
		"BEGIN; SELECT 1 AS one; COMMIT;", "SELECT nothing;", "EXPLAIN SELECT 1;", "DELETE FROM events;",
	} {
		x.Enter(statement)
		x.Expect(`datasync> `)
		writable(t, folder)
		x.Send("\r")
	}
	if text := x.Text()[before:]; strings.Contains(text, "stays open") {
		t.Errorf("%q", text)
	}
	// Without state to lose, the session ends.
	x.Enter("SET VARIABLE x = 5;")
	x.Expect(`variable x`)
	x.Enter(".timezone Asia/Tokyo")
	x.Expect(`this session keeps its time zone; \.close it first, which loses variable x`)
	x.Enter("SELECT getvariable('x') + 37 AS sum;")
	x.Expect(`│ +42 │`)
	x.Enter("RESET VARIABLE x;")
	x.Expect(`datasync> `)
	writable(t, folder)
	x.Send("\x04")
	if code := x.Exit(); code != 0 {
		t.Errorf("exit %d", code)
	}
}

// TestAPullAsksShells: a pull gets the file from shells that keep it open, even during a statement.
// They name everything that they lost.
func TestAPullAsksShells(t *testing.T) {
	t.Parallel()
	_, base, folder := pulled(t)
	one, other := harness.NewTerminal(t, folder, nil, "query"), harness.NewTerminal(t, folder, nil, "query")
	one.Enter("SET VARIABLE x = 5;")
	one.Expect(`until \.close or a pull asks`)
	other.Enter("BEGIN; CREATE TEMP TABLE t (i INT);")
	other.Expect(`until \.close or a pull asks`)
	other.Expect(`datasync> `)
	other.Send("SELECT 'still typ")
	if r := harness.Run(t.Context(), t, harness.Program(t), folder, base, "pull", "--quiet", "--wait", "10m"); r.Code != 0 || r.Err != "" {
		t.Error(r)
	}
	one.Expect(`a pull asked for datasync\.duckdb: this session is closed; lost:\s+variable x`)
	other.Expect(`lost:\s+the\s+open\s+transaction,\s+temporary\s+table\s+t`)
	other.Send("ing' AS text;\r")
	other.Expect(`│ still typing │`)

	one.Enter("SET VARIABLE x = 6;")
	one.Expect(`until \.close or a pull asks`)
	one.Enter("SELECT 'run' || 'ning'; SELECT count(*) FROM range(100000000000) a, range(100000000000) b;")
	one.Expect(`running`)
	pull, said := lockedPull(t, folder, base)
	said.await(t, fmt.Sprintf(`waiting up to 10 min for process %d (datasync), which has datasync.duckdb open`, one.Cmd.Process.Pid))
	one.Send("\x03")
	one.Expect(`lost:\s+variable x`) // before or after that: interrupted
	if err := pull.Wait(); err != nil {
		t.Errorf("%v: %s", err, said)
	}
}

// TestShellDuringAPull: a statement reads the pull's copy and gives it back, unless the session has
// state to lose.
func TestShellDuringAPull(t *testing.T) {
	t.Parallel()
	base, fifth := harness.ServeUntilFifth(t, mockserver.RateLimitedIn(mockserver.RetryAfterSeconds, time.Hour))
	folder := t.TempDir()
	pull, output := harness.Command(t.Context(), harness.Program(t), folder, base, "pull", "--quiet", "--max-wait", "2h")
	if err := pull.Start(); err != nil {
		t.Fatal(err)
	}
	<-fifth
	harness.Await(t, "four pages are committed", func() bool {
		return strings.Contains(harness.Run(t.Context(), t, harness.Program(t), folder, base, "status", "--json").Out, `"stored": 400`)
	})
	copies := func() int {
		names, err := filepath.Glob(filepath.Join(folder, "*.snapshot-*"))
		if err != nil {
			t.Fatal(err)
		}
		return len(names)
	}
	x := harness.NewTerminal(t, folder, nil, "query")
	x.Expect(`datasync\.duckdb, read-only; a pull is running: 400 events so far`)
	x.Enter("SELECT count(*) AS n FROM events;")
	x.Expect(`│ +400 │`)
	x.Expect(`datasync> `)
	harness.Await(t, "the copy is removed", func() bool { return copies() == 0 })
	x.Send("SET VARIABLE x = 5;\r")
	x.Expect(`a copy of datasync\.duckdb stays open for variable x, until \.close\r\n`)
	if n := copies(); n != 1 {
		t.Errorf("%d copies", n)
	}
	x.Enter(".close")
	x.Expect(`lost: variable x`)
	harness.Await(t, "the copy is removed", func() bool { return copies() == 0 })
	if err := pull.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if _ = pull.Wait(); pull.ProcessState.ExitCode() != 143 {
		t.Errorf("exit %d: %s", pull.ProcessState.ExitCode(), output)
	}
	x.Enter("SELECT count(*) AS n FROM events;")
	x.Expect(`│ +400 │`)
	x.Enter("exit")
	if code := x.Exit(); code != 0 {
		t.Errorf("exit %d", code)
	}
}

// messages is the output of a program so far.
type messages struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (m *messages) Write(b []byte) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.text.Write(b)
}

func (m *messages) String() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.text.String()
}

// await waits for a text.
func (m *messages) await(t *testing.T, text string) {
	t.Helper()
	harness.Await(t, text, func() bool { return strings.Contains(m.String(), text) })
}

// lockedPull starts a pull that waits up to ten minutes for a lock, and returns its messages.
func lockedPull(t *testing.T, folder, base string) (*exec.Cmd, *messages) {
	t.Helper()
	pull, _ := harness.Command(t.Context(), harness.Program(t), folder, base, "pull", "--wait", "10m")
	said := &messages{}
	pull.Stdout, pull.Stderr = said, said
	if err := pull.Start(); err != nil {
		t.Fatal(err)
	}
	return pull, said
}

// TestPullWaits: with --wait a pull waits for any process that has the file open, and names it.
func TestPullWaits(t *testing.T) {
	t.Parallel()
	_, base, folder := pulled(t)
	path := filepath.Join(folder, "datasync.duckdb")
	for _, how := range []string{"read", "write"} {
		pid, letGo, err := harness.Hold(t, path, how)
		if err != nil {
			t.Fatal(err)
		}
		name := fmt.Sprintf(`process %d \([\w.-]+\)`, pid)
		for args, want := range map[string]string{
			"--wait|1s|--quiet": "^datasync: [^\n]*" + name + "[^\n]*; close it, or use --wait 10m[^\n]*\n$",
			"--wait|1s":         "^(datasync: waiting up to 1 s for " + name + ", which has datasync.duckdb open\n)?[^\n]*" + name + "[^\n]*\n$",
			"--quiet":           "^datasync: [^\n]*" + name + "[^\n]*\n$",
		} {
			r := harness.Run(t.Context(), t, harness.Program(t), folder, base, append([]string{"pull"}, strings.Split(args, "|")...)...)
			if r.Code != 6 || !regexp.MustCompile(want).MatchString(r.Err) {
				t.Errorf("%s, another program %ss: %+v", args, how, r)
			}
		}
		pull, said := lockedPull(t, folder, base)
		said.await(t, fmt.Sprintf("waiting up to 10 min for process %d ", pid))
		if err := pull.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
		if _ = pull.Wait(); pull.ProcessState.ExitCode() != 130 {
			t.Errorf("exit %d: %s", pull.ProcessState.ExitCode(), said)
		}
		pull, said = lockedPull(t, folder, base)
		said.await(t, fmt.Sprintf("waiting up to 10 min for process %d ", pid))
		letGo()
		if err := pull.Wait(); err != nil {
			t.Errorf("%v: %s", err, said)
		}
	}
	if leftovers, err := filepath.Glob(path + ".*"); err != nil || len(leftovers) > 0 {
		t.Errorf("%q, %v", leftovers, err)
	}
	if r := harness.Run(t.Context(), t, harness.Program(t), folder, base, "pull", "--wait", "0s"); r.Code != 2 {
		t.Error(r)
	}
}

// TestPullWaitsForReaders: without --wait a pull waits for a datasync reader, but not forever.
func TestPullWaitsForReaders(t *testing.T) {
	t.Parallel()
	_, base, folder := pulled(t)
	x := harness.NewTerminal(t, folder, nil, "query")
	x.Enter("SELECT 'run' || 'ning'; SELECT count(*) FROM range(100000000000) a, range(100000000000) b;")
	x.Expect(`running`)
	name := fmt.Sprintf("process %d (datasync)", x.Cmd.Process.Pid)
	r := harness.Run(t.Context(), t, harness.Program(t), folder, base, "pull")
	if r.Code != 6 || !strings.Contains(r.Err, "waiting up to 10 s for "+name) || !strings.Contains(r.Err, name+" has it open; close it, or use --wait 10m") {
		t.Error(r)
	}
	x.Send("\x03")
	x.Expect(`interrupted`)
}
