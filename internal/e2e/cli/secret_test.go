package cli_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"datasync/internal/e2e/harness"
	"datasync/mockserver"
)

// echo is a server's way to send back the key, or the feed's token.
type echo struct {
	name string
	// answer replaces all responses but the first two; with feed those of the feed, and with
	// ofAccess those of stream-access as well.
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

// TestEchoes: a server may send back the key or the feed's token in any place. Neither is in any
// output or file.
func TestEchoes(t *testing.T) {
	binary := harness.Program(t)
	for i, e := range echoes {
		if !harness.Tried(i, len(echoes), 12) {
			continue
		}
		t.Run(e.name, func(t *testing.T) {
			t.Parallel()
			key := "DS_TEST_CANARY_KEY" // in the form of the API's codes
			if e.page != nil {
				key = "ds_test_+Canary/0123456789=="
			}
			folder, runtime := t.TempDir(), t.TempDir()
			base, repaired := echoing(t, e, key)
			outputs := map[string][]byte{}
			datasync := func(args ...string) []byte {
				cmd := exec.CommandContext(t.Context(), binary, args...)
				cmd.Dir = folder
				cmd.Env = append(os.Environ(), "DATASYNC_API_KEY="+key, "DATASYNC_BASE_URL="+base, "XDG_RUNTIME_DIR="+runtime)
				out, _ := cmd.CombinedOutput()
				outputs[strings.Join(args, " ")] = out
				return out
			}
			requests := 0
			for line := range strings.Lines(string(datasync("pull", "-v", "--max-retry-time", "400ms", "--max-wait", "1s", "--workers", "1"))) {
				if !strings.HasPrefix(line, "datasync: ") && !strings.HasPrefix(line, "  ") {
					t.Errorf("said %q", line)
				}
				if strings.HasPrefix(line, "datasync: GET /") {
					requests++
				}
			}
			if requests < 3 {
				t.Errorf("%d requests are shown", requests)
			}
			tables := string(datasync("query", "--format", "json", "FROM page_log; FROM checkpoints; FROM runs; FROM meta; FROM rejected_events"))
			if !strings.Contains(tables, `"stored":100`) {
				t.Errorf("the tables are %s", tables)
			}
			repaired.Store(true)
			if e.page != nil {
				datasync("pull")
				if out := string(datasync("query", "SELECT count(*), count(DISTINCT id) FROM events")); !strings.HasSuffix(out, "\n1000,1000\n") {
					t.Errorf("stored are %q", out)
				}
			}
			datasync("pull", "--dry-run", "--json", "--verbose")
			harness.NoSecret(t, []string{key, echoedToken}, outputs, folder, runtime)
		})
	}
}

const echoedToken = "DS_TEST_TOKEN_OF_THE_FEED"

// echoing serves an API of 1,000 events on pages of 100. After two good pages it sends back the
// secret. With an echo in pages all pages have it, and requests fail after the third page until
// repaired is set.
func echoing(t *testing.T, e echo, key string) (base string, repaired *atomic.Bool) {
	t.Helper()
	api := mockserver.New(mockserver.Options{Key: key, Data: mockserver.DataOptions{Events: 1000}, Events: mockserver.Pages{Cap: 100}, Feed: mockserver.Pages{Cap: 100}})
	var pages atomic.Int64
	repaired = &atomic.Bool{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		isEvents, isAccess := r.URL.Path == "/api/v1/events", r.Method == http.MethodPost
		switch {
		case e.page != nil:
			switch {
			case !repaired.Load() && (!isEvents || pages.Add(1) > 3):
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
	return server.URL, repaired
}

// echoPage sends a page that contains the key.
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

// TestWhatAPullLeavesBehind: a pull may end with its stacks on stderr, as by a panic or a signal.
// The key is not there, in a core file or on the command line.
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
