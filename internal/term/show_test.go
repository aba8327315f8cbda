package term_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"datasync/internal/term"

	"github.com/creack/pty"
	"github.com/hinshun/vt10x"
)

// terminalOf returns an IO on a terminal of 12 lines, whose environment is env. shown closes the terminal and returns
// the lines on its screen.
func terminalOf(t *testing.T, columns uint16, env map[string]string) (i term.IO, shown func() []string) {
	t.Helper()
	master, tty, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	if err := pty.Setsize(tty, &pty.Winsize{Rows: 12, Cols: columns}); err != nil {
		t.Fatal(err)
	}
	var text bytes.Buffer
	read := make(chan struct{})
	go func() {
		defer close(read)
		_, _ = text.ReadFrom(master) // fails at the end, with EIO
	}()
	shown = func() []string {
		_ = tty.Close()
		<-read
		_ = master.Close()
		screen := vt10x.New(vt10x.WithSize(int(columns), 12))
		_, _ = screen.Write(text.Bytes())
		var lines []string
		for line := range strings.SplitSeq(screen.String(), "\n") {
			if line = strings.TrimRight(line, " "); line != "" {
				lines = append(lines, line)
			}
		}
		return lines
	}
	return term.IO{Getenv: func(name string) string { return env[name] }, Stdin: tty, Stdout: tty, Stderr: tty}, shown
}

// TestMessagesAboveTheBar: messages stand above the bar, which is gone at the end. Later messages follow.
func TestMessagesAboveTheBar(t *testing.T) {
	for _, tc := range []struct {
		columns    uint16
		during, at []string
	}{
		{60, []string{"datasync: the first message", `datasync: the second \x1b[2J message`, " 31 % [==============>"}, []string{"datasync: the first message", `datasync: the second \x1b[2J message`, "datasync: the last one"}},
		{20, []string{"datasync: the first", "  message", "datasync: the second", `  \x1b[2J message`, " 31 % [===>       ]"}, []string{"datasync: the first", "  message", "datasync: the second", `  \x1b[2J message`, "datasync: the last", "  one"}},
	} {
		for _, ended := range []bool{false, true} {
			i, shown := terminalOf(t, tc.columns, map[string]string{"TERM": "xterm"})
			say, stop := i.Show(term.Progress{Bar: func(time.Time) term.Bar { return term.Bar{Done: 31, Total: 100} }})
			say("the first message")
			say("the second \x1b[2J message")
			want := tc.during
			if ended {
				stop()
				say("the last one")
				want = tc.at
			}
			lines := shown()
			if !ended {
				stop()
				lines[len(lines)-1] = lines[len(lines)-1][:min(len(lines[len(lines)-1]), len(want[len(want)-1]))]
			}
			if !slices.Equal(lines, want) {
				t.Errorf("%d columns, ended %v: %q, want %q", tc.columns, ended, lines, want)
			}
		}
	}
}

// TestStyles: a stream has colours if it is a terminal that knows them, unless the user says otherwise.
func TestStyles(t *testing.T) {
	for _, tc := range []struct {
		env      map[string]string
		color    string
		coloured bool
		piped    bool // the same in a pipe
	}{
		{map[string]string{"TERM": "xterm"}, "", true, false},
		{map[string]string{"TERM": "xterm", "NO_COLOR": "1"}, "", false, false},
		{map[string]string{"TERM": "xterm", "NO_COLOR": ""}, "auto", true, false},
		{map[string]string{"TERM": "dumb"}, "", false, false},
		{nil, "", false, false},
		{map[string]string{"TERM": "dumb", "NO_COLOR": "1"}, "always", true, true},
		{map[string]string{"TERM": "xterm"}, "never", false, false},
	} {
		i, shown := terminalOf(t, 80, tc.env)
		i.Color = &term.Color{}
		if tc.color != "" && i.Color.Set(tc.color) != nil {
			t.Errorf("%q is refused", tc.color)
		}
		if coloured := i.Style(i.Stdout).Good("a") == "\x1b[32ma\x1b[0m"; coloured != tc.coloured {
			t.Errorf("%v, --color %s: coloured %v", tc.env, tc.color, coloured)
		}
		if coloured := i.Style(&bytes.Buffer{}).Good("a") != "a"; coloured != tc.piped {
			t.Errorf("%v, --color %s: coloured %v in a pipe", tc.env, tc.color, coloured)
		}
		shown()
	}
	for _, wrong := range []string{"", "yes", "auto "} {
		if c := (&term.Color{}); c.Set(wrong) == nil || c.String() != "auto" {
			t.Errorf("%q is taken", wrong)
		}
	}
}
