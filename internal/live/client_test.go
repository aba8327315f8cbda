package live_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"datasync/internal/live"
)

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
	if err := ask(t.Context()); !errors.Is(err, live.ErrUnresponsive) {
		t.Errorf("%v, want %v", err, live.ErrUnresponsive)
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

// TestSilentPull: clients give up with ErrUnresponsive.
func TestSilentPull(t *testing.T) {
	defer live.SetLimits(50*time.Millisecond, time.Minute)()
	for _, said := range []string{"", " ", "   ", `{"path":"a.duckdb.co`} {
		db := &fake{path: filepath.Join(t.TempDir(), "a.duckdb")}
		pretend(t, db, said)
		if _, err := live.Borrow(t.Context(), db.path, isCopy); !errors.Is(err, live.ErrUnresponsive) {
			t.Errorf("after %q: %v, want %v", said, err, live.ErrUnresponsive)
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
			if _, err := live.Borrow(t.Context(), db.path, isCopy); !errors.Is(err, live.ErrNoPull) {
				t.Errorf("%v, want %v", err, live.ErrNoPull)
			}
		})
	}
	t.Run("null", func(t *testing.T) {
		db := &fake{path: filepath.Join(t.TempDir(), "a.duckdb")}
		pretend(t, db, "null\n")
		if err := live.Status(t.Context(), db.path, &struct{}{}); !errors.Is(err, live.ErrNoPull) {
			t.Errorf("%v, want %v", err, live.ErrNoPull)
		}
	})
	t.Run("half a line", func(t *testing.T) {
		db := &fake{path: filepath.Join(t.TempDir(), "a.duckdb")}
		hangUp := pretend(t, db, `{"path":"a.duckdb.co`)
		go hangUp()
		if _, err := live.Borrow(t.Context(), db.path, isCopy); !errors.Is(err, live.ErrNoPull) {
			t.Errorf("%v, want %v", err, live.ErrNoPull)
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
