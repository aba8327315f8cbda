package cli_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
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

// TestAnotherProgramHoldsTheFile: all commands name the process that holds the file, and none sends
// a request.
func TestAnotherProgramHoldsTheFile(t *testing.T) {
	t.Parallel()
	binary := harness.Program(t)
	s, base := harness.Serve(t, mockserver.Options{Data: mockserver.DataOptions{Events: 100}})
	folder := t.TempDir()
	path := filepath.Join(folder, "datasync.duckdb")
	if r := harness.Run(t.Context(), t, binary, folder, base, "pull", "--quiet"); r.Code != 0 {
		t.Fatal(r)
	}
	requests := len(s.Log())
	for how, commands := range map[string]map[string]int{
		"write": {"query|SELECT 1": 6, "verify": 6, "status": 6, "export|--force|--parquet|a.parquet": 6, "pull": 6, "status|--recover": 6},
		"read":  {"query|SELECT 1": 0, "verify": 0, "status": 0, "export|--force|--parquet|a.parquet": 0, "pull": 6, "status|--recover": 0},
	} {
		pid, letGo, err := harness.Hold(t, path, how)
		if err != nil {
			t.Fatal(err)
		}
		for command, code := range commands {
			r := harness.Run(t.Context(), t, binary, folder, base, strings.Split(command, "|")...)
			if r.Code != code || code == 6 && (!strings.Contains(r.Err, fmt.Sprint("process ", pid, " ")) || strings.Count(r.Err, "\n") != 1) {
				t.Errorf("%s, process %d %ss: %+v, want exit %d", command, pid, how, r, code)
			}
		}
		letGo()
	}
	if n := len(s.Log()); n != requests {
		t.Errorf("%d requests were sent", n-requests)
	}
	if r := harness.Run(t.Context(), t, binary, folder, base, "pull", "--quiet"); r.Code != 0 {
		t.Error(r)
	}
}

// TestStatusOfARunningPull: the pull answers status with its progress.
func TestStatusOfARunningPull(t *testing.T) {
	binary := harness.Program(t)
	base, fifth := harness.ServeUntilFifth(t, mockserver.RateLimitedIn(mockserver.RetryAfterSeconds, time.Hour))
	folder := t.TempDir()
	path := filepath.Join(folder, "datasync.duckdb")
	pull, output := harness.Command(t.Context(), binary, folder, base, "pull", "--quiet", "--max-wait", "2h")
	if err := pull.Start(); err != nil {
		t.Fatal(err)
	}
	<-fifth
	// A batch is committed within a second.
	var status struct {
		Stored     int
		Complete   bool
		LockHolder struct {
			PID     int
			Writing bool
		} `json:"lock_holder"`
		Runs []struct{ Outcome string }
		Pull *struct {
			PID     int
			Read    int
			Total   int
			Waiting string `json:"waiting_for"`
			Why     string
			Until   time.Time
		}
	}
	harness.Await(t, "the pull waits", func() bool {
		r := harness.Run(t.Context(), t, binary, folder, base, "status", "--json")
		if err := json.Unmarshal([]byte(r.Out), &status); err != nil || r.Code != 0 || r.Err != "" {
			t.Fatalf("%+v, %v", r, err)
		}
		return status.Stored == 400 && status.Pull != nil && status.Pull.Waiting != ""
	})
	if p := status.Pull; status.Complete || status.LockHolder.PID != pull.Process.Pid || !status.LockHolder.Writing || status.Runs[0].Outcome != "running" ||
		p.PID != pull.Process.Pid || p.Read != 400 || p.Total != 2000 || p.Why != "429" || p.Until.Before(time.Now()) {
		t.Errorf("%+v; the pull is %d", status, pull.Process.Pid)
	}
	pid := fmt.Sprint(pull.Process.Pid)
	for args, want := range map[string][]string{
		"status":               {"no, process " + pid + " pulls: 20 %", "about 1,600 of 2,000 at the API", "waiting   events: 429, until "},
		"status|--rejected":    {"no, process " + pid + " pulls: 20 %"},
		"query|FROM events":    {"as of batch ", "(400 events)"},
		"verify":               {"as of batch ", "sound: the file agrees", "fingerprint: 400 events"},
		"export|--parquet|a.p": {"as of batch ", "wrote 400 events", "partial: the pull is not complete; about 1,600 of 2,000 events are still to fetch; a pull is running: export again when it has ended (datasync explain incomplete)\n"},
	} {
		r := harness.Run(t.Context(), t, binary, folder, base, strings.Split(args, "|")...)
		for _, text := range want {
			if r.Code != 0 || !strings.Contains(r.Out+r.Err, text) {
				t.Errorf("%s: %+v, want %q", args, r, text)
			}
		}
	}
	for args, want := range map[string]struct {
		code int
		text string
	}{
		"status|--max-age|1h": {1, "no pull has been complete yet"},
		"pull|--quiet":        {6, "another pull is running: process " + pid},
		"status|--recover":    {6, "another pull is running: process " + pid},
	} {
		if r := harness.Run(t.Context(), t, binary, folder, base, strings.Split(args, "|")...); r.Code != want.code || !strings.Contains(r.Err, want.text) {
			t.Errorf("%s: %+v, want %+v", args, r, want)
		}
	}
	// The copies did not cost the pull its lock.
	for _, how := range []string{"read", "write"} {
		if _, _, err := harness.Hold(t, path, how); err == nil || !strings.Contains(err.Error(), "lock") {
			t.Errorf("another program opened the file to %s: %v", how, err)
		}
	}
	if err := pull.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if _ = pull.Wait(); pull.ProcessState.ExitCode() != 143 {
		t.Errorf("exit %d: %s", pull.ProcessState.ExitCode(), output)
	}
	if r := harness.Run(t.Context(), t, binary, folder, base, "status", "--json"); r.Code != 0 || !strings.Contains(r.Out, `"pull": null`) {
		t.Errorf("%+v", r)
	}
	_ = os.Remove(filepath.Join(folder, "a.p"))
	harness.OnlyDatabase(t, folder, output.Bytes())
}

