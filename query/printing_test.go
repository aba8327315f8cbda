//go:build !race

// With the race detector descriptor 2 is not moved.

package query_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"datasync/internal/inspect"
	"datasync/internal/streams"
	"datasync/query"
)

// printingEnv names the file on which a child of TestNothingElseIsPrinted runs statements.
// untakenEnv leaves the streams to DuckDB.
const (
	printingEnv = "DATASYNC_TEST_PRINTING"
	untakenEnv  = "DATASYNC_TEST_UNTAKEN"
)

// TestNothingElseIsPrinted: only this program writes to stdout and stderr, whatever statement runs.
// It tries each of DuckDB's table functions, pragmas and settings, in each form, by query and past
// its checks.
func TestNothingElseIsPrinted(t *testing.T) {
	if path := os.Getenv(printingEnv); path != "" {
		runAll(t, path)
		return
	}
	path := file(t)
	for _, taken := range []bool{true, false} {
		cmd := exec.Command(os.Args[0], "-test.run=^TestNothingElseIsPrinted$", "-test.timeout=10m")
		cmd.Env = append(os.Environ(), printingEnv+"="+path)
		if !taken {
			cmd.Env = append(cmd.Env, untakenEnv+"=1")
		}
		var stdout, stderr bytes.Buffer
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		if err := cmd.Run(); err != nil {
			t.Fatalf("%v: %.2000s %.2000s", err, stdout.String(), stderr.String())
		}
		first, rest, _ := strings.Cut(stdout.String(), "\n")
		switch {
		case taken && (!strings.HasPrefix(first, "ran ") || rest != "" || stderr.Len() > 0):
			t.Errorf("%.2000q and %.2000q", stdout.String(), stderr.String())
		case taken:
			t.Log(first)
		case !strings.Contains(stdout.String(), "\x1b]0;title\a"):
			t.Errorf("DuckDB prints nothing by itself any more: this test proves nothing: %.2000q", stdout.String())
		}
	}
}

// probes are statements that make DuckDB print once a setting allows it.
var probes = []string{
	`SELECT write_log(chr(27) || ']0;title' || chr(7))`, "SELECT count(*) FROM range(100000)", "EXPLAIN ANALYZE SELECT 1", "SELECT 1 FROM nowhere",
}

// runAll runs in the child.
func runAll(t *testing.T, path string) {
	out := os.Stdout
	if os.Getenv(untakenEnv) == "" {
		s, err := streams.Take()
		if err != nil {
			t.Fatal(err)
		}
		out = s.Stdout
	}
	// These make DuckDB print in any case.
	statements := []string{"CALL enable_logging(storage='stdout')", "PRAGMA enable_profiling"}
	if out != os.Stdout {
		statements = append(statements, printing(t, path)...)
	}
	worked := 0
	for len(statements) > 0 {
		few := min(50, len(statements)) // with a session of their own
		s, err := inspect.OpenSession(t.Context(), path, inspect.ReadOptions{MemoryLimit: "500MB"})
		if err != nil {
			t.Fatal(err)
		}
		for _, text := range statements[:few] {
			var b bytes.Buffer
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second) // of one that has no end
			_, errExec := s.Exec(ctx, text)
			errRun := query.Run(ctx, s, query.Options{SQL: text, Format: query.CSV, MaxRows: 10}, &b)
			cancel()
			if errExec == nil || errRun == nil {
				worked++
			}
		}
		for _, text := range probes {
			_, _ = s.Exec(t.Context(), text)
			_ = query.Run(t.Context(), s, query.Options{SQL: text, Format: query.Table}, &bytes.Buffer{})
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		statements = statements[few:]
	}
	_, _ = fmt.Fprintf(out, "ran %d statements\n", worked)
}

// printing returns the statements.
func printing(t *testing.T, path string) (all []string) {
	s, err := inspect.OpenSession(t.Context(), path, inspect.ReadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	list := func(text string) []string {
		names, err := query.Texts(t.Context(), s, text, nil)
		if err != nil || len(names) < 10 {
			t.Fatal(len(names), err)
		}
		return names
	}
	all = strings.Split(strings.TrimSpace(harmless+hostile), "\n")
	for _, name := range list("SELECT DISTINCT function_name FROM duckdb_functions() WHERE function_type = 'table' ORDER BY ALL") {
		for _, args := range []string{"", "storage='stdout'", "'events'", "1", "level='trace'", "'QueryLog', storage='stdout'"} {
			all = append(all, fmt.Sprintf("CALL %s(%s)", name, args), fmt.Sprintf("FROM %s(%s)", name, args))
		}
	}
	for _, name := range append(list("SELECT DISTINCT function_name FROM duckdb_functions() WHERE function_type = 'pragma' ORDER BY ALL"),
		list("SELECT name FROM duckdb_settings() ORDER BY ALL")...) {
		for _, form := range []string{"PRAGMA %s", "PRAGMA %s('events')", "PRAGMA %s = true", "PRAGMA %s = 'query_tree'", "SET %s = true", "SET SESSION %s = 'stdout'", "RESET %s", "CALL %s()"} {
			all = append(all, fmt.Sprintf(form, name))
		}
	}
	for _, name := range list("SELECT DISTINCT function_name FROM duckdb_functions() WHERE function_type = 'scalar' AND regexp_matches(function_name, '^[a-z]') ORDER BY ALL") {
		all = append(all, fmt.Sprintf("SELECT %s()", name), fmt.Sprintf("SELECT %s('x')", name))
	}
	return all
}
