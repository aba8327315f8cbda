package cli_test

import (
	"bytes"
	"crypto/tls"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"datasync/internal/e2e/harness"
	"datasync/mockserver"
)

// echo is a way in which a server sends back what it was sent: the key, or the feed's token.
type echo struct {
	name string
	// answer takes the place of all answers but the first two, or, if feed, of the feed's,
	// or, if ofAccess as well, of those of stream-access.
	answer         func(w http.ResponseWriter, secret string)
	feed, ofAccess bool
	// page changes all pages instead.
	page func(page map[string]any, secret string)
}

func raw(format string) func(http.ResponseWriter, string) {
	return func(w http.ResponseWriter, secret string) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err != nil {
			return
		}
		_, _ = fmt.Fprint(conn, strings.ReplaceAll(format, "SECRET", secret))
		_ = conn.Close()
	}
}

func status(code int, headers ...string) func(http.ResponseWriter, string) {
	return func(w http.ResponseWriter, secret string) {
		for _, name := range headers {
			w.Header().Set(name, secret)
		}
		w.WriteHeader(code)
		answer, _ := json.Marshal(map[string]any{"code": secret, "message": "no " + secret, "error": secret, "rateLimit": map[string]any{"retryAfter": secret, "reset": secret}})
		_, _ = w.Write(answer)
	}
}

func redirect(location string) func(http.ResponseWriter, string) {
	return func(w http.ResponseWriter, secret string) {
		w.Header().Set("Location", strings.ReplaceAll(location, "SECRET", secret))
		w.WriteHeader(http.StatusTemporaryRedirect)
	}
}

func body(format string) func(http.ResponseWriter, string) {
	return func(w http.ResponseWriter, secret string) {
		_, _ = w.Write([]byte(strings.ReplaceAll(format, "SECRET", secret)))
	}
}

func cursor(way func(string) string) func(map[string]any, string) {
	return func(page map[string]any, secret string) {
		pagination := page["pagination"].(map[string]any)
		if next, ok := pagination["nextCursor"].(string); ok {
			pagination["nextCursor"] = way(secret) + "." + next
		}
	}
}

func access(endpoint, token, header string) func(http.ResponseWriter, string) {
	return func(w http.ResponseWriter, secret string) {
		fill := strings.NewReplacer("SECRET", secret)
		_ = json.NewEncoder(w).Encode(map[string]any{"streamAccess": map[string]any{
			"endpoint": fill.Replace(endpoint), "token": fill.Replace(token), "tokenHeader": fill.Replace(header), "expiresIn": 300}})
	}
}

