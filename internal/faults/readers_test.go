package faults

import (
	"crypto/sha256"
	"encoding/csv"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"datasync/internal/e2e/harness"
	"datasync/mockserver"
)

// hostile are statements that would read, write or reach anything but the database. DIR is a folder
// with a file "secret".
var hostile = []string{
	`SELECT * FROM read_text('/etc/passwd')`,
	`COPY events TO 'DIR/out.csv'`,
	`ATTACH 'DIR/other.duckdb' AS other`,
	`INSERT INTO meta VALUES ('a', 'b')`,
	`SELECT getenv('DATASYNC_API_KEY')`,
	`INSTALL httpfs`,
	`SET lock_configuration = false`,
	`SELECT 1; DROP TABLE events; SELECT 2`,
	`DROP TABLE events`,
	`CREATE TABLE t AS SELECT 1`,
	`CREATE OR REPLACE VIEW events_flat AS SELECT 1`,
	`DELETE FROM events; SELECT 1`,
	`UPDATE events SET type = 'x'`,
	`COPY (SELECT 1) TO '/dev/stdout'`,
	`COPY events TO 'DB' (FORMAT csv)`,
	`COPY events TO 'DB.wal'`,
	`EXPORT DATABASE 'DIR/out'`,
	`LOAD httpfs`,
	`LOAD 'DIR/secret'`,
	`SELECT * FROM 'DIR/secret'`,
	`SELECT * FROM read_csv('DIR/*')`,
	`SELECT * FROM read_blob('/proc/self/environ')`,
	`SELECT * FROM glob('/etc/*')`,
	`SELECT * FROM read_parquet('http://127.0.0.1:9/a.parquet')`,
	`SELECT * FROM read_json('https://example.invalid/a.json')`,
	`ATTACH 'http://127.0.0.1:9/a.duckdb' AS web`,
	`SET enable_external_access = true`,
	`SET allowed_directories = ['/']`,
	`SET temp_directory = 'DIR/tmp'`,
	`SET GLOBAL access_mode = 'read_write'`,
	`RESET enable_external_access`,
	`PRAGMA enable_checkpoint_on_shutdown; PRAGMA profiling_output = 'DIR/profile'`,
	`PRAGMA database_list; ATTACH 'DB' AS again`,
	`CREATE PERSISTENT SECRET s (TYPE http, BEARER_TOKEN 'x')`,
	`PREPARE p AS COPY events TO 'DIR/out'; EXECUTE p`,
	`BEGIN; INSERT INTO meta VALUES ('a', 'b'); COMMIT`,
	`CREATE TEMP TABLE t AS FROM read_text('DIR/secret')`,
	`EXPLAIN ANALYZE COPY events TO 'DIR/out'`,
	`SELECT * FROM query('FROM read_text(''DIR/secret'')')`,
	`IMPORT DATABASE 'DIR'`,
	`.shell touch DIR/out`,
}

// opens matches a system call in strace's output that names a file or makes a socket.
var opens = regexp.MustCompile(`\b(open|openat|openat2|creat|mkdir|mkdirat|rename|renameat|renameat2|unlink|unlinkat|link|linkat|symlink|symlinkat|truncate|mknod|mknodat|socket|connect)\((.*)`)

// TestStatementsThatAreRefused: each ends with one line and code 1. The database keeps each byte,
// and the program opened, wrote and created nothing else.
func TestStatementsThatAreRefused(t *testing.T) {
	t.Parallel()
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("strace is missing, which shows the opened files")
	}
	w := newWorld(t, mockserver.Options{})
	w.endsWith(w.run(command{Args: []string{"pull", "--quiet"}}), 0)
	dir := filepath.Join(filepath.Dir(w.Folder), "elsewhere")
	if err := errors.Join(os.Mkdir(dir, 0o700), os.WriteFile(filepath.Join(dir, "secret"), []byte("a,b\nsecret-of-a-file,2\n"), 0o600)); err != nil {
		t.Fatal(err)
	}
	before := w.bytes(dir)
	fill := strings.NewReplacer("DIR", dir, "DB", w.File)
	t.Run("all", func(t *testing.T) {
		for i, text := range harness.Some(hostile, 8) {
			t.Run(text, func(t *testing.T) {
				t.Parallel()
				log := filepath.Join(filepath.Dir(w.Folder), fmt.Sprint("strace", i))
				e := w.run(command{Program: strace, Args: []string{"-f", "-qq", "-o", log, "-e", "trace=%file,%net", "-E", "GOTRACEBACK=none", harness.Program(t), "query", fill.Replace(text)}})
				w.endsWith(e, 1)
				if strings.Contains(e.Out+e.Err, "secret-of-a-file") || strings.Contains(e.Out+e.Err, "root:") {
					t.Errorf("the output has the secret: %v", e)
				}
				calls, err := os.ReadFile(log)
				if err != nil || !strings.Contains(string(calls), w.File) {
					t.Fatalf("no calls: %v", err)
				}
				for line := range strings.Lines(string(calls)) {
					if m := opens.FindStringSubmatch(line); m != nil && !w.harmless(m[1], m[2]) {
						t.Errorf("a system call: %s", line)
					}
				}
			})
		}
	})
	if after := w.bytes(dir); after != before {
		t.Errorf("files changed from\n%s to\n%s", before, after)
	}
	w.verifies()
	w.hasAll()
}

