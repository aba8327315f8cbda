package live_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"datasync/internal/live"
)

// hang bounds the wait for an answer. It only guards against a test that hangs.
const hang = 5 * time.Minute

// FuzzRequests: whatever a client sends, it gets a documented answer of at most a line, other
// clients are served, and no copy is left.
func FuzzRequests(f *testing.F) {
	f.Add([]byte("status\n"))
	db := &fake{path: filepath.Join(f.TempDir(), "a.duckdb")}
	serveDatabase(f, db, db.path, live.Folders(runtimeFolder(f), ""), hang)
	f.Fuzz(func(t *testing.T, sent []byte) {
		conn := dial(t, db)
		if err := conn.SetDeadline(time.Now().Add(hang)); err != nil {
			t.Fatal(err)
		}
		_, _ = conn.Write(sent) // fails where the server has heard enough
		_ = conn.(*net.UnixConn).CloseWrite()
		answer, err := io.ReadAll(conn)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatalf("%q is never answered", sent)
		}
		answer = bytes.TrimLeft(answer, " ") // signs of life
		line, _, whole := bytes.Cut(sent, []byte("\n"))
		var want string
		switch {
		case !whole && len(sent) < 64:
		case len(line) > 63:
			want = `{"error":"the request is too long"}` + "\n"
		case string(line) == "status":
			want = `{"changes":0}` + "\n"
		case string(line) == "snapshot":
			var s live.Snapshot
			if err := json.Unmarshal(answer, &s); err != nil || !isCopy(db.path, s.Path) || s.Events != 10*s.Batch {
				t.Fatalf("%v: %q", err, answer)
			}
			until(t, "the copy is removed", func() bool { return !exists(s.Path) })
			want = string(answer[:bytes.IndexByte(answer, '\n')+1])
		default:
			want = `{"error":"the request is unknown"}` + "\n"
		}
		if string(answer) != want {
			t.Fatalf("%q is answered by %q, want %q", sent, answer, want)
		}
		var status struct{ Changes *int64 }
		if err := live.Status(t.Context(), db.path, &status); err != nil || status.Changes == nil {
			t.Fatalf("after %q: %v", sent, err)
		}
	})
}

// impostor answers every request at the socket of a database with answer, and then closes the
// connection.
func impostor(f *testing.F, database string, answer *atomic.Pointer[[]byte]) {
	f.Helper()
	folder := filepath.Join(runtimeFolder(f), "datasync")
	if err := os.Mkdir(folder, 0o700); err != nil {
		f.Fatal(err)
	}
	l, err := net.Listen("unix", filepath.Join(folder, "0123456789abcdef.sock"))
	if err != nil {
		f.Fatal(err)
	}
	f.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			_, _ = bufio.NewReader(conn).ReadString('\n')
			_, _ = conn.Write(*answer.Load())
			_ = conn.Close()
		}
	}()
	if err := os.WriteFile(database+".socket", []byte(l.Addr().String()+"\n"), 0o600); err != nil {
		f.Fatal(err)
	}
}

// FuzzAnswers: whatever a server answers, the client decodes it correctly or refuses it, and
// removes and returns only a copy of this database.
func FuzzAnswers(f *testing.F) {
	f.Add([]byte(`{"path":"a.duckdb.copy1","batch":1,"events":10}` + "\n"))
	db := filepath.Join(f.TempDir(), "a.duckdb")
	var current atomic.Pointer[[]byte]
	impostor(f, db, &current)
	f.Fuzz(func(t *testing.T, answer []byte) {
		if err := os.WriteFile(db, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		current.Store(&answer)
		ctx, cancel := context.WithTimeout(t.Context(), hang)
		defer cancel()
		line, _, whole := bytes.Cut(answer, []byte("\n"))
		var object map[string]json.RawMessage
		isObject := whole && json.Unmarshal(line, &object) == nil && object != nil

		var status map[string]json.RawMessage
		err := live.Status(ctx, db, &status)
		checkAnswer(t, answer, isObject, object, err)
		if err == nil && len(status) != len(object) {
			t.Errorf("%q was read as %q", answer, status)
		}
		loan, err := live.Borrow(ctx, db, isCopy)
		if err != nil {
			if loan != nil {
				t.Errorf("a loan in spite of %v", err)
			}
			checkAnswer(t, answer, isObject, object, err)
			return
		}
		checkAnswer(t, answer, isObject, object, nil)
		if filepath.Dir(loan.Path) != filepath.Dir(db) || !isCopy(db, loan.Path) || strings.Contains(strings.TrimPrefix(loan.Path, db), "/") {
			t.Errorf("%q leads to %q", answer, loan.Path)
		}
		loan.Release()
		if !exists(db) || !exists(db+".socket") {
			t.Fatalf("%q made the client remove a file that is no copy", answer)
		}
	})
}

// checkAnswer checks that an error fits the answer.
func checkAnswer(t *testing.T, answer []byte, isObject bool, object map[string]json.RawMessage, err error) {
	t.Helper()
	var said string
	_ = json.Unmarshal(object["error"], &said)
	var refused *live.RefusedError
	switch {
	case err == nil && (!isObject || said != ""):
		t.Errorf("%q was taken for an answer", answer)
	case err == nil, errors.Is(err, live.ErrNoPull):
	case errors.Is(err, live.ErrBusy), errors.As(err, &refused):
		if !isObject {
			t.Errorf("%q was taken for a refusal: %v", answer, err)
		}
		if said != "" && refused != nil && refused.Text != said && len(object) == 1 {
			t.Errorf("%q was read as %q", answer, refused.Text)
		}
	default:
		t.Errorf("%q: %v", answer, err)
	}
}

// FuzzNameFile: whatever the file beside the database contains, a client connects only to the
// socket of a pull. SOCKET is replaced by the path of that socket.
func FuzzNameFile(f *testing.F) {
	f.Add("SOCKET\n")
	db := &fake{path: filepath.Join(f.TempDir(), "a.duckdb")}
	serveDatabase(f, db, db.path, live.Folders(runtimeFolder(f), ""), hang)
	name, err := os.ReadFile(db.path + ".socket")
	if err != nil {
		f.Fatal(err)
	}
	socket := strings.TrimSuffix(string(name), "\n")
	f.Fuzz(func(t *testing.T, text string) {
		text = strings.ReplaceAll(text, "SOCKET", socket)
		if err := os.WriteFile(db.path+".socket", []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), hang)
		defer cancel()
		var status struct{ Changes *int64 }
		err := live.Status(ctx, db.path, &status)
		path, isLine := strings.CutSuffix(text, "\n")
		named := isLine && len(text) <= 4096 && filepath.IsAbs(path) && filepath.Clean(path) == socket
		switch {
		case err == nil && !named:
			t.Errorf("asked by %q", text)
		case err == nil && status.Changes == nil:
			t.Errorf("%q leads to somebody else", text)
		case err != nil && (path == socket && named || !errors.Is(err, live.ErrNoPull)):
			t.Errorf("%q: %v", text, err)
		}
	})
}