var echoes = []echo{
	{name: "400", answer: status(400, "X-Request-Id", "Warning", "Server")},
	{name: "401", answer: status(401, "Www-Authenticate", "Set-Cookie")},
	{name: "403", answer: status(403, "X-Request-Id")},
	{name: "404", answer: status(404, "X-Request-Id")},
	{name: "429", answer: status(429, "Retry-After", "Date", "X-RateLimit-Reset", "X-RateLimit-Limit", "X-RateLimit-Remaining")},
	{name: "500", answer: status(500, "Retry-After", "X-Request-Id")},
	{name: "an encoding", answer: status(200, "Content-Encoding")},
	{name: "a type", answer: status(200, "Content-Type", "X-RateLimit-Limit")},
	{name: "a redirect", answer: redirect("http://127.0.0.1:1/SECRET?key=SECRET")},
	{name: "a redirect with a user", answer: redirect("http://SECRET:SECRET@127.0.0.1:1/")},
	{name: "a redirect that is no URL", answer: redirect("http://[SECRET/%zz")},
	{name: "text", answer: body("the key SECRET is not known")},
	{name: "a number", answer: body(`{"data":[],"pagination":{"hasMore":SECRET}}`)},
	{name: "a name", answer: body(`{"SECRET":1,"data":"SECRET"}`)},
	{name: "no HTTP", answer: raw("SECRET\r\n\r\n")},
	{name: "a version", answer: raw("SECRET 200 OK\r\n\r\n")},
	{name: "a status", answer: raw("HTTP/1.1 SECRET SECRET\r\n\r\n")},
	{name: "a header without a colon", answer: raw("HTTP/1.1 200 OK\r\nX-A: b\r\nSECRET\r\n\r\n")},
	{name: "a header without a name", answer: raw("HTTP/1.1 200 OK\r\n SECRET\r\n\r\n")},
	{name: "a transfer encoding", answer: raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: SECRET\r\n\r\n")},
	{name: "a length", answer: raw("HTTP/1.1 200 OK\r\nContent-Length: SECRET\r\n\r\n")},
	{name: "two lengths", answer: raw("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: SECRET\r\n\r\n")},
	{name: "a chunk", answer: raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nSECRET\r\n")},
	{name: "something unasked for", answer: raw("HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\nHTTP/1.1 200 SECRET\r\n\r\n")},
	{name: "a request id", page: func(page map[string]any, secret string) { page["meta"].(map[string]any)["requestId"] = "id-" + secret }},
	{name: "a cursor", page: cursor(func(secret string) string { return secret })},
	{name: "a cursor in base64", page: cursor(func(secret string) string { return base64.StdEncoding.EncodeToString([]byte(secret + "&")) })},
	{name: "a cursor as in a URL", page: cursor(func(secret string) string { return "/next?key=" + url.QueryEscape(secret) + "&c=" })},
	{name: "the feed's path", feed: true, ofAccess: true, answer: access("http://SECRET/", "t", "X-T")},
	{name: "the feed's path that is none", feed: true, ofAccess: true, answer: access("/SECRET/%zz", "t", "X-T")},
	{name: "the feed's path that is not there", feed: true, ofAccess: true, answer: access("/SECRET", "SECRET", "X-T")},
	{name: "the token's header", feed: true, ofAccess: true, answer: access("/feed", "t", "SECRET")},
	{name: "403 by the feed", feed: true, answer: status(403, "X-Request-Id")},
	{name: "500 by the feed", feed: true, answer: status(500, "X-Request-Id")},
	{name: "a redirect by the feed", feed: true, answer: redirect("http://[SECRET/")},
	{name: "no HTTP by the feed", feed: true, answer: raw("SECRET\r\n\r\n")},
}

// TestEchoes: a server may send back what it was sent, in any place. Neither the key nor the
// feed's token stands in anything that is written.
func TestEchoes(t *testing.T) {
	binary := harness.Program(t)
	for i, e := range echoes {
		if !harness.Tried(i, len(echoes), 12) {
			continue
		}
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			key := "DS_TEST_CANARY_KEY" // as codes of the API are written
			if e.page != nil {
				key = "ds_test_+Canary/0123456789=="
			}
			folder, runtime := t.TempDir(), t.TempDir()
			base, mended := echoing(t, e, key)
			outputs := map[string][]byte{}
			datasync := func(args ...string) []byte {
				cmd := exec.CommandContext(t.Context(), binary, args...)
				cmd.Dir = folder
				cmd.Env = append(os.Environ(), "DATASYNC_API_KEY="+key, "DATASYNC_BASE_URL="+base, "XDG_RUNTIME_DIR="+runtime)
				out, _ := cmd.CombinedOutput()
				outputs[strings.Join(args, " ")] = out
				return out
			}
			for line := range strings.Lines(string(datasync("pull", "--max-retry-time", "400ms", "--max-wait", "1s", "--workers", "1"))) {
				if !strings.HasPrefix(line, "datasync: ") && !strings.HasPrefix(line, "  ") {
					t.Errorf("said %q", line)
				}
			}
			tables := string(datasync("query", "--format", "json", "FROM page_log; FROM checkpoints; FROM runs; FROM meta; FROM rejected_events"))
			if !strings.Contains(tables, `"stored":100`) {
				t.Errorf("the tables are %s", tables)
			}
			mended.Store(true)
			if e.page != nil {
				datasync("pull")
				if out := string(datasync("query", "SELECT count(*), count(DISTINCT id) FROM events")); !strings.HasSuffix(out, "\n1000,1000\n") {
					t.Errorf("stored are %q", out)
				}
			}
			datasync("pull", "--dry-run", "--json")
			harness.NoSecret(t, []string{key, echoedToken}, outputs, folder, runtime)
		})
	}
}