// TestReadersLeaveTheLogAlone: readers see the commits of a killed pull and change no byte of its
// files.
func TestReadersLeaveTheLogAlone(t *testing.T) {
	binary := harness.Program(t)
	base, fifth := harness.ServeUntilFifth(t, mockserver.Hang())
	folder := t.TempDir()
	pull, _ := harness.Command(t.Context(), binary, folder, base, "pull", "--quiet")
	if err := pull.Start(); err != nil {
		t.Fatal(err)
	}
	<-fifth
	path := filepath.Join(folder, "datasync.duckdb")
	harness.Await(t, "the first batch is committed", func() bool {
		return harness.Run(t.Context(), t, binary, folder, base, "query", "SELECT count(*) AS n FROM events").Out == "n\n400\n"
	})
	_ = pull.Process.Kill()
	_ = pull.Wait()
	// A copy brought the log into the file. Later commits are in the log.
	if r := harness.Run(t.Context(), t, binary, folder, base, "query", "SELECT outcome FROM runs"); r.Out != "outcome\nrunning\n" {
		t.Errorf("%+v", r)
	}
	harness.Change(t, path, "PRAGMA disable_checkpoint_on_shutdown; INSERT INTO events SELECT * REPLACE (uuid() AS id) FROM events LIMIT 7; UPDATE page_log SET stored = stored + 7, returned = returned + 7 WHERE rowid = 0")
	sums := func() (sums [2][sha256.Size]byte) {
		for i, name := range []string{path, path + ".wal"} {
			b, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			sums[i] = sha256.Sum256(b)
		}
		return sums
	}
	before := sums()
	for args, want := range map[string]string{
		"query|SELECT count(*) AS n FROM events": "n\n407\n", "status": "407", "verify": "407", "export|--parquet|a.parquet": "407",
	} {
		if r := harness.Run(t.Context(), t, binary, folder, base, strings.Split(args, "|")...); !strings.Contains(r.Out+r.Err, want) {
			t.Errorf("%s: %+v, want %q", args, r, want)
		}
	}
	if sums() != before {
		t.Error("a reader has changed the file or its log")
	}
	if r := harness.Run(t.Context(), t, binary, folder, base, "status", "--recover"); r.Code != 0 || !strings.Contains(r.Err, "recovered: the write-ahead log of ") || !strings.Contains(r.Out, "407") {
		t.Errorf("%+v", r)
	}
	if _, err := os.Stat(path + ".wal"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the log is still there: %v", err)
	}
	if r := harness.Run(t.Context(), t, binary, folder, base, "status", "--recover"); r.Code != 0 || !strings.Contains(r.Err, "nothing to recover") {
		t.Errorf("%+v", r)
	}
	// an entry that has to be replayed before the file can be read
	harness.Change(t, path, "PRAGMA disable_checkpoint_on_shutdown; CREATE INDEX i ON events (type)")
	for _, args := range []string{"query|SELECT 1", "status", "verify", "export|--parquet|b.parquet", "pull"} {
		if r := harness.Run(t.Context(), t, binary, folder, base, strings.Split(args, "|")...); r.Code != 6 || !strings.Contains(r.Err, "run datasync status --recover") || strings.Count(r.Err, "\n") != 1 {
			t.Errorf("%s: %+v", args, r)
		}
	}
	if r := harness.Run(t.Context(), t, binary, folder, base, "status", "--recover", "--json"); r.Code != 0 || !strings.Contains(r.Out, `"stored": 407`) {
		t.Errorf("%+v", r)
	}
	if r := harness.Run(t.Context(), t, binary, folder, base, "query", "SELECT count(*) AS n FROM events"); r.Out != "n\n407\n" {
		t.Errorf("%+v", r)
	}
}

