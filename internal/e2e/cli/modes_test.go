package cli_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"datasync/internal/e2e/harness"
	"datasync/mockserver"
)

// anyUser runs the program under a umask of 0.
func anyUser(cmd *exec.Cmd) *exec.Cmd {
	cmd.Args = append([]string{"sh", "-c", `umask 0; exec "$@"`, "sh", cmd.Path}, cmd.Args[1:]...)
	cmd.Path = "/bin/sh"
	return cmd
}

// onlyOwner fails the test where other users may read or write files of the folders. It returns the
// names of these files.
func onlyOwner(t *testing.T, folders ...string) map[string]bool {
	t.Helper()
	seen := map[string]bool{}
	for _, folder := range folders {
		err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) || path == folder {
				return nil
			}
			info, err := d.Info()
			if err == nil && info.Mode().Perm()&0o077 != 0 {
				t.Errorf("%s is %v", path, info.Mode())
			}
			seen[filepath.Base(path)] = true
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return seen
}

// TestFilesAreTheUsersAlone: under any umask all files are for their owner only, from their
// creation on: the database, log, lock, socket, copies and exports.
func TestFilesAreTheUsersAlone(t *testing.T) {
	binary := harness.Program(t)
	base, fifth := harness.ServeUntilFifth(t, mockserver.RateLimitedIn(mockserver.RetryAfterSeconds, time.Hour))
	folder, runtime := t.TempDir(), t.TempDir()
	t.Setenv("XDG_RUNTIME_DIR", runtime)
	t.Setenv("XDG_STATE_HOME", filepath.Join(folder, "state"))
	start := func(args ...string) (*exec.Cmd, *bytes.Buffer) {
		cmd, output := harness.Command(t.Context(), binary, folder, base, args...)
		return anyUser(cmd), output
	}
	pull, output := start("pull", "--quiet", "--max-wait", "2h")
	if err := pull.Start(); err != nil {
		t.Fatal(err)
	}
	<-fifth
	// The query is endless, so its copy exists until the query is killed.
	reader, said := start("query", "--format", "csv", "FROM range(1000000000000)")
	reader.Stdout = nil
	in, err := reader.StdoutPipe()
	if err != nil || reader.Start() != nil {
		t.Fatal(err, said)
	}
	if _, err := in.Read(make([]byte, 1)); err != nil {
		t.Fatal(err, said)
	}
	// The log is among them, unless it was just written into the file for the copy.
	seen := onlyOwner(t, folder, runtime)
	for _, want := range []string{"datasync.duckdb", "datasync.duckdb.lock", "datasync.duckdb.socket", ".sock", "datasync.duckdb.snapshot-"} {
		found := false
		for name := range seen {
			found = found || strings.Contains(name, want)
		}
		if !found {
			t.Errorf("there is no %s among %v", want, seen)
		}
	}
	_ = reader.Process.Kill()
	_ = reader.Wait()
	_ = pull.Process.Kill()
	_ = pull.Wait()
	for _, args := range [][]string{
		{"status", "--recover"}, {"export", "--parquet", "a.parquet"}, {"export", "--csv", "a.csv.gz"}, {"export", "--jsonl", "lines", "--incremental"},
		{"export", "--parquet", "tree", "--partition-by", "day,type"}, {"query", "-o", "b.csv", "FROM events"},
	} {
		cmd, output := start(args...)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		for running := true; running; {
			onlyOwner(t, folder)
			select {
			case err := <-ended:
				if running = false; err != nil {
					t.Errorf("%v: %v, %s", args, err, output)
				}
			default:
			}
		}
	}
	if seen := onlyOwner(t, folder, runtime); !seen["a.parquet"] || !seen["a.csv.gz"] || !seen["lines"] || !seen["tree"] || !seen["b.csv"] {
		t.Errorf("written is %v", seen)
	}
	if output.Len() > 0 {
		t.Errorf("the pull said %s", output)
	}
}
