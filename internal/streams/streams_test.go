//go:build !race

// With the race detector, descriptor 2 is not replaced.

package streams_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"datasync/internal/streams"

	"golang.org/x/sys/unix"
)

// childEnv says which child of the tests this process is.
const childEnv = "DATASYNC_TEST_CHILD"

func TestMain(m *testing.M) {
	child := os.Getenv(childEnv)
	if child == "" {
		os.Exit(m.Run())
	}
	if child == "not blocking" {
		_, _ = unix.SetNonblock(1, true), unix.SetNonblock(2, true)
	}
	s, err := streams.Take()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(3)
	}
	// Like a library in C.
	for _, fd := range []int{1, 2} {
		_, _ = unix.Write(fd, []byte("from elsewhere\n"))
	}
	fmt.Println("from elsewhere")
	switch child {
	case "write":
		fmt.Fprintln(s.Stdout, "data")
		fmt.Fprintln(s.Stderr, "talk")
	case "not blocking":
		for _, f := range []*os.File{s.Stdout, s.Stderr} {
			flags := 0
			if c, err := f.SyscallConn(); err == nil {
				_ = c.Control(func(fd uintptr) { flags, _ = unix.FcntlInt(fd, unix.F_GETFL, 0) })
			}
			fmt.Fprintln(f, flags&unix.O_NONBLOCK != 0)
		}
	case "panic":
		panic("a fault of the program")
	case "throw":
		m := map[int]int{}
		for range 8 {
			go func() {
				for {
					m[1]++
				}
			}()
		}
		select {}
	case "reader gone":
		n := 0
		for {
			if _, err = s.Stdout.Write(make([]byte, 1<<16)); err != nil {
				break
			}
			n++
		}
		fmt.Fprintln(s.Stderr, errors.Is(err, syscall.EPIPE), err)
	case "process":
		cmd := exec.Command("sh", "-c", "echo data; echo talk >&2; ls -l /proc/self/fd/ | grep -c pipe >&2")
		cmd.Stdout, cmd.Stderr = s.Stdout, s.Stderr
		_ = cmd.Run()
		// Without streams of its own, a process does not get those of this one.
		_ = exec.Command("sh", "-c", "echo elsewhere; echo elsewhere >&2").Run()
	}
	os.Exit(0)
}

// child runs this test binary as a child of a shell that redirects its streams.
func child(t *testing.T, what, shell string) (stdout, stderr string, code int) {
	t.Helper()
	cmd := exec.Command("bash", "-c", shell+`exec "$@"`, "bash", os.Args[0])
	if rest, ok := strings.CutPrefix(shell, "redirect "); ok {
		cmd = exec.Command("bash", "-c", `exec "$@" `+rest, "bash", os.Args[0])
	}
	cmd.Env = append(os.Environ(), childEnv+"="+what)
	var out, err bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &err
	var exit *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return out.String(), err.String(), cmd.ProcessState.ExitCode()
}

// TestOnlyTheProgramWrites: writes of libraries to descriptors 1 and 2 are discarded, also if the
// descriptors were closed when the program started.
func TestOnlyTheProgramWrites(t *testing.T) {
	for _, c := range []struct{ redirect, stdout, stderr string }{
		{"", "data\n", "talk\n"},
		{"redirect >&-", "", "talk\n"},
		{"redirect 2>&-", "data\n", ""},
		{"redirect <&- >&- 2>&-", "", ""},
		{"redirect 2>&1", "data\ntalk\n", ""},
		{"redirect 3</dev/null 4</dev/null", "data\n", "talk\n"},
	} {
		stdout, stderr, code := child(t, "write", c.redirect)
		if code != 0 || stdout != c.stdout || stderr != c.stderr {
			t.Errorf("%q: exit %d, %q and %q", c.redirect, code, stdout, stderr)
		}
	}
}

// TestNonBlockingStream: a stream that another process has made non-blocking stays so, and all
// data arrive.
func TestNonBlockingStream(t *testing.T) {
	if stdout, stderr, code := child(t, "not blocking", ""); code != 0 || stdout != "true\n" || stderr != "true\n" {
		t.Errorf("exit %d, %q, %q", code, stdout, stderr)
	}
}

// TestCrashesAreSeen: the runtime still reports a crash on stderr.
func TestCrashesAreSeen(t *testing.T) {
	for what, want := range map[string]string{"panic": "panic: a fault of the program", "throw": "goroutine "} {
		stdout, stderr, code := child(t, what, "")
		if code != 2 || stdout != "" || !strings.Contains(stderr, want) || !strings.Contains(stderr, "goroutine ") || strings.Contains(stderr, "elsewhere") {
			t.Errorf("%s: exit %d, %q and %.500s", what, code, stdout, stderr)
		}
	}
}

// TestClosedReader: the write fails, and the process continues.
func TestClosedReader(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	_ = r.Close()
	cmd := exec.Command(os.Args[0])
	var stderr bytes.Buffer
	cmd.Env, cmd.Stdout, cmd.Stderr = append(os.Environ(), childEnv+"=reader gone"), w, &stderr
	if err := cmd.Run(); err != nil || !strings.HasPrefix(stderr.String(), "true write /dev/stdout") {
		t.Errorf("%v, %q", err, stderr.String())
	}
	_ = w.Close()
}

// TestChildProcesses: they get the streams that they are given, and no other.
func TestChildProcesses(t *testing.T) {
	stdout, stderr, _ := child(t, "process", "")
	if stdout != "data\n" || !strings.HasPrefix(stderr, "talk\n") || strings.Contains(stderr, "elsewhere") {
		t.Errorf("%q, %q", stdout, stderr)
	}
}

// TestFewDescriptors: with too few free descriptors the program refuses to start, with one line,
// also if the limit is high and most are in use.
func TestFewDescriptors(t *testing.T) {
	inherited := `ulimit -n 64; for i in {10..55}; do eval "exec $i</dev/null"; done; `
	for _, shell := range append(limits(6, 22), inherited) {
		stdout, stderr, code := child(t, "write", shell)
		if code != 3 || stdout != "" || strings.Count(stderr, "\n") != 1 || !strings.HasPrefix(stderr, "too few file descriptors: ") || !strings.Contains(stderr, "ulimit -n ") {
			t.Errorf("%.60s: exit %d, %q, %q", shell, code, stdout, stderr)
		}
	}
	for _, shell := range limits(40, 60) {
		if stdout, stderr, code := child(t, "write", shell); code != 0 || stdout != "data\n" {
			t.Errorf("%s: exit %d, %q, %q", shell, code, stdout, stderr)
		}
	}
}

// limits returns shell commands that set each limit of descriptors between two numbers.
func limits(from, to int) (set []string) {
	for n := from; n <= to; n++ {
		set = append(set, fmt.Sprintf("ulimit -n %d; ", n))
	}
	return set
}
