package faults

import (
	"bytes"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"datasync/mockserver"
)

// The tests of this file show that SECURITY.md is right about the limits of its guards.

// otherKey is a key that may be where the canary may not.
const otherKey = "ds_test_in_an_event_1"

// TestTheKeyWithinAnEvent: a key within an event, or within a reject, is stored unchanged.
func TestTheKeyWithinAnEvent(t *testing.T) {
	t.Parallel()
	w := newWorld(t, mockserver.Options{})
	event := strings.Replace(ownEvent(0), `"page":"/"`, `"page":"`+otherKey+`"`, 1)
	w.answer(own(func(string) string { return pageOf([]string{event, `{"no event":"` + otherKey + `"}`}, "", "2") }))
	e := w.run(command{Args: []string{"pull"}, Env: []string{"DATASYNC_API_KEY=" + otherKey}})
	w.endsWith(e, 0)
	if rows := w.query("SELECT properties->>'page', (SELECT contains(raw, '" + otherKey + "') FROM rejected_events) FROM events"); rows[1][0] != otherKey || rows[1][1] != "true" {
		t.Error(rows)
	}
}

// TestWhatIsNotLookedFor: an API that sends back a key of less than eight characters, or any key
// reversed, gets it into a message.
func TestWhatIsNotLookedFor(t *testing.T) {
	t.Parallel()
	w := newWorld(t, mockserver.Options{})
	for _, tc := range []struct {
		key, sent string
		shown     bool
	}{{"ds_7777", "ds_7777", true}, {"ds_88888", "ds_88888", false}, {"ds_88888", "88888_sd", true}} {
		w.answer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			rw.WriteHeader(http.StatusForbidden)
			_, _ = fmt.Fprintf(rw, `{"code":"FORBIDDEN","message":"not for <%s>"}`, tc.sent)
		}))
		e := w.run(command{Args: quickly().Args, Env: []string{"DATASYNC_API_KEY=" + tc.key}})
		if e.Code == 0 || strings.Contains(e.Err, "<"+tc.sent+">") != tc.shown {
			t.Errorf("%s: %v", tc.sent, e)
		}
	}
}

// TestPlainHTTPOnTheWay: with plain http a machine between the program and the API reads the key
// and changes events.
func TestPlainHTTPOnTheWay(t *testing.T) {
	t.Parallel()
	w := newWorld(t, mockserver.Options{})
	api := own(func(string) string { return pageOf(ownEvents(0, 1), "", "1") })
	var read atomic.Value
	w.answer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		read.Store(r.Header.Get("X-API-Key"))
		answer := httptest.NewRecorder()
		api(answer, r)
		rw.WriteHeader(answer.Code)
		_, _ = io.WriteString(rw, strings.ReplaceAll(answer.Body.String(), `"page":"/"`, `"page":"/changed"`))
	}))
	w.endsWith(w.run(command{Args: []string{"pull"}}), 0)
	if rows := w.query("SELECT properties->>'page' FROM events"); read.Load() != key || rows[1][0] != "/changed" {
		t.Errorf("read %v, stored %v", read.Load(), rows)
	}
}

// TestExportedFilesAreNotRead: an export to the same folder checks the size of an earlier file, not
// its contents.
func TestExportedFilesAreNotRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t, fewPages())
	folder := filepath.Join(w.home, "out")
	export := command{Args: []string{"export", "--quiet", "--parquet", folder, "--incremental"}}
	w.endsWith(w.run(command{Args: []string{"pull"}}), 0)
	if e := w.run(export); e.Code != 0 {
		t.Fatal(e)
	}
	files, err := filepath.Glob(filepath.Join(folder, "events-*.parquet"))
	if err != nil || len(files) != 1 {
		t.Fatal(files, err)
	}
	info, err := os.Stat(files[0])
	if err != nil {
		t.Fatal(err)
	}
	for size, code := range map[int64]int{info.Size(): 0, info.Size() - 1: 5} {
		if err := os.WriteFile(files[0], bytes.Repeat([]byte("x"), int(size)), 0o600); err != nil {
			t.Fatal(err)
		}
		if e := w.run(export); e.Code != code {
			t.Errorf("%d bytes of %d: %v", size, info.Size(), e)
		}
	}
	if err := errors.Join(os.RemoveAll(folder), os.Remove(folder+".manifest.json")); err != nil {
		t.Fatal(err)
	}
	w.noTraces()
}