const echoedToken = "DS_TEST_TOKEN_OF_THE_FEED"

// echoing serves an API of 1,000 events on pages of 100. The first two pages come, but for
// echoes in pages; then it sends back what it was sent. An echo in pages fails behind the third
// page until it is mended.
func echoing(t *testing.T, e echo, key string) (base string, mended *atomic.Bool) {
	t.Helper()
	api := mockserver.New(mockserver.Options{Key: key, Data: mockserver.DataOptions{Events: 1000}, Events: mockserver.Pages{Cap: 100}, Feed: mockserver.Pages{Cap: 100}})
	var pages atomic.Int64
	mended = &atomic.Bool{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		isEvents, isAccess := r.URL.Path == "/api/v1/events", r.Method == http.MethodPost
		switch {
		case e.page != nil:
			switch {
			case !mended.Load() && (!isEvents || pages.Add(1) > 3):
				w.WriteHeader(http.StatusServiceUnavailable)
			case isAccess:
				api.ServeHTTP(w, r)
			default:
				echoPage(w, r, api, e, key)
			}
		case isEvents && pages.Add(1) < 3:
			api.ServeHTTP(w, r)
		case !e.feed:
			e.answer(w, key)
		case isEvents:
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
		case isAccess && e.ofAccess:
			e.answer(w, key)
		case isAccess:
			access("/feed", echoedToken, "X-Stream-Token")(w, "")
		case e.ofAccess:
			status(403)(w, key)
		default:
			e.answer(w, echoedToken)
		}
	}))
	t.Cleanup(server.Close)
	return server.URL, mended
}

// echoPage sends a page in which the key stands.
func echoPage(w http.ResponseWriter, r *http.Request, api http.Handler, e echo, key string) {
	query := r.URL.Query()
	if c := query.Get("cursor"); c != "" {
		query.Set("cursor", c[strings.LastIndexByte(c, '.')+1:])
		r.URL.RawQuery = query.Encode()
	}
	answer := httptest.NewRecorder()
	api.ServeHTTP(answer, r)
	var page map[string]any
	if json.Unmarshal(answer.Body.Bytes(), &page) == nil && page["data"] != nil {
		e.page(page, key)
	}
	w.WriteHeader(answer.Code)
	_ = json.NewEncoder(w).Encode(page)
}

// anyUser lets the program run under a umask that keeps nothing from anybody.
func anyUser(cmd *exec.Cmd) *exec.Cmd {
	cmd.Args = append([]string{"sh", "-c", `umask 0; exec "$@"`, "sh", cmd.Path}, cmd.Args[1:]...)
	cmd.Path = "/bin/sh"
	return cmd
}

