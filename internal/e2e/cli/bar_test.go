package cli_test

import (
	"fmt"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"datasync/internal/e2e/harness"
	"datasync/mockserver"
)

// waitingPull starts a pull on a terminal. It reads 400 of 2,000 events and then waits for an hour. It returns when the bar
// shows that.
func waitingPull(t *testing.T, columns int, env []string, args ...string) *harness.Terminal {
	t.Helper()
	base, fifth := harness.ServeUntilFifth(t, mockserver.RateLimitedIn(mockserver.RetryAfterSeconds, time.Hour))
	env = append([]string{"DATASYNC_API_KEY=" + harness.Key, "DATASYNC_BASE_URL=" + base, "NO_COLOR=1"}, env...)
	x := harness.NewTerminalOf(t, columns, t.TempDir(), env, append(args, "pull", "--max-wait", "2h")...)
	<-fifth
	return x
}

// TestCtrlCClearsTheBar: at each width, the bar fits the terminal, and Ctrl-C leaves neither a part of it nor ^C on the
// screen.
func TestCtrlCClearsTheBar(t *testing.T) {
	for columns, bar := range map[int]string{
		200: ` 20 % \[=+> +\] +400 of 2,000  waiting \d+ min \d+ s: 429 +60 min left|`,
		100: ` 20 % \[=+> +\] +400 of 2,000  waiting \d+ min`,
		80:  ` 20 % \[=+> +\] +400 of 2,000  waiting \d+ min`,
		40:  ` 20 % \[> +\] waiting \d+ s`,
		30:  ` 20 % `,
		20:  ` 20 % `,
	} {
		t.Run(fmt.Sprint(columns), func(t *testing.T) {
			t.Parallel()
			x := waitingPull(t, columns, nil)
			x.Expect(strings.TrimSuffix(bar, "|"))
			if lines := newScreen(columns).show(x.Text()).lines(); len(lines) != 1 || len(lines[0]) >= columns {
				t.Errorf("the bar is %q", lines)
			}
			x.Send("\x03")
			if code := x.Exit(); code != 130 {
				t.Errorf("exit %d", code)
			}
			lines := newScreen(columns).show(x.Text()).lines()
			text := strings.Join(strings.Fields(strings.Join(lines, " ")), " ")
			const begin, end = "datasync: stopping: committing what has arrived; Ctrl-C again to quit now datasync: not complete stored 400 new events", "datasync: stopped by SIGINT; run the same command"
			if !strings.HasPrefix(text, begin) || !strings.Contains(text, end) || strings.ContainsAny(text, "[]%^") {
				t.Errorf("the screen shows %q", lines)
			}
			for _, line := range lines {
				if word := len(strings.TrimSpace(line)); word > columns {
					t.Errorf("%q is wider than the screen", line)
				}
			}
		})
	}
}

// TestCtrlCTwice: in a terminal the second Ctrl-C ends a pull, however soon it comes.
func TestCtrlCTwice(t *testing.T) {
	x := waitingPull(t, 80, nil)
	x.Expect(`waiting`)
	x.Send("\x03")
	x.Expect(`Ctrl-C again to quit now`)
	x.Send("\x03")
	if code := x.Exit(); code != 130 {
		t.Errorf("exit %d", code)
	}
	// The first Ctrl-C may have ended it already.
	lines := newScreen(80).show(x.Text()).lines()
	last := lines[len(lines)-1]
	if last != "datasync: quit; committed events are kept; run the same command to resume" && !strings.HasPrefix(last, "datasync: stopped by SIGINT; run the same command") && last != "^C" {
		t.Errorf("the screen shows %q", lines)
	}
}

// TestCtrlZ: Ctrl-Z leaves nothing of the bar. In the background it stays away from the shell's line, and in the
// foreground it comes back.
func TestCtrlZ(t *testing.T) {
	if _, err := exec.LookPath("bash"); err != nil {
		t.Skip(err)
	}
	base, fifth := harness.ServeUntilFifth(t, mockserver.RateLimitedIn(mockserver.RetryAfterSeconds, time.Hour))
	x := harness.NewTerminalWithBash(t, 80, t.TempDir(), []string{"DATASYNC_API_KEY=" + harness.Key, "DATASYNC_BASE_URL=" + base, "NO_COLOR=1"})
	x.Expect(`\$ `)
	x.Send(harness.Program(t) + " pull --max-wait 2h\r")
	<-fifth
	noBar := func(when string) {
		t.Helper()
		for _, line := range newScreen(80).show(x.Text()).lines() {
			if strings.Contains(line, " % [") || strings.Contains(line, "] ") && strings.Contains(line, "waiting") {
				t.Errorf("%s: %q is on the screen", when, line)
			}
		}
	}
	for range 2 {
		x.Expect(`20 % \[.* waiting .*\x1b\[J`)
		x.Send("\x1a")
		x.Expect(`Stopped.*\n.*\$ `)
		noBar("stopped")
		x.Send("bg\r")
		x.Expect(`&\r\n.*\$ `)
		x.Send("echo in the back''ground\r")
		x.Expect(`in the background\r\n.*\$ `)
		noBar("in the background")
		x.Send("fg\r")
	}
	x.Expect(`20 % \[.* waiting .*\x1b\[J`)
	x.Send("\x03")
	x.Expect(`stopped by SIGINT`)
	x.Expect(`\$ `)
	noBar("at the end")
	x.Send("exit\r")
	x.Exit()
}

