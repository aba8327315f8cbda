package live_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"datasync/internal/live"
	"datasync/internal/model"
)

// fake is a database whose copies are small files.
type fake struct {
	path    string
	changes atomic.Int64
	copies  atomic.Int64
	fail    atomic.Pointer[error]
}

func (f *fake) Changes() int64 { return f.changes.Load() }

func (f *fake) Status(context.Context) (any, error) {
	if err := f.fail.Load(); err != nil {
		return nil, *err
	}
	return map[string]int64{"changes": f.changes.Load()}, nil
}

func (f *fake) Snapshot(context.Context) (live.Snapshot, error) {
	if err := f.fail.Load(); err != nil {
		return live.Snapshot{}, *err
	}
	n := f.copies.Add(1)
	s := live.Snapshot{Path: fmt.Sprintf("%s.copy%d", f.path, n), Batch: n, Events: 10 * n, Change: f.changes.Load()}
	return s, os.WriteFile(s.Path, nil, 0o600)
}

func isCopy(database, path string) bool { return strings.HasPrefix(path, database+".copy") }

// serve serves a database in a new folder, until stop is called or the test ends.
func serve(t testing.TB) (db *fake, stop func()) {
	t.Helper()
	db = &fake{path: filepath.Join(t.TempDir(), "a.duckdb")}
	return db, serveAt(t, db, live.Folders(runtimeFolder(t), ""))
}

func serveAt(t testing.TB, db *fake, folders []string) (stop func()) {
	t.Helper()
	return serveDatabase(t, db, db.path, folders, hang)
}

// serveDatabase serves clients that may take the duration patience to send their request.
func serveDatabase(t testing.TB, db live.Database, path string, folders []string, patience time.Duration) (stop func()) {
	t.Helper()
	s, err := live.Listen(path, folders)
	if err != nil {
		t.Fatal(err)
	}
	live.SetClientTimeout(s, patience)
	live.SetHeartbeat(s, 10*time.Millisecond)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan struct{})
	go func() { s.Serve(ctx, db); close(ended) }()
	stop = func() { cancel(); <-ended }
	t.Cleanup(stop)
	return stop
}

// runtimeFolder returns a folder with a short path, because the path of a socket must be short.
func runtimeFolder(t testing.TB) string {
	t.Helper()
	folder, err := os.MkdirTemp("/tmp", "live")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	return folder
}