// onlyOwner fails where anybody else may read or write what lies in the folders, and returns how
// much that is.
func onlyOwner(t *testing.T, folders ...string) map[string]bool {
	t.Helper()
	seen := map[string]bool{}
	for _, folder := range folders {
		err := filepath.WalkDir(folder, func(path string, d fs.DirEntry, err error) error {
			if errors.Is(err, fs.ErrNotExist) || path == folder {
				return nil
			}
			info, err := d.Info()
			if err == nil && info.Mode().Perm()&0o077 != 0 {
				t.Errorf("%s is %v", path, info.Mode())
			}
			seen[filepath.Base(path)] = true
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return seen
}

// TestFilesAreTheUsersAlone: whatever the umask is, all files are for one user, from the moment
// when they come to exist: the database and its log, the lock, socket, copies and exports.
func TestFilesAreTheUsersAlone(t *testing.T) {
	binary := harness.Program(t)
	base, fifth := harness.ServeUntilFifth(t, mockserver.RateLimitedIn(mockserver.RetryAfterSeconds, time.Hour))
	folder, runtime := t.TempDir(), t.TempDir()
	t.Setenv("XDG_RUNTIME_DIR", runtime)
	t.Setenv("XDG_STATE_HOME", filepath.Join(folder, "state"))
	start := func(args ...string) (*exec.Cmd, *bytes.Buffer) {
		cmd, output := harness.Command(t.Context(), binary, folder, base, args...)
		return anyUser(cmd), output
	}
	pull, output := start("pull", "--quiet", "--max-wait", "2h")
	if err := pull.Start(); err != nil {
		t.Fatal(err)
	}
	<-fifth
	// It has no end, so that there is a copy for as long as it is wanted.
	reader, said := start("query", "--format", "csv", "FROM range(1000000000000)")
	reader.Stdout = nil
	in, err := reader.StdoutPipe()
	if err != nil || reader.Start() != nil {
		t.Fatal(err, said)
	}
	if _, err := in.Read(make([]byte, 1)); err != nil {
		t.Fatal(err, said)
	}
	// The log is among them, unless it has just been written into the file for the copy.
	seen := onlyOwner(t, folder, runtime)
	for _, want := range []string{"datasync.duckdb", "datasync.duckdb.lock", "datasync.duckdb.socket", ".sock", "datasync.duckdb.snapshot-"} {
		found := false
		for name := range seen {
			found = found || strings.Contains(name, want)
		}
		if !found {
			t.Errorf("there is no %s among %v", want, seen)
		}
	}
	_ = reader.Process.Kill()
	_ = reader.Wait()
	_ = pull.Process.Kill()
	_ = pull.Wait()
	for _, args := range [][]string{
		{"status", "--recover"}, {"export", "--parquet", "a.parquet"}, {"export", "--csv", "a.csv.gz"}, {"export", "--jsonl", "lines", "--incremental"},
		{"export", "--parquet", "tree", "--partition-by", "day,type"}, {"query", "-o", "b.csv", "FROM events"},
	} {
		cmd, output := start(args...)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		ended := make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		for running := true; running; {
			onlyOwner(t, folder)
			select {
			case err := <-ended:
				if running = false; err != nil {
					t.Errorf("%v: %v, %s", args, err, output)
				}
			default:
			}
		}
	}
	if seen := onlyOwner(t, folder, runtime); !seen["a.parquet"] || !seen["a.csv.gz"] || !seen["lines"] || !seen["tree"] || !seen["b.csv"] {
		t.Errorf("written is %v", seen)
	}
	if output.Len() > 0 {
		t.Errorf("the pull said %s", output)
	}
}

// TestWhatAPullLeavesBehind: a pull that ends with its stacks on stderr, which is what a panic and
// a signal do, tells no key by that, and by no core file. Nor does its command line.
func TestWhatAPullLeavesBehind(t *testing.T) {
	binary := harness.Program(t)
	for _, traceback := range []string{"all", "system", "crash"} {
		t.Run(traceback, func(t *testing.T) {
			base, fifth := harness.ServeUntilFifth(t, mockserver.Hang())
			folder := t.TempDir()
			pull, output := harness.Command(t.Context(), binary, folder, base, "pull", "--quiet", "--api-key-file", "-")
			pull.Stdin = strings.NewReader("ds_test_canary\n")
			pull.Env = append(pull.Env, "GOTRACEBACK="+traceback)
			if err := pull.Start(); err != nil {
				t.Fatal(err)
			}
			<-fifth
			process := fmt.Sprintf("/proc/%d/", pull.Process.Pid)
			outputs := map[string][]byte{}
			for _, name := range []string{"cmdline", "limits"} {
				text, err := os.ReadFile(process + name)
				if err != nil {
					t.Skip(err) // there is no /proc
				}
				outputs[name] = text
			}
			if !regexp.MustCompile(`Max core file size +0 +0 `).Match(outputs["limits"]) {
				t.Errorf("there may be a core file: %s", outputs["limits"])
			}
			if err := pull.Process.Signal(syscall.SIGQUIT); err != nil {
				t.Fatal(err)
			}
			_ = pull.Wait()
			if !strings.Contains(output.String(), "goroutine ") {
				t.Errorf("said %s", output)
			}
			outputs["output"] = output.Bytes()
			harness.NoSecret(t, []string{"ds_test_canary"}, outputs, folder)
		})
	}
}

// TestTLS: a server is who its certificate says, by TLS 1.2 or later, or gets no request.
func TestTLS(t *testing.T) {
	binary := harness.Program(t)
	for _, tc := range []struct {
		name    string
		host    string
		trusted bool
		most    uint16 // TLS version
		code    int
		said    string
	}{
		{"trusted", "127.0.0.1", true, 0, 0, ""},
		{"TLS 1.2", "127.0.0.1", true, tls.VersionTLS12, 0, ""},
		{"TLS 1.1", "127.0.0.1", true, tls.VersionTLS11, 4, "protocol version not supported"},
		{"signed by nobody known", "127.0.0.1", false, 0, 4, "certificate signed by unknown authority"},
		{"another host's", "localhost", true, 0, 4, "not localhost"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var requests atomic.Int64
			api := mockserver.New(mockserver.Options{Data: mockserver.DataOptions{Events: 100}})
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				requests.Add(1)
				api.ServeHTTP(w, r)
			}))
			server.TLS = &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tc.most}
			server.Config.ErrorLog = log.New(io.Discard, "", 0)
			server.StartTLS()
			t.Cleanup(server.Close)
			folder := t.TempDir()
			roots := filepath.Join(t.TempDir(), "roots.pem")
			text := []byte{}
			if tc.trusted {
				text = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
			}
			if err := os.WriteFile(roots, text, 0o600); err != nil {
				t.Fatal(err)
			}
			t.Setenv("SSL_CERT_FILE", roots)
			t.Setenv("SSL_CERT_DIR", t.TempDir())
			base := strings.Replace(server.URL, "127.0.0.1", tc.host, 1)
			r := harness.Run(t.Context(), t, binary, folder, base, "pull", "--quiet", "--max-retry-time", "1s")
			if r.Code != tc.code || !strings.Contains(r.Err, tc.said) || (requests.Load() > 0) != (tc.code == 0) {
				t.Errorf("%+v after %d requests, want exit %d and %q", r, requests.Load(), tc.code, tc.said)
			}
		})
	}
}

