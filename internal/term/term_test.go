package term_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"datasync/internal/term"
)

// bufferIO is an IO without a terminal, whose environment is env.
func bufferIO(env map[string]string) (t term.IO, stdout, stderr *bytes.Buffer) {
	stdout, stderr = &bytes.Buffer{}, &bytes.Buffer{}
	return term.IO{Getenv: func(name string) string { return env[name] }, Stdin: strings.NewReader(""), Stdout: stdout, Stderr: stderr}, stdout, stderr
}

func TestIOWithoutATerminal(t *testing.T) {
	io, stdout, stderr := bufferIO(map[string]string{"SET": "value", "EMPTY": "", "COLUMNS": "72"})
	if got := io.Env("SET", "other") + io.Env("EMPTY", "-") + io.Env("UNSET", "-"); got != "value--" {
		t.Errorf("environment %q", got)
	}
	if width, height := io.Size(); width != 0 || height != 0 || io.Width() != 72 || io.OutputIsTerminal() || io.Interactive() {
		t.Errorf("size %d x %d, width %d", width, height, io.Width())
	}
	io.Say("a\x1b[2J\nb")
	if got := stderr.String(); got != "datasync: a\\x1b[2J\\nb\n" {
		t.Errorf("said %q", got)
	}
	out := io.Paged()
	_, err := out.Write([]byte("text"))
	if err != nil || out.Reading() || out.End(nil) != nil || stdout.String() != "text" {
		t.Errorf("wrote %q, %v", stdout, err)
	}
}

func TestColumns(t *testing.T) {
	for columns, want := range map[string]int{"": 0, "80": 80, "-1": 0, "wide": 0} {
		if io, _, _ := bufferIO(map[string]string{"COLUMNS": columns}); io.Width() != want {
			t.Errorf("COLUMNS=%s: %d, want %d", columns, io.Width(), want)
		}
	}
}

func TestCounted(t *testing.T) {
	for n, want := range map[int64]string{0: "0 events", 1: "1 event", 999: "999 events", 1000: "1,000 events", -1234567: "-1,234,567 events"} {
		if got := term.Counted(n, "event"); got != want {
			t.Errorf("%d: %q, want %q", n, got, want)
		}
	}
}

// TestProgressLines: where stderr is not a terminal, progress is a line every ten seconds, after the
// delay and until stop.
func TestProgressLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		io, _, stderr := bufferIO(nil)
		began := time.Now()
		say, stop := io.Show(term.Progress{
			Delay: 5 * time.Second,
			Line:  func(now time.Time) string { return fmt.Sprintf("line at %s", now.Sub(began)) },
		})
		<-time.After(26 * time.Second)
		say("a message")
		stop()
		<-time.After(time.Minute)
		if got := stderr.String(); got != "datasync: line at 15s\ndatasync: line at 25s\ndatasync: a message\n" {
			t.Errorf("%q", got)
		}
	})
}

// TestProgressWithoutLines: a bar is shown on a terminal only.
func TestProgressWithoutLines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		io, _, stderr := bufferIO(nil)
		say, stop := io.Show(term.Progress{Bar: func(time.Time) term.Bar { return term.Bar{Done: 1, Total: 2} }})
		<-time.After(time.Minute)
		say("a message")
		stop()
		if got := stderr.String(); got != "datasync: a message\n" {
			t.Errorf("%q", got)
		}
	})
}