// dial connects to the socket that the file beside the database names.
func dial(t testing.TB, db *fake) net.Conn {
	t.Helper()
	name, err := os.ReadFile(db.path + ".socket")
	if err != nil {
		t.Fatal(err)
	}
	conn, err := net.Dial("unix", strings.TrimSpace(string(name)))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func borrow(t *testing.T, db *fake) *live.Lease {
	t.Helper()
	l, err := live.Borrow(t.Context(), db.path, isCopy)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// until waits for something that another goroutine does.
func until(t testing.TB, what string, happened func() bool) {
	t.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for limit := time.After(hang); !happened(); {
		select {
		case <-limit:
			t.Fatalf("%s: that does not happen", what)
		case <-tick.C:
		}
	}
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

func TestStatus(t *testing.T) {
	db, stop := serve(t)
	db.changes.Store(7)
	var status struct{ Changes int64 }
	if err := live.Status(t.Context(), db.path, &status); err != nil || status.Changes != 7 {
		t.Errorf("%+v, %v", status, err)
	}
	why := errors.New("database \"x\" cannot say")
	db.fail.Store(&why)
	var refused *live.RefusedError
	if err := live.Status(t.Context(), db.path, &status); !errors.As(err, &refused) || err.Error() != why.Error() {
		t.Errorf("%v, want %v", err, why)
	}
	if _, err := live.Borrow(t.Context(), db.path, isCopy); !errors.As(err, &refused) || err.Error() != why.Error() {
		t.Errorf("%v, want %v", err, why)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := live.Status(ctx, db.path, &status); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	stop()
	if err := live.Status(t.Context(), db.path, &status); !errors.Is(err, live.ErrNoPull) {
		t.Error(err)
	}
}

// TestRefusalsCrossWithCodeAndTopic: a reader learns from the pull's answer how the error ends
// the program. It still understands an older pull, which sends the text alone.
func TestRefusalsCrossWithCodeAndTopic(t *testing.T) {
	db, _ := serve(t)
	full := model.NewFailure(model.ExitFile, "disk-full", "too little disk space")
	var status struct{}
	for _, tc := range []struct {
		err  error
		want model.Exit
	}{
		{&model.FileError{Path: "a.duckdb", Kind: full}, model.Exit{Code: model.ExitFile, Topic: "disk-full"}},
		{&model.FileError{Path: "a.duckdb", Cause: errors.New("EIO")}, model.Exit{Code: model.ExitFile}},
		{errors.New("of no kind"), model.Exit{Code: model.ExitFile}},
	} {
		db.fail.Store(&tc.err)
		err := live.Status(t.Context(), db.path, &status)
		_, errCopy := live.Borrow(t.Context(), db.path, isCopy)
		for _, err := range []error{err, errCopy} {
			if got := model.ExitOf(err); got != tc.want || err.Error() != tc.err.Error() {
				t.Errorf("%v: %+v, want %v: %+v", err, got, tc.err, tc.want)
			}
		}
	}
	for answer, want := range map[string]model.Exit{
		`{"error":"disk is full"}`:                              {Code: model.ExitFile},
		`{"error":"disk is full","exit":6,"topic":"disk-full"}`: {Code: model.ExitFile, Topic: "disk-full"},
		`{"error":"no","exit":5,"topic":"unsound"}`:             {Code: model.ExitData, Topic: "unsound"},
		`{"error":"no","exit":-1}`:                              {Code: model.ExitFile},
		`{"error":"no","exit":143}`:                             {Code: model.ExitFile},
		`{"error":"no","more":1}`:                               {Code: model.ExitFile},
	} {
		hangUp := pretend(t, &fake{path: db.path + ".other"}, answer+"\n")
		if got := model.ExitOf(live.Status(t.Context(), db.path+".other", &status)); got != want {
			t.Errorf("%s: %+v, want %+v", answer, got, want)
		}
		hangUp()
	}
}

// TestCopiesAreShared: all readers of an unchanged database share a copy, and it is removed with
// the last of them.
func TestCopiesAreShared(t *testing.T) {
	db, _ := serve(t)
	const readers = 20
	loans := make([]*live.Lease, readers)
	var all sync.WaitGroup
	for i := range loans {
		all.Go(func() { loans[i] = borrow(t, db) })
	}
	all.Wait()
	for _, l := range loans {
		if l.Path != loans[0].Path || l.Batch != 1 || l.Events != 10 || !exists(l.Path) {
			t.Errorf("%+v, want what the first got: %+v", l.Snapshot, loans[0].Snapshot)
		}
	}
	for _, l := range loans[1:] {
		l.Release()
	}
	again := borrow(t, db)
	if again.Path != loans[0].Path || !exists(again.Path) {
		t.Errorf("%+v, want %+v", again.Snapshot, loans[0].Snapshot)
	}
	loans[0].Release()
	again.Release()
	until(t, "the copy is removed", func() bool { return !exists(again.Path) })
	if other := borrow(t, db); other.Path == again.Path || !exists(other.Path) {
		t.Errorf("%+v, want a new copy", other.Snapshot)
	}
}

// TestServeRemovesEverything: at its end Serve removes also copies that are being read, and closes
// all connections.
func TestServeRemovesEverything(t *testing.T) {
	before := runtime.NumGoroutine()
	db, stop := serve(t)
	l := borrow(t, db)
	_ = dial(t, db) // and says nothing
	name, _ := os.ReadFile(db.path + ".socket")
	for _, path := range []string{db.path + ".socket", strings.TrimSpace(string(name))} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v, %v", path, info.Mode(), err)
		}
	}
	stop()
	for _, path := range []string{l.Path, db.path + ".socket", strings.TrimSpace(string(name))} {
		if exists(path) {
			t.Errorf("%s is left", path)
		}
	}
	l.Release()
	until(t, "all goroutines end", func() bool { return runtime.NumGoroutine() <= before })
}

// TestSocketOfAKilledPull: readers find no pull, and the next pull replaces the socket.
func TestSocketOfAKilledPull(t *testing.T) {
	db := &fake{path: filepath.Join(t.TempDir(), "a.duckdb")}
	folders := live.Folders(runtimeFolder(t), "")
	if err := os.Mkdir(folders[0], 0o700); err != nil {
		t.Fatal(err)
	}
	socket := filepath.Join(folders[0], "0123456789abcdef.sock")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: socket, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.SetUnlinkOnClose(false)
	if err := errors.Join(l.Close(), os.WriteFile(db.path+".socket", []byte(socket+"\n"), 0o600), os.WriteFile(db.path+".socket.new", nil, 0o600)); err != nil {
		t.Fatal(err)
	}
	if _, err := live.Borrow(t.Context(), db.path, isCopy); !errors.Is(err, live.ErrNoPull) || !exists(socket) {
		t.Errorf("%v, want %v", err, live.ErrNoPull)
	}
	stop := serveAt(t, db, folders)
	if exists(socket) || exists(db.path+".socket.new") {
		t.Error("what the killed pull left is still there")
	}
	borrow(t, db).Release()
	stop()
	if _, err := live.Borrow(t.Context(), db.path, isCopy); !errors.Is(err, live.ErrNoPull) {
		t.Errorf("%v, want %v", err, live.ErrNoPull)
	}
}

// TestCopyOfAKilledPull: the reader removes it.
func TestCopyOfAKilledPull(t *testing.T) {
	db := &fake{path: filepath.Join(t.TempDir(), "a.duckdb")}
	l := pretend(t, db, fmt.Sprintf(`{"path":"/somewhere/else/%s.copy1","batch":3,"events":30}`, filepath.Base(db.path))+"\n")
	copied := db.path + ".copy1"
	if err := os.WriteFile(copied, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	loan := borrow(t, db)
	if loan.Path != copied || loan.Batch != 3 || loan.Events != 30 {
		t.Errorf("%+v", loan.Snapshot)
	}
	l() // closes the connection
	until(t, "the copy is removed", func() bool { loan.Release(); return !exists(copied) })
}
