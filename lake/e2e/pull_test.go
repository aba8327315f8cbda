package e2e_test

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"datasync/internal/model"

	"datasync/lake/laketest"
)

// TestPulledFile exports the file of a real pull, twice.
func TestPulledFile(t *testing.T) {
	whole(t)
	folder := t.TempDir()
	program := filepath.Join(folder, "datasync")
	build := exec.Command("go", "build", "-o", program, ".")
	build.Dir = filepath.Join("..", "..")
	if text, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	both(t, func(t *testing.T, k kind) {
		folder := t.TempDir()
		pull := exec.Command(program, "pull", "--demo", "--demo-events", "3000", "--quiet")
		pull.Dir, pull.Env = folder, append(os.Environ(), "HOME="+folder)
		if text, err := pull.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, text)
		}
		files, err := filepath.Glob(filepath.Join(folder, "*.duckdb"))
		if err != nil || len(files) != 1 {
			t.Fatalf("the pull made %v, %v", files, err)
		}
		f := laketest.File{Path: files[0]}
		var events int64
		f.Row(t, "SELECT (SELECT value FROM meta WHERE key = 'origin'), (SELECT count(*) FROM events)", &f.Origin, &events)
		r := k.done(t, k.plan(t, f, "pulled.file"))
		if r.Events.Rows != events || events == 0 {
			t.Errorf("the table has %d rows, and the file %d", r.Events.Rows, events)
		}
		k.equal(t, "pulled.file", f)
		if r := k.done(t, k.plan(t, f, "pulled.file")); r.Events.Added != 0 {
			t.Errorf("a second export added %+v", r.Events)
		}
	})
}

// TestSignalAtEachRequest ends exports by SIGTERM at each of their requests.
func TestSignalAtEachRequest(t *testing.T) {
	whole(t)
	both(t, func(t *testing.T, k kind) {
		f := laketest.NewFile(t, "http://a.test:80")
		const table = "signal.each"
		last := 14
		if !k.rest() {
			last = 24
		}
		for n := 1; n <= last; n++ {
			f.Add(t, 1, 20, 1)
			plan := k.plan(t, f, table)
			a := k.signalAt(t, plan, n)
			if a.Code != 0 && (a.Code != 143 || a.Error == nil || a.Error.Code != 143) {
				t.Fatalf("at request %d: code %d, error %+v", n, a.Code, a.Error)
			}
			if k.exists(t, table) {
				k.equal(t, table, f)
			}
		}
		k.done(t, k.plan(t, f, table))
		k.equal(t, table, f)
		if left := k.sweep(t, f, table); len(left) > 0 {
			t.Errorf("%d files are left, such as %s", len(left), left[0])
		}
	})
}

// signalAt sends SIGTERM to an export at its nth request, which the service gets.
func (k kind) signalAt(t *testing.T, plan model.LakePlan, n int) laketest.Answer {
	t.Helper()
	v := victim{started: make(chan struct{})}
	q := requests{at: func(i int, _ *http.Request) laketest.Fault {
		if i == n {
			<-v.started
			_ = v.process.Process.Signal(syscall.SIGTERM) // it may have ended by itself
		}
		return laketest.None
	}}
	k.via(t, &plan, q.decide)
	return v.run(t, k, plan)
}
