package harness

import (
	"bufio"
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"regexp"
	"sync/atomic"
	"testing"

	"datasync/mockserver"
)

// Serve serves an API on a loopback port until the test ends.
func Serve(tb testing.TB, o mockserver.Options) (*mockserver.Server, string) {
	tb.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	s := mockserver.New(o)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(ctx, listener) }()
	tb.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			tb.Error(err)
		}
	})
	return s, "http://" + listener.Addr().String()
}

// ServeUntilFifth serves 2,000 events on pages of 100. The fifth request and all later ones meet
// the fault, so a pull stores 400 events and gets no further, however slow the test is. The
// fifth request closes the channel.
func ServeUntilFifth(tb testing.TB, fault mockserver.Fault) (base string, fifth <-chan struct{}) {
	tb.Helper()
	api := mockserver.New(mockserver.Options{Data: mockserver.DataOptions{Events: 2000}, Events: mockserver.Pages{Cap: 100},
		Scripts: []mockserver.Script{{Request: 5, Faults: []mockserver.Fault{mockserver.Repeat(mockserver.Forever, fault)}}}})
	came := make(chan struct{})
	var requests atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if requests.Add(1) == 5 {
			close(came)
		}
		api.ServeHTTP(w, r)
	}))
	tb.Cleanup(server.Close)
	return server.URL, came
}

// Demo pulls 2,000 events of the demo into a folder of its own.
func Demo(tb testing.TB) (folder string) {
	tb.Helper()
	folder = tb.TempDir()
	cmd, output := Command(tb.Context(), Program(tb), folder, "", "pull", "--demo", "--demo-events", "2000", "--demo-shape", "flat", "--quiet")
	if err := cmd.Run(); err != nil {
		tb.Fatalf("%v: %s", err, output)
	}
	return folder
}

// StartMock starts datasync mock with these options. It returns the process, where it listens,
// and the line that it begins with.
func StartMock(tb testing.TB, options ...string) (mock *exec.Cmd, base, line string) {
	tb.Helper()
	mock, _ = Command(tb.Context(), Program(tb), tb.TempDir(), "", append([]string{"mock", "--addr", "127.0.0.1:0"}, options...)...)
	mock.Stderr = nil
	stderr, err := mock.StderrPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := mock.Start(); err != nil {
		tb.Fatal(err)
	}
	line, err = bufio.NewReader(stderr).ReadString('\n')
	if err != nil {
		tb.Fatal(err)
	}
	return mock, regexp.MustCompile(`http://[0-9.:]+`).FindString(line), line
}
