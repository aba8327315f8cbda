package lakerun_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"datasync/internal/dbfile"
	"datasync/internal/lakerun"
	"datasync/internal/model"
)

// folder has the built child as datasync-lake, for all tests.
var folder string

func TestMain(m *testing.M) {
	var err error
	if folder, err = os.MkdirTemp("", "lakerun-"); err == nil {
		folder, err = filepath.EvalSymlinks(folder)
	}
	if err == nil {
		var out []byte
		if out, err = exec.Command("go", "build", "-o", filepath.Join(folder, "datasync-lake"), "./testdata/child").CombinedOutput(); err != nil {
			err = fmt.Errorf("%w: %s", err, out)
		}
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(folder)
	os.Exit(code)
}

var own = lakerun.Build{Version: "1.2.3", Commit: "0123456789abcdef"}

// find finds the child.
func find(t *testing.T) lakerun.Program {
	t.Helper()
	t.Setenv("CHILD_VERSION", `{"version": "1.2.3", "commit": "0123456789abcdef", "modified": true}`)
	p, err := lakerun.Find(t.Context(), filepath.Join(folder, "datasync"), "", own)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestFind(t *testing.T) {
	child := filepath.Join(folder, "datasync-lake")
	empty, other := t.TempDir(), t.TempDir()
	link := filepath.Join(other, "datasync")
	if err := errors.Join(os.Symlink(filepath.Join(folder, "datasync"), link), os.WriteFile(filepath.Join(folder, "datasync"), nil, 0o700)); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(empty, "datasync-lake"), nil, 0o600); err != nil { // not executable
		t.Fatal(err)
	}
	released := filepath.Join(other, "datasync-linux-amd64")
	if err := errors.Join(os.WriteFile(released, nil, 0o700), os.Symlink(child, filepath.Join(other, "datasync-lake-linux-amd64"))); err != nil {
		t.Fatal(err)
	}
	const same = `{"version": "1.2.3", "commit": "0123456789abcdef"}`
	for _, tc := range []struct {
		name, self, folders, version string
		kind                         error
		says                         []string
	}{
		{"beside", filepath.Join(folder, "datasync"), "", same, nil, nil},
		{"beside the target of a link", link, "", same, nil, nil},
		{"of a release", released, "", same, nil, nil},
		{"on PATH", filepath.Join(empty, "datasync"), empty + ":" + folder, same, nil, nil},
		{"of no known commit", filepath.Join(folder, "datasync"), "", `{"version": "1.2.3"}`, nil, nil},
		{"nowhere", filepath.Join(empty, "datasync"), empty + ":/no/such/folder", same, lakerun.ErrMissing, []string{empty, "PATH", "make build"}},
		{"in a relative folder", filepath.Join(empty, "datasync"), "." + strings.Repeat("/..", 30) + folder, same, lakerun.ErrMissing, []string{"make build"}},
		{"another version", filepath.Join(folder, "datasync"), "", `{"version": "1.2.4"}`, lakerun.ErrOther, []string{child, "1.2.4", "1.2.3", "make build"}},
		{"another commit", filepath.Join(folder, "datasync"), "", `{"version": "1.2.3", "commit": "fedcba9876543210"}`, lakerun.ErrOther, []string{"fedcba987654,", "0123456789ab;", "make build"}},
		{"another program", filepath.Join(folder, "datasync"), "", "hello", lakerun.ErrOther, []string{child, "does not say its version", "make build"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Setenv("CHILD_VERSION", tc.version)
			_, err := lakerun.Find(t.Context(), tc.self, tc.folders, own)
			if !errors.Is(err, tc.kind) || (err == nil) != (tc.kind == nil) {
				t.Fatalf("%v, want %v", err, tc.kind)
			}
			for _, part := range tc.says {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%v does not say %q", err, part)
				}
			}
			if err != nil && (model.ExitOf(err) != model.Exit{Code: model.ExitError, Topic: "lake"} || strings.Contains(err.Error(), "\n")) {
				t.Errorf("%q: %+v", err, model.ExitOf(err))
			}
		})
	}
}

