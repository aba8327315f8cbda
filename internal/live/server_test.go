package live_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"datasync/internal/live"
)

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
