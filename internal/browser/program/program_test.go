// Package program looks at the live page of the built program in Chromium: its figures are those of SQL.
package program

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
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

	"datasync/internal/browser"
)

// build builds the program into a folder.
func build(t *testing.T) (program string) {
	t.Helper()
	program = filepath.Join(t.TempDir(), "datasync")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".")
	cmd.Dir = "../../.."
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return program
}

// running is a program that serves a page.
type running struct {
	*exec.Cmd
	t      *testing.T
	output bytes.Buffer
	// url is that of the page, with its token.
	url string
}

// start starts the program in a folder and waits for the URL of its page.
func start(t *testing.T, program, folder string, args ...string) *running {
	t.Helper()
	file := filepath.Join(folder, "url")
	r := &running{t: t, Cmd: exec.CommandContext(t.Context(), program, append(args, "--url-file", file)...)}
	r.Dir, r.Stdout, r.Stderr = folder, &r.output, &r.output
	runtime, err := os.MkdirTemp("/tmp", "page") // the path of a socket must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(runtime) })
	r.Env = append(os.Environ(), "XDG_RUNTIME_DIR="+runtime, "DATASYNC_API_KEY=ds_test_key")
	if err := r.Start(); err != nil {
		t.Fatal(err)
	}
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		if text, err := os.ReadFile(file); err == nil {
			r.url = strings.TrimSpace(string(text))
			return r
		}
		select {
		case <-tick.C:
		case <-t.Context().Done():
			t.Fatalf("no URL: %s", &r.output)
		}
	}
}

// mock starts an API of 20,000 events without limits, and returns its URL.
func mock(t *testing.T, program string) *url.URL {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, "mock", "--addr", "127.0.0.1:0", "--events", "20000", "--profile", "plain")
	said, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Wait() }) // the end of the test kills it
	line, _ := bufio.NewReader(said).ReadString('\n')
	base, err := url.Parse(regexp.MustCompile(`http://[0-9.:]+`).FindString(line))
	if err != nil || base.Host == "" {
		t.Fatalf("%v: %s", err, line)
	}
	return base
}