func TestRun(t *testing.T) {
	p := find(t)
	var said []string
	watch := lakerun.Watch{
		Progress: func(p model.LakeProgress) { said = append(said, fmt.Sprint(p.Step, p.Done, p.Total)) },
		Warning:  func(text string) { said = append(said, text) },
	}
	result, err := p.Run(t.Context(), model.LakePlan{Name: "works"}, watch)
	if err != nil || result.Files != 7 || strings.Join(said, ", ") != "copy1 2, look" {
		t.Errorf("%+v, %v, %q", result, err, said)
	}
	if result, err = p.Run(t.Context(), model.LakePlan{Name: "works"}, lakerun.Watch{}); err != nil || result.Files != 7 {
		t.Errorf("unwatched: %+v, %v", result, err)
	}
}

// TestEnvironment: the program gets what its libraries read, and not the key of the API.
func TestEnvironment(t *testing.T) {
	p := find(t)
	t.Setenv("DATASYNC_API_KEY", "ds_test_key")
	t.Setenv("CHILD_SECRET", "mine")
	var said string
	_, err := p.Run(t.Context(), model.LakePlan{Name: "environment"}, lakerun.Watch{Warning: func(text string) { said = text }})
	if err != nil || said != "false mine" {
		t.Errorf("%q, %v", said, err)
	}
}

func TestFailures(t *testing.T) {
	p := find(t)
	for _, tc := range []struct {
		child string
		kind  error
		exit  model.Exit
		says  []string
	}{
		{"fails", nil, model.Exit{Code: model.ExitData, Topic: "lake"}, []string{"no bucket"}},
		{"locked", dbfile.ErrLocked, model.Exit{Code: model.ExitFile, Topic: "locked"}, []string{"locked"}},
		{"dies", lakerun.ErrEnded, model.Exit{Code: model.ExitError, Topic: "lake"}, []string{"exit status 2", `"last words"`}},
		{"silent", lakerun.ErrEnded, model.Exit{Code: model.ExitError, Topic: "lake"}, []string{"without a result"}},
		{"killed", lakerun.ErrEnded, model.Exit{Code: model.ExitError, Topic: "lake"}, []string{"killed", "--memory-limit"}},
		{"result, then dies", lakerun.ErrEnded, model.Exit{Code: model.ExitError, Topic: "lake"}, []string{"exit status 3"}},
		{"garbage", lakerun.ErrEnded, model.Exit{Code: model.ExitError, Topic: "lake"}, []string{`"not JSON"`}},
	} {
		t.Run(tc.child, func(t *testing.T) {
			result, err := p.Run(t.Context(), model.LakePlan{Name: tc.child}, lakerun.Watch{})
			if result != nil || err == nil || model.ExitOf(err) != tc.exit || tc.kind != nil && !errors.Is(err, tc.kind) || strings.Contains(err.Error(), "\n") {
				t.Fatalf("%+v, %v", result, err)
			}
			if errors.Is(err, dbfile.ErrMissing) {
				t.Errorf("%v is about a missing file", err)
			}
			for _, part := range tc.says {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("%v does not say %q", err, part)
				}
			}
		})
	}
}

// stopped is the cause of a context's end by a signal.
type stopped int

func (s stopped) Error() string { return "stopped" }

func (s stopped) Exit() model.Exit { return model.Exit{Code: int(s)} }

// TestStop: the program ends with its context: by the end of its input, by the signal, or else by force.
func TestStop(t *testing.T) {
	p := find(t)
	for _, tc := range []struct {
		child    string
		cause    error
		patience time.Duration
		signal   string
	}{
		{"until the end of its input", errors.New("enough"), time.Hour, ""},
		{"signal", stopped(130), time.Hour, "interrupt"},
		{"signal", stopped(143), time.Hour, "terminated"},
		{"ignores everything", stopped(143), time.Nanosecond, ""},
	} {
		t.Run(fmt.Sprint(tc.child, tc.signal), func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "signal")
			t.Setenv("CHILD_SIGNAL", file)
			ctx, cancel := context.WithCancelCause(t.Context())
			_, err := p.Run(ctx, model.LakePlan{Name: tc.child}, lakerun.Watch{Patience: tc.patience, Progress: func(model.LakeProgress) { cancel(tc.cause) }})
			if !errors.Is(err, tc.cause) {
				t.Errorf("%v, want %v", err, tc.cause)
			}
			if got, _ := os.ReadFile(file); string(got) != tc.signal {
				t.Errorf("signal %q, want %q", got, tc.signal)
			}
		})
	}
}
