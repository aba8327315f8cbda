// Package program runs the built program for the tests that look at its pages: to its end, as a server of a page, and
// as an API.
package program

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// built is the folder with the program, once a test has built it.
var built struct {
	once   sync.Once
	folder string
	err    error
}

// Main runs a package's tests and exits with their code. A package that uses this one calls it from its TestMain.
func Main(m *testing.M) {
	code := m.Run()
	if built.folder != "" {
		_ = os.RemoveAll(built.folder)
	}
	os.Exit(code)
}

// path returns where the program is. The first call builds it.
func path(t testing.TB) string {
	t.Helper()
	built.once.Do(func() {
		if built.folder, built.err = os.MkdirTemp("", "datasync-browser-"); built.err != nil {
			return
		}
		build := exec.Command("go", "build", "-o", filepath.Join(built.folder, "datasync"), ".")
		build.Dir = filepath.Join("..", "..", "..")
		if out, err := build.CombinedOutput(); err != nil {
			built.err = fmt.Errorf("go build: %w: %s", err, out)
		}
	})
	if built.err != nil {
		t.Fatal(built.err)
	}
	return filepath.Join(built.folder, "datasync")
}

// command returns the program, not yet started, in a folder and with a key. It is killed when the test ends.
func command(t testing.TB, folder string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), path(t), args...)
	cmd.Dir, cmd.Env = folder, append(os.Environ(), "DATASYNC_API_KEY=ds_test_key")
	return cmd
}

// Run runs the program in a folder to its end, and returns its stdout. It fails the test if the program fails.
func Run(t testing.TB, folder string, args ...string) []byte {
	t.Helper()
	out, err := command(t, folder, args...).Output()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		t.Fatalf("datasync %q: %v: %s", args, err, exit.Stderr)
	}
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// SQL returns the rows of a statement on the database of a folder as text. Days and hours are those of a time zone.
func SQL(t testing.TB, folder, zone, statement string) [][]string {
	t.Helper()
	out := Run(t, folder, "query", "--format", "csv", "--timezone", zone, statement)
	rows, err := csv.NewReader(bytes.NewReader(out)).ReadAll()
	if err != nil || len(rows) == 0 {
		t.Fatalf("%s: %v: %.200s", statement, err, out)
	}
	return rows[1:]
}

// listen starts the program and reads lines of its stderr up to one that a pattern matches. ended is closed at its end.
func listen(t testing.TB, cmd *exec.Cmd, pattern string) (match string, said *bytes.Buffer, ended <-chan struct{}) {
	t.Helper()
	stderr, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	said, found, done := &bytes.Buffer{}, make(chan string, 1), make(chan struct{})
	go func() {
		defer close(done)
		wanted := regexp.MustCompile(pattern)
		for lines := bufio.NewScanner(stderr); lines.Scan(); {
			said.WriteString(lines.Text() + "\n")
			if match := wanted.FindString(lines.Text()); match != "" && len(found) == 0 {
				found <- match
			}
		}
		_ = cmd.Wait()
	}()
	t.Cleanup(func() { <-done }) // the end of the test kills it
	select {
	case match = <-found:
	case <-done:
		t.Fatalf("%q ended: %s", cmd.Args, said)
	}
	return match, said, done
}

// Mock starts datasync mock, and returns its URL. stop kills it.
func Mock(t testing.TB, args ...string) (address string, stop func()) {
	t.Helper()
	cmd := command(t, t.TempDir(), append([]string{"mock", "--addr", "127.0.0.1:0"}, args...)...)
	address, _, ended := listen(t, cmd, `http://[0-9.:]+`)
	return address, func() { _ = cmd.Process.Kill(); <-ended }
}

// Served is a running pull --serve or serve.
type Served struct {
	// URL is that of the page with its token.
	URL string

	t     testing.TB
	cmd   *exec.Cmd
	said  *bytes.Buffer
	ended <-chan struct{}
}

// Serve starts a command that serves a page, and waits for its URL.
func Serve(t testing.TB, folder string, args ...string) *Served {
	t.Helper()
	runtime, err := os.MkdirTemp("/tmp", "page") // the path of a socket must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(runtime) })
	file := filepath.Join(runtime, "url")
	s := &Served{t: t, cmd: command(t, folder, append(args, "--url-file", file)...)}
	s.cmd.Env = append(s.cmd.Env, "XDG_RUNTIME_DIR="+runtime)
	_, s.said, s.ended = listen(t, s.cmd, "its URL is in")
	text, err := os.ReadFile(file)
	if err != nil || !bytes.Contains(text, []byte("#")) {
		t.Fatalf("the file of the URL has %q: %v", text, err)
	}
	s.URL = strings.TrimSpace(string(text))
	return s
}

// Parts are the URL without the token, and the token.
func (s *Served) Parts() (address, token string) {
	address, token, _ = strings.Cut(s.URL, "#")
	return address, token
}

// Stop sends SIGINT.
func (s *Served) Stop() {
	if err := s.cmd.Process.Signal(syscall.SIGINT); err != nil {
		s.t.Error(err)
	}
}

// End waits for the end, and returns the exit code and all messages.
func (s *Served) End() (code int, said string) {
	<-s.ended
	return s.cmd.ProcessState.ExitCode(), s.said.String()
}

// SQL asks the page's server for the rows of a statement.
func (s *Served) SQL(statement string) [][]string {
	s.t.Helper()
	address, token := s.Parts()
	body, _ := json.Marshal(map[string]string{"sql": statement})
	r, err := http.NewRequestWithContext(context.Background(), http.MethodPost, address+"query", bytes.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	r.Header.Set("Authorization", "Bearer "+token)
	res, err := http.DefaultClient.Do(r)
	if err != nil {
		s.t.Fatal(err)
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
		s.t.Fatalf("%s: %v: %s", statement, err, text)
	}
	return answer.Rows
}
