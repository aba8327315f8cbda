package faults

import (
	"io"
	"log"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"datasync/mockserver"
)

// key must be found nowhere.
const key = "ds_test_canary_Zk4Wq8LrT2"

// world is the surroundings of a program under test: an API and folders.
type world struct {
	*testing.T
	// API is the source of the events. It responds at Base unless another handler does.
	API  *mockserver.Server
	Base string
	// Folder is the program's working folder, and File the database in it. No other file may be
	// left in it, except those that a test makes and lists in Kept.
	Folder, File string
	Kept         []string
	// user is the program's user, if not the test's own
	user int
	// home, temp and runtime are the program's folders, and empty at the end.
	home, temp, runtime string

	// Env is added to the program's environment.
	Env []string

	// verified is the last output of verify, about a file in the state verifiedState.
	verified, verifiedState string

	handler     atomic.Pointer[http.Handler]
	raw         atomic.Pointer[func(net.Conn)]
	connections atomic.Int64 // of the program, so far
	sunk        atomic.Int64

	mu     sync.Mutex
	tokens map[string]bool // all tokens that the program has sent
}

// newWorld makes a world with an API on a loopback port.
func newWorld(t *testing.T, o mockserver.Options) *world {
	t.Helper()
	if o.Data.Events == 0 {
		o.Data.Events = 3000
	}
	// Not t.TempDir, as the path of a socket must be short.
	top, err := os.MkdirTemp("", "df-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(top) })
	w := &world{T: t, API: mockserver.New(o), tokens: map[string]bool{}}
	for name, at := range map[string]*string{"data": &w.Folder, "home": &w.home, "tmp": &w.temp, "run": &w.runtime} {
		*at = filepath.Join(top, name)
		if err := os.Mkdir(*at, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	w.File = filepath.Join(w.Folder, "datasync.duckdb")
	w.answer(w.API)
	server := w.server()
	server.Start()
	w.Base = server.URL
	return w
}

// server returns a server of the API that is not started yet.
func (w *world) server() *httptest.Server {
	s := httptest.NewUnstartedServer(w)
	s.Listener = listener{s.Listener, w}
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	w.Cleanup(func() {
		s.CloseClientConnections()
		s.Close()
	})
	return s
}

// ServeHTTP responds at Base.
func (w *world) ServeHTTP(rw http.ResponseWriter, r *http.Request) {
	if token := r.Header.Get(mockserver.DefaultTokenHeader); token != "" {
		w.mu.Lock()
		w.tokens[token] = true
		w.mu.Unlock()
	}
	(*w.handler.Load()).ServeHTTP(rw, r)
}

// listener counts connections, and gives them to a function that takes them raw.
type listener struct {
	net.Listener
	w *world
}

func (l listener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		l.w.connections.Add(1)
		take := l.w.raw.Load()
		if take == nil {
			return conn, nil
		}
		go (*take)(conn)
	}
}

// take gives all connections to f from now on, until mend.
func (w *world) take(f func(net.Conn)) { w.raw.Store(&f) }

// answer lets h respond at Base from now on.
func (w *world) answer(h http.Handler) { w.handler.Store(&h) }

// breakAfter lets h respond to all requests after the nth, until mend.
func (w *world) breakAfter(n int64, h http.HandlerFunc) { w.breakFor(n, math.MaxInt64-n, h) }

// breakFor lets h respond to this many requests after the nth. The others reach the API.
func (w *world) breakFor(n, times int64, h http.HandlerFunc) {
	var requests atomic.Int64
	w.answer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if i := requests.Add(1); i > n && i <= n+times {
			h(rw, r)
			return
		}
		w.API.ServeHTTP(rw, r)
	}))
}

// mend lets the API respond again.
func (w *world) mend() {
	w.raw.Store(nil)
	w.answer(w.API)
}

// sink serves a foreign origin and returns its URL. A request to it with a secret fails the test;
// sunk counts the requests.
func (w *world) sink() string {
	s := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.sunk.Add(1)
		var text strings.Builder
		_ = r.Write(&text)
		w.noSecret("a request to a foreign origin", []byte(text.String()))
		rw.WriteHeader(http.StatusNotFound)
	}))
	w.Cleanup(s.Close)
	return s.URL
}

// hijack sends these bytes in place of a response and closes the connection.
func hijack(raw string) http.HandlerFunc {
	return func(rw http.ResponseWriter, _ *http.Request) {
		conn, _, err := rw.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		_, _ = conn.Write([]byte(raw))
		_ = conn.Close()
	}
}

// reset closes a connection by RST instead of FIN.
func reset(conn net.Conn) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

// env is the program's environment.
func (w *world) env() []string {
	return append([]string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + w.home, "TMPDIR=" + w.temp, "XDG_RUNTIME_DIR=" + w.runtime,
		"DATASYNC_API_KEY=" + key, "DATASYNC_BASE_URL=" + w.Base,
	}, w.Env...)
}