// harmless reports whether a reader of the database may make that system call.
func (w *world) harmless(call, args string) bool {
	if call == "socket" || call == "connect" {
		return false
	}
	path := ""
	if _, rest, ok := strings.Cut(args, `"`); ok {
		path, _, _ = strings.Cut(rest, `"`)
	}
	if call != "open" && call != "openat" || strings.Contains(args, "O_CREAT") || strings.Contains(args, "O_TRUNC") {
		return false
	}
	switch {
	case strings.HasPrefix(path, w.File): // with its log, lock and socket
	case strings.HasPrefix(path, "/lib"), strings.HasPrefix(path, "/usr/lib"), strings.HasPrefix(path, "/etc/ld.so"), strings.HasPrefix(path, "/usr/share/zoneinfo"), path == "/etc/localtime":
	case strings.HasPrefix(path, "/sys/"), path == "/dev/null", path == "/proc/meminfo", path == "/proc/self/cgroup", path == "/proc/self/mountinfo", path == "/proc/self/maps", path == "/proc/cpuinfo", path == "/proc/sys/vm/overcommit_memory":
	default:
		return false
	}
	return strings.Contains(args, "O_RDONLY") || path == "/dev/null"
}

// bytes returns the contents of the files of these folders and of the program's.
func (w *world) bytes(folders ...string) string {
	w.Helper()
	var b strings.Builder
	for _, folder := range append(folders, w.Folder, w.home, w.temp, w.runtime) {
		err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
			if err != nil || !d.Type().IsRegular() {
				fmt.Fprintln(&b, path)
				return err
			}
			text, err := os.ReadFile(path)
			fmt.Fprintf(&b, "%s %x\n", path, sha256.Sum256(text))
			return err
		})
		if err != nil {
			w.Error(err)
		}
	}
	return b.String()
}

// TestAnEndlessQueryIsInterrupted: a query ends soon after a signal, within two seconds on an idle
// machine, whatever it is computing.
func TestAnEndlessQueryIsInterrupted(t *testing.T) {
	t.Parallel()
	w := newWorld(t, mockserver.Options{})
	w.endsWith(w.run(command{Args: []string{"pull", "--quiet"}}), 0)
	before := w.bytes()
	t.Run("all", func(t *testing.T) {
		for _, sql := range harness.Some([]string{
			"SELECT count(*) FROM events a, events b, events c, events d",
			"WITH RECURSIVE r(n) AS (SELECT 1::HUGEINT UNION ALL SELECT n + 1 FROM r) SELECT max(n) FROM r",
			"SELECT max(md5(a.range || '')) FROM range(100000000000) a",
			"SELECT count(*) FROM range(1000000) a WHERE regexp_matches(repeat('a', 30000 + a.range % 7), '(a*)*b')",
			"SELECT a.id FROM events a, events b, events c WHERE a.id::VARCHAR > b.id::VARCHAR ORDER BY c.id, a.id LIMIT 1",
			"FROM range(100000000000)", // reads its output
		}, 2) {
			for _, signal := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
				t.Run(fmt.Sprint(signal, " ", sql), func(t *testing.T) {
					t.Parallel()
					// The first statement's result shows that the second one begins.
					out, in, err := os.Pipe()
					if err != nil {
						t.Fatal(err)
					}
					r := w.start(command{Args: []string{"query", "SELECT repeat('begins', 20000) AS b; " + sql}, Stdout: in})
					_ = in.Close()
					b := make([]byte, 1<<16)
					for seen := 0; seen < 120_000; {
						n, err := out.Read(b)
						if err != nil {
							t.Fatal(err, r.wait())
						}
						seen += n
					}
					go func() {
						for _, err := out.Read(b); err == nil; _, err = out.Read(b) {
						}
					}()
					r.signal(signal)
					e := r.wait()
					w.endsWith(e, map[syscall.Signal]int{syscall.SIGINT: 130, syscall.SIGTERM: 143}[signal])
					_ = out.Close()
				})
			}
		}
	})
	if after := w.bytes(); after != before {
		t.Errorf("files changed from\n%s to\n%s", before, after)
	}
}

