package cli_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"datasync/internal/dbfile"
	"datasync/internal/e2e/harness"
	"datasync/mockserver"
)

// pageURL is the URL of a live page with its token.
var pageURL = regexp.MustCompile(`^http://127\.0\.0\.1:[0-9]+/#[A-Za-z0-9_-]{43}\n$`)

// privateRuntime gives the programs of a test a runtime folder of their own, with a short path.
func privateRuntime(t *testing.T) string {
	t.Helper()
	folder, err := os.MkdirTemp("/tmp", "page")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	t.Setenv("XDG_RUNTIME_DIR", folder)
	return folder
}

// livePage is a page that a program serves.
type livePage struct {
	t           *testing.T
	base, token string
}

// pageOf waits for the file with the URL of a page, which only this user can read.
func pageOf(t *testing.T, pattern string) livePage {
	t.Helper()
	var text []byte
	harness.Await(t, "the URL is written", func() bool {
		names, err := filepath.Glob(pattern)
		if err != nil || len(names) != 1 {
			return false
		}
		info, err := os.Stat(names[0])
		if err != nil {
			return false
		}
		if info.Mode().Perm() != 0o600 {
			t.Fatalf("%s has mode %v", names[0], info.Mode())
		}
		text, err = os.ReadFile(names[0])
		return err == nil
	})
	if !pageURL.Match(text) {
		t.Fatalf("URL %q", text)
	}
	base, token, _ := strings.Cut(strings.TrimSpace(string(text)), "/#")
	return livePage{t, base, token}
}

// ask sends a request with the token.
func (p livePage) ask(ctx context.Context, path, body string) (*http.Response, error) {
	method := http.MethodGet
	if body != "" {
		method = http.MethodPost
	}
	r, err := http.NewRequestWithContext(ctx, method, p.base+path, strings.NewReader(body))
	if err != nil {
		p.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+p.token)
	return (&http.Transport{DisableKeepAlives: true}).RoundTrip(r)
}

// pageLine is a line of the stream.
type pageLine struct {
	Kind, State, ID, Chip, HTML string
	Exit                        *int
	Events                      *int64
	Endpoints                   []struct{ Name, State, Reason string }
}

// stream calls see with each line of the page's stream until that returns false. It returns the last state, whether
// the stream ended, and the sections.
func (p livePage) stream(see func(state pageLine, sections map[string]pageLine) bool) (state pageLine, sections map[string]pageLine) {
	p.t.Helper()
	res, err := p.ask(p.t.Context(), "/stream", "")
	if err != nil || res.StatusCode != http.StatusOK {
		p.t.Fatal(res, err)
	}
	defer func() { _ = res.Body.Close() }()
	sections = map[string]pageLine{}
	lines := bufio.NewScanner(res.Body)
	lines.Buffer(nil, 16<<20)
	for lines.Scan() {
		var l pageLine
		if err := json.Unmarshal(lines.Bytes(), &l); err != nil {
			p.t.Fatal(err)
		}
		if l.Kind == "state" {
			state = l
		} else if l.HTML != "" {
			sections[l.ID] = l
		}
		if !see(state, sections) {
			return state, sections
		}
	}
	return state, sections
}

