package live_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
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
	if err := live.Status(t.Context(), db.path, &status); !errors.Is(err, live.ErrNone) {
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

// TestInvalidRequests: each gets an error, and other clients are served.
func TestInvalidRequests(t *testing.T) {
	db, _ := serve(t)
	for _, tc := range []struct{ name, sends, answer string }{
		{"rubbish", "\x00\xff\n", "the request is unknown"},
		{"nothing", "\n", "the request is unknown"},
		{"another verb", "restart\n", "the request is unknown"},
		{"capitals", "STATUS\n", "the request is unknown"},
		{"two verbs", "status snapshot\n", "the request is unknown"},
		{"a long line", strings.Repeat("x", 64), "the request is too long"},
		{"a very long line", strings.Repeat("status", 100_000), "the request is too long"},
	} {
		conn := dial(t, db)
		_, _ = io.WriteString(conn, tc.sends)
		answer, _ := io.ReadAll(conn)
		var refused struct{ Error string }
		if _ = json.Unmarshal(answer, &refused); refused.Error != tc.answer {
			t.Errorf("%s: %q, want %q", tc.name, answer, tc.answer)
		}
	}
	var status struct{ Changes int64 }
	if err := live.Status(t.Context(), db.path, &status); err != nil {
		t.Error(err)
	}
}

// TestIncompleteRequests: the connection is closed after the timeout, without an answer.
func TestIncompleteRequests(t *testing.T) {
	db := &fake{path: filepath.Join(t.TempDir(), "a.duckdb")}
	serveDatabase(t, db, db.path, live.Folders(runtimeFolder(t), ""), 50*time.Millisecond)
	for _, said := range []string{"", "stat"} {
		conn := dial(t, db)
		_, _ = io.WriteString(conn, said)
		if answer, err := io.ReadAll(conn); len(answer) > 0 || err != nil && !errors.Is(err, syscall.ECONNRESET) {
			t.Errorf("after %q: %q, %v", said, answer, err)
		}
	}
}

// TestClientsThatDisconnect: whenever and however a reader disconnects, its copy is removed.
func TestClientsThatDisconnect(t *testing.T) {
	db, _ := serve(t)
	for _, tc := range []struct {
		name string
		do   func(net.Conn)
	}{
		{"before the answer", func(c net.Conn) { _ = c.Close() }},
		{"after the answer", func(c net.Conn) { _, _ = bufio.NewReader(c).ReadString('\n'); _ = c.Close() }},
		{"within the answer", func(c net.Conn) { _, _ = c.Read(make([]byte, 3)); _ = c.Close() }},
		{"asks again", func(c net.Conn) { _, _ = bufio.NewReader(c).ReadString('\n'); _, _ = io.WriteString(c, "snapshot\n") }},
		{"stops sending", func(c net.Conn) { _ = c.(*net.UnixConn).CloseWrite() }},
	} {
		before := db.copies.Load()
		conn := dial(t, db)
		_, _ = io.WriteString(conn, "snapshot\n")
		tc.do(conn)
		until(t, tc.name, func() bool { return db.copies.Load() > before && !exists(fmt.Sprintf("%s.copy%d", db.path, before+1)) })
	}
	borrow(t, db).Release()
}

// TestTooManyClients: a client beyond the maximum gets ErrBusy, and the others are served.
func TestTooManyClients(t *testing.T) {
	db, _ := serve(t)
	var loans []*live.Lease
	for range 64 {
		loans = append(loans, borrow(t, db))
	}
	if _, err := live.Borrow(t.Context(), db.path, isCopy); !errors.Is(err, live.ErrBusy) {
		t.Errorf("%v, want %v", err, live.ErrBusy)
	}
	var status struct{ Changes int64 }
	if err := live.Status(t.Context(), db.path, &status); !errors.Is(err, live.ErrBusy) {
		t.Errorf("%v, want %v", err, live.ErrBusy)
	}
	loans[0].Release()
	until(t, "there is room again", func() bool { return live.Status(t.Context(), db.path, &status) == nil })
	if n := db.copies.Load(); n != 1 {
		t.Errorf("%d copies were made for 64 readers", n)
	}
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
	if _, err := live.Borrow(t.Context(), db.path, isCopy); !errors.Is(err, live.ErrNone) || !exists(socket) {
		t.Errorf("%v, want %v", err, live.ErrNone)
	}
	stop := serveAt(t, db, folders)
	if exists(socket) || exists(db.path+".socket.new") {
		t.Error("what the killed pull left is still there")
	}
	borrow(t, db).Release()
	stop()
	if _, err := live.Borrow(t.Context(), db.path, isCopy); !errors.Is(err, live.ErrNone) {
		t.Errorf("%v, want %v", err, live.ErrNone)
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

// pretend answers one request with answer. hangUp closes the connection.
func pretend(t *testing.T, db *fake, answer string) (hangUp func()) {
	t.Helper()
	folder := filepath.Join(runtimeFolder(t), "datasync")
	if err := os.Mkdir(folder, 0o700); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("unix", filepath.Join(folder, "0123456789abcdef.sock"))
	if err != nil {
		t.Fatal(err)
	}
	conns := make(chan net.Conn, 1)
	go func() {
		defer close(conns)
		conn, err := l.Accept()
		if err != nil {
			return
		}
		_, _ = bufio.NewReader(conn).ReadString('\n')
		_, _ = io.WriteString(conn, answer)
		conns <- conn
	}()
	hangUp = sync.OnceFunc(func() {
		if conn, ok := <-conns; ok {
			_ = conn.Close()
		}
		_ = l.Close()
	})
	t.Cleanup(func() { _ = l.Close(); hangUp() })
	if err := os.WriteFile(db.path+".socket", []byte(l.Addr().String()+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return hangUp
}

// TestClientsGiveUpInTheEnd: a client waits for a pull that sends signs of life and no answer
// until its context or its limit ends.
func TestClientsGiveUpInTheEnd(t *testing.T) {
	ask := func(ctx context.Context) error {
		db := &slowFake{takes: time.Hour}
		db.path = filepath.Join(t.TempDir(), "a.duckdb")
		serveDatabase(t, db, db.path, live.Folders(runtimeFolder(t), ""), hang)
		var status any
		errStatus := live.Status(ctx, db.path, &status)
		_, err := live.Borrow(ctx, db.path, isCopy)
		if !errors.Is(err, errStatus) {
			t.Errorf("a status: %v, a copy: %v", errStatus, err)
		}
		return err
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := ask(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v, want %v", err, context.DeadlineExceeded)
	}
	defer live.SetLimits(hang, 100*time.Millisecond)()
	if err := ask(t.Context()); !errors.Is(err, live.ErrSilent) {
		t.Errorf("%v, want %v", err, live.ErrSilent)
	}
}

// slowFake delays each answer.
type slowFake struct {
	fake
	takes time.Duration
}

func (s *slowFake) take(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, s.takes)
	defer cancel()
	<-ctx.Done()
}

func (s *slowFake) Status(ctx context.Context) (any, error) {
	s.take(ctx)
	return s.fake.Status(ctx)
}

func (s *slowFake) Snapshot(ctx context.Context) (live.Snapshot, error) {
	s.take(ctx)
	return s.fake.Snapshot(ctx)
}

// TestSilentPull: clients give up with ErrSilent.
func TestSilentPull(t *testing.T) {
	defer live.SetLimits(50*time.Millisecond, time.Minute)()
	for _, said := range []string{"", " ", "   ", `{"path":"a.duckdb.co`} {
		db := &fake{path: filepath.Join(t.TempDir(), "a.duckdb")}
		pretend(t, db, said)
		if _, err := live.Borrow(t.Context(), db.path, isCopy); !errors.Is(err, live.ErrSilent) {
			t.Errorf("after %q: %v, want %v", said, err, live.ErrSilent)
		}
	}
}

// TestInvalidAnswers: the client refuses them.
func TestInvalidAnswers(t *testing.T) {
	for name, answer := range map[string]string{
		"another file":    `{"path":"/etc/passwd","batch":1,"events":1}`,
		"no file":         `{"batch":1,"events":1}`,
		"the database":    `{"path":"a.duckdb"}`,
		"no JSON":         "hello",
		"another type":    `{"path":7}`,
		"an array":        `[]`,
		"an endless line": strings.Repeat("x", 65<<20),
	} {
		t.Run(name, func(t *testing.T) {
			db := &fake{path: filepath.Join(t.TempDir(), "a.duckdb")}
			pretend(t, db, answer+"\n")
			if _, err := live.Borrow(t.Context(), db.path, isCopy); !errors.Is(err, live.ErrNone) {
				t.Errorf("%v, want %v", err, live.ErrNone)
			}
		})
	}
	t.Run("null", func(t *testing.T) {
		db := &fake{path: filepath.Join(t.TempDir(), "a.duckdb")}
		pretend(t, db, "null\n")
		if err := live.Status(t.Context(), db.path, &struct{}{}); !errors.Is(err, live.ErrNone) {
			t.Errorf("%v, want %v", err, live.ErrNone)
		}
	})
	t.Run("half a line", func(t *testing.T) {
		db := &fake{path: filepath.Join(t.TempDir(), "a.duckdb")}
		hangUp := pretend(t, db, `{"path":"a.duckdb.co`)
		go hangUp()
		if _, err := live.Borrow(t.Context(), db.path, isCopy); !errors.Is(err, live.ErrNone) {
			t.Errorf("%v, want %v", err, live.ErrNone)
		}
	})
	t.Run("none", func(t *testing.T) {
		db := &fake{path: filepath.Join(t.TempDir(), "a.duckdb")}
		pretend(t, db, "")
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer cancel()
		if _, err := live.Borrow(ctx, db.path, isCopy); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v, want %v", err, context.DeadlineExceeded)
		}
	})
}