// TestProcessesOfTheSameUser: they read the key in the environment of a pull, unless it came from a
// file.
func TestProcessesOfTheSameUser(t *testing.T) {
	t.Parallel()
	w := newWorld(t, mockserver.Options{})
	file := filepath.Join(w.Folder, "key")
	w.Kept = append(w.Kept, file)
	if err := os.WriteFile(file, []byte(otherKey+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		args, env []string
		seen      bool
	}{
		{nil, []string{"DATASYNC_API_KEY=" + otherKey}, true},
		{[]string{"--api-key-file", file}, []string{"DATASYNC_API_KEY="}, false},
	} {
		h := w.hold(1, command{Args: append([]string{"pull"}, tc.args...), Env: tc.env})
		environment, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", h.Process.Pid))
		h.letGo()
		w.endsWith(h.wait(), 0)
		if err != nil || strings.Contains(string(environment), otherKey) != tc.seen {
			t.Errorf("%v: %q, %v", tc.args, environment, err)
		}
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
}

// TestEnvironmentOfChildren: a pager, and the sh that watches an export to a folder, get the
// environment of datasync; cp gets none.
func TestEnvironmentOfChildren(t *testing.T) {
	t.Parallel()
	w := newWorld(t, mockserver.Options{})
	w.endsWith(w.run(command{Args: []string{"pull"}}), 0)
	seen := filepath.Join(w.temp, "seen")
	show := func(name string) string { return "#!/bin/sh\nenv > " + seen + "." + name + "\n" }
	bin := filepath.Join(w.temp, "bin")
	if err := os.Mkdir(bin, 0o700); err != nil {
		t.Fatal(err)
	}
	for name, rest := range map[string]string{"pager": "cat", "cp": `exec /bin/cp "$@"`, "sh": `exec /bin/sh "$@"`} {
		if err := os.WriteFile(filepath.Join(bin, name), []byte(show(name)+rest+"\n"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	w.Env = []string{"DATASYNC_API_KEY=" + otherKey, "PATH=" + bin + ":/usr/bin:/bin", "DATASYNC_PAGER=pager"}
	if got := w.onTerminalOf(5, "query", "SELECT range FROM range(100)"); !strings.Contains(got, "99") {
		t.Errorf("%q", got)
	}
	if err := os.Remove(seen + ".sh"); err != nil { // the pager's
		t.Fatal(err)
	}
	if e := w.run(command{Args: []string{"export", "--quiet", "--parquet", filepath.Join(bin, "out"), "--partition-by", "type"}}); e.Code != 0 {
		t.Error(e)
	}
	h := w.hold(1, command{Args: []string{"pull", "--restart"}})
	w.endsWith(w.run(command{Args: []string{"query", "FROM events LIMIT 1"}}), 0) // reads a copy, made by cp
	h.letGo()
	w.endsWith(h.wait(), 0)
	for name, has := range map[string]bool{"pager": true, "sh": true, "cp": false} {
		environment, err := os.ReadFile(seen + "." + name)
		if err != nil || strings.Contains(string(environment), otherKey) != has {
			t.Errorf("%s gets %q, %v", name, environment, err)
		}
		if err := os.Remove(seen + "." + name); err != nil {
			t.Error(err)
		}
	}
	if err := os.RemoveAll(bin); err != nil {
		t.Fatal(err)
	}
	w.noTraces()
}

// TestModesStay: an existing database keeps its mode.
func TestModesStay(t *testing.T) {
	t.Parallel()
	w := newWorld(t, mockserver.Options{})
	w.endsWith(w.run(command{Args: []string{"pull"}}), 0)
	if err := os.Chmod(w.File, 0o644); err != nil {
		t.Fatal(err)
	}
	w.endsWith(w.run(command{Args: []string{"pull", "--restart"}}), 0)
	if info, err := os.Stat(w.File); err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

// TestWhatAQueryMayTake: DuckDB's own limits of memory and threads hold for queries.
func TestWhatAQueryMayTake(t *testing.T) {
	t.Parallel()
	w := newWorld(t, mockserver.Options{})
	w.endsWith(w.run(command{Args: []string{"pull"}}), 0)
	const settings = "SELECT current_setting('threads')::VARCHAR, current_setting('memory_limit')"
	db, err := sql.Open("duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	var threads, memory string
	if err := db.QueryRow(settings).Scan(&threads, &memory); err != nil {
		t.Fatal(err)
	}
	if rows := w.query(settings); rows[1][0] != threads || rows[1][1] != memory {
		t.Errorf("%v, want %s threads and %s as DuckDB has by itself", rows, threads, memory)
	}
}