// TestServe: without a terminal the URL goes to a file of this user and nowhere else; a signal ends the page with 0
// and removes the file.
func TestServe(t *testing.T) {
	runtime, folder := privateRuntime(t), harness.Demo(t)
	for _, signal := range []os.Signal{syscall.SIGTERM, os.Interrupt, syscall.SIGHUP} {
		p := harness.Prepare(t.Context(), t, harness.Program(t), "serve")
		p.Dir = folder
		if err := p.Start(); err != nil {
			t.Fatal(err)
		}
		page := pageOf(t, filepath.Join(runtime, "datasync", "page-*", "url"))
		res, err := http.Get(page.base + "/")
		if err != nil || res.StatusCode != http.StatusOK || !strings.Contains(res.Header.Get("Content-Security-Policy"), "require-trusted-types-for 'script'") {
			t.Error(res, err)
		}
		_ = res.Body.Close()
		_, sections := page.stream(func(_ pageLine, sections map[string]pageLine) bool { return sections["definitions"].HTML == "" })
		if !strings.Contains(sections["days"].HTML, "<svg") {
			t.Errorf("%+v", sections["days"])
		}
		// The file is closed between two requests.
		if r := harness.Run(t.Context(), t, harness.Program(t), folder, "", "pull", "--demo", "--demo-events", "2000", "--demo-shape", "flat", "--quiet"); r.Code != 0 {
			t.Error(r)
		}
		if err := p.Process.Signal(signal); err != nil {
			t.Fatal(err)
		}
		r := p.Wait()
		if r.Code != 0 || r.Out != "" || !regexp.MustCompile(`^datasync: serving datasync\.duckdb on this machine until Ctrl-C; its URL is in /tmp/page[^ ]*/url\n$`).MatchString(r.Err) || strings.Contains(r.Err, page.token) {
			t.Error(r)
		}
		if left, _ := filepath.Glob(filepath.Join(runtime, "datasync", "*")); len(left) != 0 {
			t.Errorf("%q are left", left)
		}
	}
}

// TestServeOnATerminal: a terminal shows the URL, and Ctrl-C ends the page with 0.
func TestServeOnATerminal(t *testing.T) {
	privateRuntime(t)
	x := harness.NewTerminal(t, harness.Demo(t), nil, "serve")
	x.Expect(`serving datasync\.duckdb on this machine until Ctrl-C:\r?\nhttp://127\.0\.0\.1:[0-9]+/#[A-Za-z0-9_-]{43}\r?\n`)
	x.Send("\x03")
	if code := x.Exit(); code != 0 {
		t.Errorf("exit %d: %s", code, x.Text())
	}
}

// TestServeLeftovers: a page removes what a killed one has left.
func TestServeLeftovers(t *testing.T) {
	runtime, folder := privateRuntime(t), harness.Demo(t)
	pattern := filepath.Join(runtime, "datasync", "page-*", "url")
	for range 2 {
		p := harness.Prepare(t.Context(), t, harness.Program(t), "serve")
		p.Dir = folder
		if err := p.Start(); err != nil {
			t.Fatal(err)
		}
		pageOf(t, filepath.Join(runtime, "datasync", "page-"+fmt.Sprint(p.Process.Pid)+"-*", "url"))
		if all, _ := filepath.Glob(pattern); len(all) != 1 {
			t.Errorf("%q", all)
		}
		_ = p.Process.Kill()
		p.Wait()
	}
}

// TestServeOpens: the browser gets a file of this user that leads to the page. No argument has the token, and the
// file is gone after the first request with it.
func TestServeOpens(t *testing.T) {
	runtime, folder := privateRuntime(t), harness.Demo(t)
	browser := filepath.Join(folder, "browser")
	script := "#!/bin/sh\nprintf %s \"$*\" >" + folder + "/arguments.new\nstat -c %a \"$1\" >" + folder + "/mode\ncat \"$1\" >" + folder + "/opened\nmv " + folder + "/arguments.new " + folder + "/arguments\n"
	if err := os.WriteFile(browser, []byte(script), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("BROWSER", browser)
	urlFile := filepath.Join(folder, "url")
	p := harness.Prepare(t.Context(), t, harness.Program(t), "serve", "--open", "--url-file", urlFile)
	p.Dir = folder
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	page := pageOf(t, urlFile)
	read := func(name string) string {
		b, _ := os.ReadFile(filepath.Join(folder, name))
		return string(b)
	}
	harness.Await(t, "the browser is called", func() bool { return read("arguments") != "" })
	redirect := read("arguments")
	if strings.Contains(redirect, page.token) || !strings.HasPrefix(redirect, runtime) || read("mode") != "600\n" || !strings.Contains(read("opened"), `content="0;url=`+page.base+"/#"+page.token+`"`) {
		t.Errorf("the browser opened %q of mode %q: %q", redirect, read("mode"), read("opened"))
	}
	if _, err := os.Stat(redirect); err != nil {
		t.Error(err)
	}
	res, err := page.ask(t.Context(), "/complete", `{"text":"SELECT","at":6}`)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatal(res, err)
	}
	_ = res.Body.Close()
	if _, err := os.Stat(redirect); err == nil {
		t.Error("the file that leads to the page is still there")
	}
	_ = p.Process.Signal(syscall.SIGTERM)
	if r := p.Wait(); r.Code != 0 || strings.Contains(r.Out+r.Err, page.token) {
		t.Error(r)
	}
	if _, err := os.Stat(urlFile); err == nil {
		t.Error("the file with the URL is still there")
	}
}

