package faults

import (
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

// key is what must not be found in anything.
const key = "ds_test_canary_Zk4Wq8LrT2"

// world is what something goes wrong in.
type world struct {
	*testing.T
	// API is what the program shall get in the end. It answers at Base unless another
	// handler does.
	API  *mockserver.Server
	Base string
	// Folder is the program's working folder, and File the database in it. There are no
	// other files in it but those that a test puts there and names in Kept.
	Folder, File string
	Kept         []string
	// home, temp and runtime are the program's, and empty in the end.
	home, temp, runtime string

	handler atomic.Pointer[http.Handler]
	server  *httptest.Server
	sunk    atomic.Int64

	mu     sync.Mutex
	tokens map[string]bool // all that the API has handed out
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
	w.server = httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if token := r.Header.Get(mockserver.DefaultTokenHeader); token != "" {
			w.mu.Lock()
			w.tokens[token] = true
			w.mu.Unlock()
		}
		(*w.handler.Load()).ServeHTTP(rw, r)
	}))
	t.Cleanup(w.server.Close)
	w.Base = w.server.URL
	return w
}

// answer lets h answer at Base from now on.
func (w *world) answer(h http.Handler) { w.handler.Store(&h) }

// break_ answers the nth request, counted from 1, and all after it with h; the others, and
// all after mend, reach the API.
func (w *world) breakAfter(n int64, h http.HandlerFunc) {
	var requests atomic.Int64
	w.answer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if requests.Add(1) > n {
			h(rw, r)
			return
		}
		w.API.ServeHTTP(rw, r)
	}))
}

// mend lets the API answer again.
func (w *world) mend() { w.answer(w.API) }

// sink serves a foreign origin and returns its URL. A request to it with a secret fails the
// test; sunk counts all of them.
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

// hijack answers with these bytes as they are and ends the connection.
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

// reset ends a connection by RST instead of FIN.
func reset(conn net.Conn) {
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0)
	}
	_ = conn.Close()
}

// env is the program's environment.
func (w *world) env() []string {
	return []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + w.home, "TMPDIR=" + w.temp, "XDG_RUNTIME_DIR=" + w.runtime,
		"DATASYNC_API_KEY=" + key, "DATASYNC_BASE_URL=" + w.Base,
	}
}