// TestProxies: a proxy of the environment carries https, without seeing into it, and nothing
// else.
func TestProxies(t *testing.T) {
	binary := harness.Program(t)
	var asked atomic.Value
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_ = r.Write(io.Discard)
		asked.Store(fmt.Sprint(r.Method, " ", r.URL, r.Header))
		w.WriteHeader(http.StatusBadGateway)
	}))
	t.Cleanup(proxy.Close)
	// No proxy is used for loopback addresses, which this is not.
	_, base := harness.Serve(t, mockserver.Options{Data: mockserver.DataOptions{Events: 100}})
	base = strings.Replace(base, "127.0.0.1", "0.0.0.0", 1)
	for _, tc := range []struct {
		name, base, proxy string
		code              int
		asked             string
	}{
		{"http", base, proxy.URL, 0, ""},
		{"https", strings.Replace(base, "http:", "https:", 1), proxy.URL, 4, "CONNECT "},
	} {
		t.Run(tc.name, func(t *testing.T) {
			asked.Store("")
			for _, name := range []string{"HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY"} {
				t.Setenv(name, tc.proxy)
			}
			t.Setenv("NO_PROXY", "")
			t.Setenv("no_proxy", "")
			folder := t.TempDir()
			r := harness.Run(t.Context(), t, binary, folder, tc.base, "pull", "--quiet", "--max-retry-time", "200ms")
			if got := asked.Load().(string); r.Code != tc.code || !strings.HasPrefix(got, tc.asked) || tc.asked == "" && got != "" {
				t.Errorf("%+v, want exit %d; the proxy was asked for %q, want %q", r, tc.code, got, tc.asked)
			}
			harness.NoSecret(t, []string{"ds_test_canary"}, map[string][]byte{"output": []byte(r.Out + r.Err), "proxy": []byte(asked.Load().(string))}, folder)
		})
	}
}