// query asks the page's server for the result of a statement.
func (r *running) query(statement string) (rows [][]string) {
	r.t.Helper()
	base, token, _ := strings.Cut(r.url, "#")
	body, _ := json.Marshal(map[string]string{"sql": statement})
	req, err := http.NewRequestWithContext(r.t.Context(), http.MethodPost, base+"query", bytes.NewReader(body))
	if err != nil {
		r.t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		r.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	var answer struct {
		Rows  [][]string
		Error any
	}
	text, err := io.ReadAll(res.Body)
	if err == nil {
		err = json.Unmarshal(text, &answer)
	}
	if err != nil || answer.Error != nil {
		r.t.Fatalf("%s: %v: %s", statement, err, text)
	}
	return answer.Rows
}

// table is the rows of the first table of a section of the page, as text without thousands separators.
func table(t *testing.T, p *browser.Page, section string) [][]string {
	t.Helper()
	rows := browser.Eval[[][]string](t, p, `[...(document.querySelector("#`+section+` table")?.tBodies[0].rows ?? [])].map((row) => [...row.cells].map((cell) => cell.textContent))`)
	for _, row := range rows {
		for i := range row {
			row[i] = strings.ReplaceAll(row[i], ",", "")
		}
	}
	return rows
}

// sameAsSQL compares the tables of counts with SQL.
func sameAsSQL(t *testing.T, r *running, p *browser.Page) {
	t.Helper()
	pages := map[string]string{}
	for _, row := range r.query("SELECT coalesce(properties->>'page', '(none)'), count(*)::VARCHAR FROM events GROUP BY ALL") {
		pages[row[0]] = row[1]
	}
	shown := table(t, p, "pages")
	for _, row := range shown {
		if pages[row[0]] != row[1] {
			t.Errorf("page %s has %s events, and %s by SQL", row[0], row[1], pages[row[0]])
		}
	}
	if len(shown) != len(pages) {
		t.Errorf("%d pages, and %d by SQL", len(shown), len(pages))
	}
	days := r.query("SELECT count(*)::VARCHAR FROM events GROUP BY timestamp::DATE ORDER BY timestamp::DATE")
	at := 0
	for _, row := range table(t, p, "days") {
		if row[1] == "–" || row[1] == "0" {
			continue
		}
		if at == len(days) || days[at][0] != row[1] {
			t.Fatalf("day %s has %s events, and by SQL the days have %v", row[0], row[1], days)
		}
		at++
	}
	if at != len(days) || at == 0 {
		t.Errorf("%d days, and %d by SQL", at, len(days))
	}
}

// clean reports all faults of a page.
func clean(t *testing.T, p *browser.Page) {
	t.Helper()
	for _, fault := range p.Faults(t) {
		t.Error(fault)
	}
}

// TestServe: all sections of a file are there, without a fault, and their figures are those of SQL.
func TestServe(t *testing.T) {
	b, program, folder := browser.Start(t), build(t), t.TempDir()
	pull := exec.CommandContext(t.Context(), program, "pull", "--demo", "--demo-events", "20000", "--quiet")
	pull.Dir = folder
	if out, err := pull.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	r := start(t, program, folder, "serve")
	for _, look := range []browser.Look{{Width: 1280}, {Width: 390, Dark: true}} {
		p := b.Open(t, r.url, look)
		p.Await(t, `document.getElementById("definitions") && document.getElementById("state").innerText.includes("Idle")`)
		sameAsSQL(t, r, p)
		users := r.query("SELECT count(DISTINCT user_id)::VARCHAR FROM events GROUP BY timestamp::DATE ORDER BY timestamp::DATE")
		for i, row := range table(t, p, "users") {
			if row[1] != users[i][0] {
				t.Errorf("day %s has %s users, and %s by SQL", row[0], row[1], users[i][0])
			}
		}
		if browser.Eval[bool](t, p, `location.hash !== "" || document.cookie !== ""`) {
			t.Error("the token is still in the address, or in a cookie")
		}
		clean(t, p)
	}
	if err := r.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := r.Wait(); err != nil {
		t.Errorf("%v: %s", err, &r.output)
	}
}

// TestPullServe: while a pull waits, the counts of its batches are those of SQL on a copy of its file; at its end the
// page says so, and has the figures of all events.
func TestPullServe(t *testing.T) {
	b, program, folder := browser.Start(t), build(t), t.TempDir()
	api := httputil.NewSingleHostReverseProxy(mock(t, program))
	const size, first = 500, 6 // the pages that are served at once
	looked := make(chan struct{})
	var pages atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if req.URL.Query().Has("limit") && pages.Add(1) > first {
			<-looked
		}
		api.ServeHTTP(w, req)
	}))
	defer server.Close()
	r := start(t, program, folder, "pull", "--workers", "1", "--page-size", fmt.Sprint(size), "--base-url", server.URL, "--serve")
	p := b.Open(t, r.url, browser.Look{Width: 1280})
	p.Await(t, `document.querySelector("#days .chip")?.textContent.endsWith("live") && document.getElementById("state").innerText.includes("Pulling") && document.querySelectorAll("#days table tbody tr").length > 0`)
	// The next batch comes only once the page was looked at.
	stored := ""
	for tick := time.NewTicker(50 * time.Millisecond); stored != fmt.Sprint(size*first); <-tick.C {
		stored = r.query("SELECT count(*)::VARCHAR FROM events")[0][0]
	}
	p.Await(t, `document.getElementById("events").textContent.replaceAll(",", "").includes("`+stored+`")`)
	batch := r.query("SELECT max(batch)::VARCHAR FROM page_log")[0][0]
	p.Await(t, `document.querySelector("#days .chip").textContent === "batch `+batch+` · live"`)
	sameAsSQL(t, r, p)
	clean(t, p)
	close(looked)
	p.Await(t, `document.getElementById("state").innerText.includes("Ended")`)
	if err := r.Wait(); err != nil {
		t.Errorf("%v: %s", err, &r.output)
	}
	if got := browser.Eval[string](t, p, `document.getElementById("state").innerText`); got != "Ended, complete" {
		t.Errorf("the page says %q", got)
	}
	if n := len(table(t, p, "users")); n == 0 {
		t.Error("no figures of users at the end")
	}
	clean(t, p)
}
