package main

import (
	"database/sql"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"datasync/mockserver"

	"github.com/gofrs/flock"
	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(cleaning{m}, map[string]func(){
		"datasync": func() { os.Exit(run()) },
		"holder":   hold,
	})
}

// hold is another program that has a DuckDB file open: "holder FILE read" or "write". It
// says "open", or why not, and lets go when its stdin ends.
func hold() {
	name := os.Args[1]
	if os.Args[2] == "read" {
		name += "?access_mode=read_only"
	}
	db, err := sql.Open("duckdb", name)
	if err == nil {
		err = db.Ping()
	}
	if err != nil {
		fmt.Print(err)
		os.Exit(1)
	}
	fmt.Print("open")
	_, _ = io.Copy(io.Discard, os.Stdin)
	_ = db.Close()
}

// cleaning is the tests, and the removal of what they built.
type cleaning struct{ *testing.M }

func (c cleaning) Run() int {
	defer func() { _ = os.RemoveAll(binaries.folder) }()
	// Pulls that tests kill leave their sockets, whose paths must be short.
	if runtime, err := os.MkdirTemp("/tmp", "datasync-test-"); err == nil {
		defer func() { _ = os.RemoveAll(runtime) }()
		_ = os.Setenv("XDG_RUNTIME_DIR", runtime)
	}
	return c.M.Run()
}

// TestScripts runs what the README promises, with the program as a process of its
// own. $API is an API of 3,000 events that accepts the key ds_test_good, $LIMITED
// one under the limits of the contract, $CLOSED one that wants to be left alone after the
// first request; $HTML is a server that is no API.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			limited := mockserver.Contract().WithoutLatency()
			limited.Data.Events, limited.Events.Cap, limited.TimeScale = 3000, 100, 10
			// On a slow machine no limit would be met.
			limited.Scripts = []mockserver.Script{{Endpoint: mockserver.Events, Request: 3, Faults: []mockserver.Fault{mockserver.RateLimited(200 * time.Second)}}}
			alone := []mockserver.Fault{mockserver.Repeat(mockserver.Forever, mockserver.RateLimited(10*time.Minute))}
			closed := []mockserver.Script{{Endpoint: mockserver.Events, Request: 2, Faults: alone}, {Endpoint: mockserver.StreamAccess, Faults: alone}}
			for name, o := range map[string]mockserver.Options{
				"CLOSED":  {Data: mockserver.DataOptions{Events: 500}, Scripts: closed},
				"API":     {Key: "ds_test_good", Data: mockserver.DataOptions{Events: 3000, DirtyEvery: 300}, Events: mockserver.Pages{Cap: 500}},
				"LIMITED": limited,
			} {
				s := httptest.NewServer(mockserver.New(o))
				env.Defer(s.Close)
				env.Setenv(name, s.URL)
			}
			page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<!doctype html>")) }))
			env.Defer(page.Close)
			env.Setenv("HTML", page.URL)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"exits": exits, "lock": lock},
	})
}

// exits is "exits CODE COMMAND...": the command must end with that code and say
// why on one line of stderr, without a stack trace.
func exits(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit %d, want %d", got, want)
	}
}

// lock is "lock FILE": holds the file's lock, as a pull would, until the script ends.
func lock(ts *testscript.TestScript, _ bool, args []string) {
	f := flock.New(ts.MkAbs(args[0] + ".lock"))
	ok, err := f.TryLock()
	ts.Check(err)
	if !ok {
		ts.Fatalf("%s is locked", args[0])
	}
	ts.Defer(func() { _ = f.Close() })
}