// TestAQueryComesFirstAfterAKill: the first reader of a killed pull's files sees whole batches and
// changes no byte.
func TestAQueryComesFirstAfterAKill(t *testing.T) {
	t.Parallel()
	const whole = "SELECT count(*) = (SELECT coalesce(sum(stored), 0) FROM page_log) AND count(*) = count(DISTINCT id) AS whole FROM events"
	for _, point := range harness.Some([]string{"f6:2", "f10:2", "f9:2", "f5:2", "f7:2", "f8:2", "f12:2", "f1:15"}, 3) {
		t.Run(point, func(t *testing.T) {
			t.Parallel()
			o := tcpPages()
			// Each page is a batch.
			o.Events.Latency, o.Feed.Latency = 300*time.Millisecond, 300*time.Millisecond
			o.Data.Events = 1500
			w := newWorld(t, o)
			e := w.run(command{Args: []string{"pull", "--quiet", "--workers", "1"}, Program: harness.FailpointProgram(w), Env: []string{"DATASYNC_FAILPOINT=" + point}})
			if e.Signal != syscall.SIGKILL && !strings.HasPrefix(point, "f9") && !strings.HasPrefix(point, "f11") {
				t.Fatalf("it was not killed: %v", e)
			}
			before := w.bytes()
			first := w.run(command{Args: []string{"query", whole}})
			w.endsWith(first, 0)
			if first.Out != "whole\ntrue\n" {
				t.Error(first)
			}
			for _, args := range [][]string{{"verify"}, {"status"}, {"export", "--csv", "-"}} {
				w.endsWith(w.run(command{Args: args}), 0)
			}
			if after := w.bytes(); after != before {
				t.Errorf("files changed from\n%s to\n%s", before, after)
			}
			w.recovers()
		})
	}
}

// TestTargetsOfExports: an existing file is kept unless --force is given. A target that is no
// regular file is never written to. An exported file is whole and readable by its owner only.
func TestTargetsOfExports(t *testing.T) {
	t.Parallel()
	w := newWorld(t, mockserver.Options{})
	w.endsWith(w.run(command{Args: []string{"pull", "--quiet"}}), 0)
	shm, err := os.MkdirTemp("/dev/shm", "df-")
	if err != nil {
		t.Skip("there is no other file system at /dev/shm")
	}
	t.Cleanup(func() { _ = os.RemoveAll(shm) })
	in := func(name string) string { return filepath.Join(w.Folder, name) }
	const old = "what was there"
	err = errors.Join(os.WriteFile(in("old"), []byte(old), 0o644), os.Symlink(in("old"), in("link")), os.Symlink(in("nothing"), in("dangling")),
		os.Symlink(shm, in("there")), os.Mkdir(in("folder"), 0o700), syscall.Mkfifo(in("fifo"), 0o600))
	if err != nil {
		t.Fatal(err)
	}
	w.Kept = append(w.Kept, in("old"), in("link"), in("dangling"), in("there"), in("folder"), in("fifo"))
	before := w.bytes(shm)
	for _, tc := range []struct {
		target string
		code   int
		says   string
	}{
		{"old", 2, "it exists; give --force to replace it"},
		{"link --force", 2, "it is a symbolic link"},
		{"dangling --force", 2, "it is a symbolic link"},
		{"folder", 2, "it is a folder"},
		{"folder --force", 2, "it is a folder"},
		{"fifo --force", 2, "it is not a regular file"},
		{"/dev/full", 2, "it is not a regular file"},
		{"/dev/full --force", 2, "it is not a regular file"},
		{"/dev/null --force", 2, "it is not a regular file"},
		{"nowhere/a", 2, "its folder does not exist"},
		{"s3://bucket/a", 2, "name a file on this machine"},
		{"datasync.duckdb --force", 2, "it is the database"},
		{"datasync.duckdb.wal", 2, "it is the database, or a file that belongs to it"},
		{"/sys/a", 2, ""}, // not even root may write there
		{"/proc/a", 2, ""},
	} {
		for _, format := range []string{"--csv", "--parquet", "--jsonl"} {
			e := w.run(command{Args: append([]string{"export", format}, strings.Fields(tc.target)...)})
			w.endsWith(e, tc.code)
			w.says(e, tc.says)
		}
		e := w.run(command{Args: append([]string{"query", "SELECT 1", "--format", "csv", "--output"}, strings.Fields(tc.target)...)})
		w.endsWith(e, tc.code)
		w.says(e, tc.says)
	}
	if after := w.bytes(shm); after != before {
		t.Errorf("files changed from\n%s to\n%s", before, after)
	}
	w.endsWith(w.run(command{Args: []string{"export", "--csv", "-"}, Redirect: ">/dev/full"}), 1)
	// Valid targets, also on another file system, and in place of an existing file.
	for _, args := range []string{"there/a.csv", "old --force", filepath.Join(shm, "b.csv")} {
		w.endsWith(w.run(command{Args: append([]string{"export", "--quiet", "--csv"}, strings.Fields(args)...)}), 0)
		path, _, _ := strings.Cut(args, " ")
		if !filepath.IsAbs(path) {
			path = in(path)
		}
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", path, info, err)
		}
		if rows := csvRows(t, path); len(rows) != 3001 {
			t.Errorf("%s: %d rows", path, len(rows))
		}
	}
	if files, err := os.ReadDir(shm); err != nil || len(files) != 2 {
		t.Errorf("%v are in the other file system, %v", files, err)
	}
	w.isWhole()
}