// TestCtrlZWithoutAShell: where no shell can continue a process, Ctrl-Z does not stop it, as with ssh -t.
func TestCtrlZWithoutAShell(t *testing.T) {
	x := waitingPull(t, 80, nil)
	for range 2 {
		x.Expect(`20 % \[.* waiting .*\x1b\[J`)
		x.Send("\x1a")
		x.Expect(`\x1b\[J`)
	}
	x.Expect(`20 % \[.* waiting .*\x1b\[J`)
	x.Send("\x03")
	if code := x.Exit(); code != 130 {
		t.Errorf("exit %d", code)
	}
}

// TestTheWindowIsResized: the bar takes the width of the window, and no part of another width remains.
func TestTheWindowIsResized(t *testing.T) {
	x := waitingPull(t, 100, nil)
	s, seen := newScreen(100), 0
	for _, to := range []struct {
		columns int
		bar     string
	}{{100, `400 of 2,000  waiting \d+ min`}, {40, `\[> +\] waiting \d+ s`}, {20, `7l 20 % +\d+ min left`}, {100, `400 of 2,000  waiting \d+ min`}} {
		x.Resize(to.columns)
		text := x.Text()
		s.show(text[seen:]).Resize(to.columns, 60)
		seen = len(text)
		x.Expect(to.bar + `.*\x1b\[J`)
	}
	if lines := s.show(x.Text()[seen:]).lines(); len(lines) != 1 || !strings.HasPrefix(lines[0], " 20 % [") {
		t.Errorf("the screen shows %q", lines)
	}
	x.Send("\x03")
	x.Exit()
}

// TestDumbTerminals: a terminal without escape sequences gets whole lines.
func TestDumbTerminals(t *testing.T) {
	for _, kind := range []string{"dumb", ""} {
		x := waitingPull(t, 80, []string{"TERM=" + kind}, "--color", "auto")
		// Without a bar nothing is shown in the first ten seconds.
		x.Send("\x03")
		if code := x.Exit(); code != 130 {
			t.Errorf("exit %d", code)
		}
		text := strings.ReplaceAll(x.Text(), "\r\n", "\n")
		if !strings.Contains(text, "datasync: stopping: committing") || !strings.Contains(text, "datasync: not complete\n") || strings.ContainsAny(text, "\r\x1b[") {
			t.Errorf("TERM=%s: %q", kind, text)
		}
	}
}

// colours are sequences that set a colour.
var colours = regexp.MustCompile(`\x1b\[[0-9;]*m`)

// TestColours: a terminal has colours, unless NO_COLOR or --color say otherwise; a pipe has none, unless --color says
// so. The text is the same.
func TestColours(t *testing.T) {
	for _, tc := range []struct {
		env, args []string
		coloured  bool
	}{
		{nil, nil, true},
		{[]string{"NO_COLOR=1"}, nil, false},
		{[]string{"NO_COLOR="}, nil, true},
		{nil, []string{"--color", "never"}, false},
		{[]string{"NO_COLOR=1"}, []string{"--color=always"}, true},
		{[]string{"TERM=dumb"}, nil, false},
		{[]string{"TERM=dumb"}, []string{"--color", "always"}, true},
	} {
		x := harness.NewTerminal(t, t.TempDir(), tc.env, append(slices.Clone(tc.args), "pull", "--demo", "--demo-events", "2000")...)
		if code := x.Exit(); code != 0 {
			t.Errorf("exit %d", code)
		}
		x.Expect(`2,000 events, .*\n`)
		text := x.Text()
		if coloured := colours.MatchString(text); coloured != tc.coloured || coloured && !strings.Contains(text, "\x1b[32mcomplete\x1b[0m as of") {
			t.Errorf("%v %v: %q", tc.env, tc.args, text)
		}
		if !strings.Contains(colours.ReplaceAllString(text, ""), "datasync: complete as of 20") {
			t.Errorf("%v %v: %q", tc.env, tc.args, text)
		}
	}
	for _, tc := range []struct {
		args []string
		want string
	}{
		{nil, "datasync: unknown"}, {[]string{"--color", "always"}, "\x1b[31mdatasync:\x1b[0m unknown"},
	} {
		r := harness.Run(t.Context(), t, harness.Program(t), t.TempDir(), "", append(slices.Clone(tc.args), "qurey")...)
		if r.Code != 2 || !strings.HasPrefix(r.Err, tc.want) {
			t.Error(r)
		}
	}
	folder := harness.Demo(t)
	for _, tc := range []struct{ args, want string }{
		{"verify --color always", "\x1b[32msound\x1b[0m: the file agrees"}, {"verify", "sound: the file agrees"}, {"--color=never verify", "sound: the file agrees"},
	} {
		r := harness.Run(t.Context(), t, harness.Program(t), folder, "", strings.Fields(tc.args)...)
		if r.Code != 0 || !strings.HasPrefix(r.Out, tc.want) {
			t.Errorf("%v, want %q", r, tc.want)
		}
	}
	r := harness.Run(t.Context(), t, harness.Program(t), t.TempDir(), "", "status", "--color", "sometimes")
	if want := "--color \"sometimes\": want auto, always or never\n"; r.Code != 2 || !strings.HasSuffix(r.Err, want) {
		t.Errorf("%v, want %q", r, want)
	}
}
