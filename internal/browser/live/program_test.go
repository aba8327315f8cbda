package live

import (
	"bufio"
	"bytes"
	"context"
	"encoding/csv"
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

func TestMain(m *testing.M) {
	code := m.Run()
	if built.folder != "" {
		_ = os.RemoveAll(built.folder)
	}
	os.Exit(code)
}

// program builds datasync and returns its path.
func program(t *testing.T) string {
	t.Helper()
	built.once.Do(func() {
		if built.folder, built.err = os.MkdirTemp("", "datasync-live-"); built.err != nil {
			return
		}
		build := exec.Command("go", "build", "-o", filepath.Join(built.folder, "datasync"), ".")
		build.Dir = filepath.Join("..", "..", "..")
		if out, err := build.CombinedOutput(); err != nil {
			t.Log(string(out))
			built.err = err
		}
	})
	if built.err != nil {
		t.Fatal(built.err)
	}
	return filepath.Join(built.folder, "datasync")
}

// served is a running pull --serve or serve.
type served struct {
	t    *testing.T
	cmd  *exec.Cmd
	url  string // with the token
	said *bytes.Buffer
	done chan struct{}
}

// serve starts a command that serves the page, and waits until its URL is in a file.
func serve(t *testing.T, folder string, env []string, args ...string) *served {
	t.Helper()
	file := filepath.Join(t.TempDir(), "url")
	runtime, err := os.MkdirTemp("/tmp", "page") // the path of a socket must be short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(runtime) })
	ctx, cancel := context.WithCancel(context.Background())
	s := &served{t: t, cmd: exec.CommandContext(ctx, program(t), append(args, "--url-file", file)...), said: &bytes.Buffer{}, done: make(chan struct{})}
	s.cmd.Dir = folder
	s.cmd.Env = append(append(os.Environ(), "XDG_RUNTIME_DIR="+runtime), env...)
	stderr, err := s.cmd.StderrPipe()
	if err == nil {
		err = s.cmd.Start()
	}
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	known := make(chan struct{})
	go func() {
		defer close(s.done)
		lines, found := bufio.NewScanner(stderr), false
		for lines.Scan() {
			s.said.WriteString(lines.Text() + "\n")
			if !found && strings.Contains(lines.Text(), "its URL is in") {
				close(known)
				found = true
			}
		}
		_ = s.cmd.Wait()
	}()
	t.Cleanup(func() {
		cancel()
		<-s.done
	})
	select {
	case <-known:
	case <-s.done:
		t.Fatalf("%v ended: %s", args, s.said)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	s.url = strings.TrimSpace(string(text))
	if strings.Contains(s.url, "#") {
		return s
	}
	t.Fatalf("the file has %q", text)
	return nil
}

// parts are the URL without the token, and the token.
func (s *served) parts() (address, token string) {
	address, token, _ = strings.Cut(s.url, "#")
	return address, token
}

// end waits for the end and returns the exit code.
func (s *served) end() int {
	<-s.done
	return s.cmd.ProcessState.ExitCode()
}

// stop sends SIGINT.
func (s *served) stop() {
	if err := s.cmd.Process.Signal(syscall.SIGINT); err != nil {
		s.t.Error(err)
	}
}

// mock starts an API that sends each answer at a rate, so that a pull has many batches, and returns its URL. stop ends it.
func mock(t *testing.T, events, rate string) (address string, stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, program(t), "mock", "--addr", "127.0.0.1:0", "--events", events, "--profile", "plain", "--rate", rate)
	said, err := cmd.StderrPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cancel()
		_ = cmd.Wait()
	})
	line, _ := bufio.NewReader(said).ReadString('\n')
	address = regexp.MustCompile(`http://[0-9.:]+`).FindString(line)
	if address == "" {
		t.Fatalf("mock says %q", line)
	}
	return address, cancel
}

// query returns the rows of a statement on a file.
func query(t *testing.T, folder, sql string) [][]string {
	t.Helper()
	cmd := exec.Command(program(t), "query", "--format", "csv", sql)
	cmd.Dir = folder
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	rows, err := csv.NewReader(bytes.NewReader(out)).ReadAll()
	if err != nil || len(rows) == 0 {
		t.Fatalf("%s: %v", sql, err)
	}
	return rows[1:]
}