func csvRows(t *testing.T, path string) [][]string {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	rows, err := csv.NewReader(f).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// TestExportOfAnIncompletePull: the export has the stored events, and the program says that it is
// partial.
func TestExportOfAnIncompletePull(t *testing.T) {
	t.Parallel()
	w := newWorld(t, tcpPages())
	h := w.hold(8, command{Args: []string{"pull", "--workers", "1"}})
	h.signal(syscall.SIGTERM)
	w.endsWith(h.wait(), 143)
	h.letGo()
	stored := w.stored()
	e := w.run(command{Args: []string{"export", "--csv", "a.csv"}})
	w.endsWith(e, 0)
	w.says(e, "partial: the pull is not complete", "run datasync pull for the rest")
	path := filepath.Join(w.Folder, "a.csv")
	if rows := csvRows(t, path); stored == 0 || stored >= 3000 || len(rows) != stored+1 {
		t.Errorf("%d rows of %d events", len(rows)-1, stored)
	}
	w.Kept = append(w.Kept, path)
	w.recovers()
	if e := w.run(command{Args: []string{"export", "--csv", "a.csv", "--force"}}); e.Code != 0 || strings.Contains(e.Err, "partial") {
		t.Error(e)
	}
	if rows := csvRows(t, path); len(rows) != w.stored()+1 {
		t.Errorf("%d rows", len(rows)-1)
	}
}

// TestExportTwice: the second export equals the first, and both equal the rows of a query.
func TestExportTwice(t *testing.T) {
	t.Parallel()
	w := newWorld(t, tcpPages())
	w.endsWith(w.run(command{Args: []string{"pull", "--quiet"}}), 0)
	sums := map[string]string{}
	for _, format := range []string{"parquet", "csv", "jsonl"} {
		for _, options := range []string{"", "--partition-by day", "--file-size 1MB"} {
			if options != "" && format != "parquet" {
				continue
			}
			for try := range 2 {
				target := filepath.Join(w.Folder, fmt.Sprint("out", try))
				w.endsWith(w.run(command{Args: append([]string{"export", "--quiet", "--" + format, target}, strings.Fields(options)...)}), 0)
				var sum strings.Builder
				err := filepath.WalkDir(target, func(path string, d fs.DirEntry, err error) error {
					if err != nil || d.IsDir() {
						return err
					}
					text, err := os.ReadFile(path)
					fmt.Fprintf(&sum, "%s %x\n", strings.TrimPrefix(path, target), sha256.Sum256(text))
					return err
				})
				if format == "csv" {
					w.agree(csvRows(t, target))
				}
				if err := errors.Join(err, os.RemoveAll(target), os.RemoveAll(target+".manifest.json")); err != nil {
					t.Fatal(err)
				}
				if before, ok := sums[format+options]; ok && before != sum.String() {
					t.Errorf("%s %s: %s, before %s", format, options, sum.String(), before)
				}
				sums[format+options] = sum.String()
			}
		}
	}
	w.isWhole()
}

// agree fails the test where the rows of an export are not those of a query.
func (w *world) agree(rows [][]string) {
	w.Helper()
	got, want := slices.Clone(rows[1:]), w.query(`SELECT id, session_id, type FROM events`)[1:]
	for i, row := range got {
		got[i] = []string{row[0], row[1], row[3]}
	}
	slices.SortFunc(got, slices.Compare[[]string])
	slices.SortFunc(want, slices.Compare[[]string])
	if !slices.EqualFunc(got, want, slices.Equal[[]string]) {
		w.Errorf("the export has %d rows that are not the query's %d", len(got), len(want))
	}
}