// TestAPullDuringAQuery: a pull never ends with 6 because of a page: the statement of the page ends, and is asked again
// of the pull's copy or of the file after it.
func TestAPullDuringAQuery(t *testing.T) {
	privateRuntime(t)
	folder := harness.Demo(t)
	urlFile := filepath.Join(folder, "url")
	p := harness.Prepare(t.Context(), t, harness.Program(t), "serve", "--url-file", urlFile)
	p.Dir = folder
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	page := pageOf(t, urlFile)
	ctx, cancel := context.WithCancel(t.Context())
	asked := make(chan struct{})
	go func() {
		defer close(asked)
		res, err := page.ask(ctx, "/query", `{"sql":"SELECT count(*) FROM range(1000000000000) a, range(1000000) b WHERE a.range * b.range = 7"}`)
		if err == nil {
			_ = res.Body.Close()
		}
	}()
	path := filepath.Join(folder, "datasync.duckdb")
	harness.Await(t, "the page has the file open", func() bool {
		h, err := dbfile.LockHolder(path)
		return err == nil && h != nil && h.PID == p.Process.Pid
	})
	if r := harness.Run(t.Context(), t, harness.Program(t), folder, "", "pull", "--demo", "--demo-events", "2000", "--demo-shape", "flat"); r.Code != 0 {
		t.Error(r)
	}
	cancel()
	<-asked
	_ = p.Process.Signal(syscall.SIGTERM)
	if r := p.Wait(); r.Code != 0 {
		t.Error(r)
	}
}

// TestPullServes: the page of a pull shows what it waits for and the counts of its batches, answers SQL from a copy, and
// says how the pull ended.
func TestPullServes(t *testing.T) {
	privateRuntime(t)
	folder := t.TempDir()
	base, _ := harness.ServeUntilFifth(t, mockserver.RateLimitedIn(mockserver.RetryAfterSeconds, time.Hour))
	urlFile := filepath.Join(folder, "url")
	pull, output := harness.Command(t.Context(), harness.Program(t), folder, base, "pull", "--max-wait", "2h", "--serve", "--url-file", urlFile)
	if err := pull.Start(); err != nil {
		t.Fatal(err)
	}
	page := pageOf(t, urlFile)
	state, sections := page.stream(func(state pageLine, sections map[string]pageLine) bool {
		return state.State != "waiting" || state.Events == nil || *state.Events != 400 || !strings.HasSuffix(sections["days"].Chip, " · live")
	})
	if len(state.Endpoints) < 2 || state.Endpoints[0].Name != "events endpoint" || state.Endpoints[0].State != "waiting" || !strings.HasPrefix(state.Endpoints[0].Reason, "answered 429, opens ") {
		t.Errorf("%+v, %q", state, sections["days"].Chip)
	}
	res, err := page.ask(t.Context(), "/query", `{"sql":"SELECT count(*) FROM events"}`)
	if err != nil {
		t.Fatal(err)
	}
	var got struct{ Rows [][]string }
	err = json.NewDecoder(res.Body).Decode(&got)
	if _ = res.Body.Close(); err != nil || len(got.Rows) != 1 || got.Rows[0][0] != "400" {
		t.Errorf("%v, %+v", err, got)
	}
	said := make(chan pageLine, 1)
	connected := make(chan struct{})
	go func() {
		first := true
		last, _ := page.stream(func(pageLine, map[string]pageLine) bool {
			if first {
				close(connected)
				first = false
			}
			return true
		})
		said <- last
	}()
	<-connected
	if err := pull.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	_ = pull.Wait()
	if code := pull.ProcessState.ExitCode(); code != 143 {
		t.Errorf("exit %d: %s", code, output)
	}
	if last := <-said; last.State != "ended" || last.Exit == nil || *last.Exit != 143 {
		t.Errorf("%+v", last)
	}
	if bytes.Contains(output.Bytes(), []byte(page.token)) {
		t.Errorf("the token is in %s", output)
	}
}

