package cli_test

import (
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"datasync/internal/e2e/harness"
	"datasync/mockserver"

	"github.com/gofrs/flock"
	"github.com/rogpeppe/go-internal/testscript"
)

// TestScripts runs the scripts of testdata/script. Their command datasync is the built program.
// $API is an API of 3,000 events that accepts the key ds_test_good. $LIMITED has the limits of the
// contract. $CLOSED asks for a long wait after the first request. $FAILING answers 502. $HTML and $JSON are servers
// that are not this API. $SECURED_HTML has https in the URL of a server with http, $UNSECURED the opposite.
func TestScripts(t *testing.T) {
	bin := filepath.Dir(linkedProgram(t))
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join(harness.Root(t), "testdata", "script"),
		Setup: func(env *testscript.Env) error {
			env.Setenv("PATH", bin+string(os.PathListSeparator)+env.Getenv("PATH"))
			limited := mockserver.Contract().WithoutLatency()
			limited.Data.Events, limited.Events.Cap, limited.TimeScale = 3000, 100, 10
			// A slow machine would not meet a limit.
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
			failing := []mockserver.Fault{mockserver.Repeat(mockserver.Forever, mockserver.Status(http.StatusBadGateway))}
			for name, h := range map[string]http.Handler{
				"FAILING": mockserver.New(mockserver.Options{Scripts: []mockserver.Script{{Endpoint: mockserver.Any, Faults: failing}}}),
				"HTML":    sends("<!doctype html>"), "JSON": sends(`{"status":"ok","data":{}}`),
			} {
				s := httptest.NewServer(h)
				env.Defer(s.Close)
				env.Setenv(name, s.URL)
				env.Setenv("SECURED_"+name, strings.Replace(s.URL, "http:", "https:", 1))
			}
			secured := httptest.NewUnstartedServer(sends("{}"))
			secured.Config.ErrorLog = log.New(io.Discard, "", 0)
			secured.StartTLS()
			env.Defer(secured.Close)
			env.Setenv("UNSECURED", strings.Replace(secured.URL, "https:", "http:", 1))
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"datasync": datasync, "exits": exits, "lock": lock},
	})
}

// sends answers each request with a body.
func sends(body string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) })
}

// linkedProgram returns a link to the built program whose name is datasync.
func linkedProgram(t *testing.T) string {
	t.Helper()
	link := filepath.Join(t.TempDir(), "datasync")
	if err := os.Symlink(harness.Program(t), link); err != nil {
		t.Fatal(err)
	}
	return link
}

// datasync is "datasync ARGUMENTS...": the program must succeed, or fail after a "!".
func datasync(ts *testscript.TestScript, mustFail bool, args []string) {
	err := ts.Exec("datasync", args...)
	if err != nil && !mustFail {
		ts.Fatalf("datasync failed: %v", err)
	}
	if err == nil && mustFail {
		ts.Fatalf("datasync succeeded")
	}
}

// exits is "exits CODE COMMAND...": the command must end with that code.
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

// lock is "lock FILE": holds the file's lock, as a pull does, until the script ends.
func lock(ts *testscript.TestScript, _ bool, args []string) {
	f := flock.New(ts.MkAbs(args[0] + ".lock"))
	ok, err := f.TryLock()
	ts.Check(err)
	if !ok {
		ts.Fatalf("%s is locked", args[0])
	}
	ts.Defer(func() { _ = f.Close() })
}