// TestPullsThatCannotAnswer: a pull without a socket continues and says so once. Readers are told
// which process holds the file.
func TestPullsThatCannotAnswer(t *testing.T) {
	t.Parallel()
	binary := harness.Program(t)
	base, fifth := harness.ServeUntilFifth(t, mockserver.Hang())
	folder := t.TempDir()
	// The name of the file that names the socket is taken.
	taken := filepath.Join(folder, "datasync.duckdb.socket")
	if err := os.MkdirAll(filepath.Join(taken, "x"), 0o700); err != nil {
		t.Fatal(err)
	}
	pull, output := harness.Command(t.Context(), binary, folder, base, "pull")
	if err := pull.Start(); err != nil {
		t.Fatal(err)
	}
	<-fifth
	var readers sync.WaitGroup // all of them first wait for an answer
	for _, args := range []string{"query|SELECT 1", "verify", "export|--parquet|a.parquet", "status"} {
		readers.Go(func() {
			r := harness.Run(t.Context(), t, binary, folder, base, strings.Split(args, "|")...)
			if r.Code != 6 || !strings.Contains(r.Err, fmt.Sprint("process ", pull.Process.Pid, " (datasync) has it open")) {
				t.Errorf("%s: %+v", args, r)
			}
		})
	}
	readers.Wait()
	if err := pull.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if _ = pull.Wait(); pull.ProcessState.ExitCode() != 130 || strings.Count(output.String(), "other commands cannot read this file during the pull") != 1 {
		t.Errorf("exit %d: %s", pull.ProcessState.ExitCode(), output)
	}
}

// TestRuntimeFoldersThatCannotBeUsed: the socket has fallback folders, and the database's path may
// have any length.
func TestRuntimeFoldersThatCannotBeUsed(t *testing.T) {
	binary := harness.Program(t)
	long := filepath.Join(t.TempDir(), strings.Repeat("l", 200))
	if err := os.Mkdir(long, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, runtime := range map[string]string{"none": "", "missing": "/nowhere/at/all", "long": long, "a file": "/dev/null", "relative": "."} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("XDG_RUNTIME_DIR", runtime)
			base, fifth := harness.ServeUntilFifth(t, mockserver.Hang())
			folder := filepath.Join(t.TempDir(), strings.Repeat("d", 200), strings.Repeat("e", 200))
			if err := os.MkdirAll(folder, 0o700); err != nil {
				t.Fatal(err)
			}
			pull, output := harness.Command(t.Context(), binary, folder, base, "pull", "--quiet")
			if err := pull.Start(); err != nil {
				t.Fatal(err)
			}
			<-fifth
			if r := harness.Run(t.Context(), t, binary, folder, base, "query", "SELECT 7 AS n"); r.Code != 0 || r.Out != "n\n7\n" || !strings.Contains(r.Err, "as of batch") {
				t.Errorf("%+v", r)
			}
			_ = pull.Process.Signal(syscall.SIGTERM)
			if _ = pull.Wait(); pull.ProcessState.ExitCode() != 143 || strings.Contains(output.String(), "socket") {
				t.Errorf("exit %d: %s", pull.ProcessState.ExitCode(), output)
			}
			harness.OnlyDatabase(t, folder, output.Bytes())
		})
	}
}

// TestTooLittleDiskForACopy: a reader says so before it copies anything, and the pull continues.
func TestTooLittleDiskForACopy(t *testing.T) {
	binary := harness.Program(t)
	base, fifth := harness.ServeUntilFifth(t, mockserver.Hang())
	folder := t.TempDir()
	const script = `mount -t tmpfs -o size=12m tmpfs "$1" || exit 77
		cd "$1" && "$2" pull --quiet & pull=$!
		cd "$1"; read go
		"$2" query "SELECT 1"; echo "query $?" >&2
		"$2" export --parquet a.parquet; echo "export $?" >&2
		"$2" status >&2; echo "status $?" >&2
		kill -TERM $pull; wait $pull; echo "pull $?" >&2
		"$2" query "SELECT count(*) AS n FROM events"; ls -A`
	cmd := exec.CommandContext(t.Context(), "unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script, "sh", folder, binary)
	cmd.Env = append(os.Environ(), "DATASYNC_API_KEY=ds_test_canary", "DATASYNC_BASE_URL="+base)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Start(); err != nil {
		t.Skipf("no namespaces here: %v", err)
	}
	failed := make(chan error, 1)
	go func() { failed <- cmd.Wait() }()
	select {
	case err := <-failed:
		t.Skipf("no namespaces here: %v: %s", err, stderr.String())
	case <-fifth:
	}
	_, _ = in.Write([]byte("go\n"))
	<-failed
	if stdout.String() != "n\n400\ndatasync.duckdb\n" {
		t.Errorf("stdout %q", stdout.String())
	}
	for _, want := range []string{
		`too little disk space for a copy: \d+ MiB are needed, \d+ MiB are free; free some space, or wait for the pull to end \(datasync explain disk-full\)\nquery 6\n`,
		`are free; free some space, or wait for the pull to end \(datasync explain disk-full\)\nexport 6\n`, `(?s)no, process \d+ pulls: .*\nstatus 0\n`, `pull 143\n`,
	} {
		if !regexp.MustCompile(want).MatchString(stderr.String()) {
			t.Errorf("stderr %q, want %s", stderr.String(), want)
		}
	}
}