// TestPullServesToItsEnd: the page of a pull to the end has the figures of all its events.
func TestPullServesToItsEnd(t *testing.T) {
	privateRuntime(t)
	folder := t.TempDir()
	api := mockserver.New(mockserver.Options{Data: mockserver.DataOptions{Events: 3000, Shape: mockserver.ShapeLively}, Events: mockserver.Pages{Cap: 500}})
	watched := make(chan struct{})
	var requests atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if requests.Add(1) > 3 {
			<-watched
		}
		api.ServeHTTP(w, r)
	}))
	defer server.Close()
	urlFile := filepath.Join(folder, "url")
	pull, output := harness.Command(t.Context(), harness.Program(t), folder, server.URL, "pull", "--quiet", "--serve", "--url-file", urlFile)
	if err := pull.Start(); err != nil {
		t.Fatal(err)
	}
	first := true
	state, sections := pageOf(t, urlFile).stream(func(pageLine, map[string]pageLine) bool {
		if first {
			close(watched)
			first = false
		}
		return true
	})
	_ = pull.Wait()
	if code := pull.ProcessState.ExitCode(); code != 0 || output.Len() != 0 {
		t.Errorf("exit %d: %s", code, output)
	}
	if state.State != "ended" || state.Exit == nil || *state.Exit != 0 || state.Events == nil || *state.Events != 3000 {
		t.Errorf("%+v", state)
	}
	for _, id := range []string{"days", "hours", "week", "errors", "pages", "devices", "windows", "users", "sessions", "funnel", "retention"} {
		if sections[id].HTML == "" {
			t.Errorf("no section %s", id)
		}
	}
	if r := harness.Run(t.Context(), t, harness.Program(t), folder, "", "verify"); r.Code != 0 {
		t.Error(r)
	}
}

// TestOpenAfterTheEnd: a pull that is over before its browser has started waits for it, and shows it the figures.
func TestOpenAfterTheEnd(t *testing.T) {
	privateRuntime(t)
	folder := t.TempDir()
	browser := filepath.Join(folder, "browser")
	if err := os.WriteFile(browser, []byte("#!/bin/sh\ncp \"$1\" "+folder+"/new && mv "+folder+"/new "+folder+"/opened\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	t.Setenv("BROWSER", browser)
	pull, output := harness.Command(t.Context(), harness.Program(t), folder, "", "pull", "--demo", "--demo-events", "2000", "--serve", "--open", "--quiet")
	if err := pull.Start(); err != nil {
		t.Fatal(err)
	}
	var url []string
	harness.Await(t, "the pull is over, and the browser starts", func() bool {
		text, _ := os.ReadFile(filepath.Join(folder, "opened"))
		url = regexp.MustCompile(`(http://[0-9.:]+)/#([A-Za-z0-9_-]{43})`).FindStringSubmatch(string(text))
		_, err := os.Stat(filepath.Join(folder, "datasync.duckdb.lock"))
		_, made := os.Stat(filepath.Join(folder, "datasync.duckdb"))
		return url != nil && os.IsNotExist(err) && made == nil
	})
	state, sections := livePage{t, url[1], url[2]}.stream(func(pageLine, map[string]pageLine) bool { return true })
	_ = pull.Wait()
	if code := pull.ProcessState.ExitCode(); code != 0 || output.Len() != 0 {
		t.Errorf("exit %d: %s", code, output)
	}
	if state.State != "ended" || state.Exit == nil || *state.Exit != 0 || sections["days"].HTML == "" || sections["users"].HTML == "" {
		t.Errorf("%+v, %d sections", state, len(sections))
	}
}
