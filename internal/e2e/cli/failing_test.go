package cli_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"datasync/internal/e2e/harness"
	"datasync/mockserver"
)

// TestBarOfAFailingAPI: the bar shows the next retry, when, and why; or how long no byte has arrived.
func TestBarOfAFailingAPI(t *testing.T) {
	for _, tc := range []struct {
		name    string
		fault   mockserver.Fault
		columns int
		bar     string
	}{
		{"502", mockserver.Status(http.StatusBadGateway), 80, `400 of 2,000  retry \d+ in \d+ s: 502`},
		{"502 on a narrow terminal", mockserver.Status(http.StatusBadGateway), 40, `\] retry \d+(, | in )\d+ s`},
		{"no answer", mockserver.Hang(), 80, `400 of 2,000  no answer (for )?\d+ s: (events|feed)`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			base, fifth := harness.ServeUntilFifth(t, tc.fault)
			env := []string{"DATASYNC_API_KEY=" + harness.Key, "DATASYNC_BASE_URL=" + base, "NO_COLOR=1"}
			x := harness.NewTerminalOf(t, tc.columns, t.TempDir(), env, "pull", "--workers", "1")
			<-fifth
			x.Expect(tc.bar)
			if lines := newScreen(tc.columns).show(x.Text()).lines(); len(lines) != 1 || len(lines[0]) >= tc.columns {
				t.Errorf("the screen shows %q", lines)
			}
			x.Send("\x03")
			if code := x.Exit(); code != 130 {
				t.Errorf("exit %d", code)
			}
		})
	}
}

// TestStatusOfAFailingPull: status shows the retries of a pull that gets no pages, and later why it
// ended.
func TestStatusOfAFailingPull(t *testing.T) {
	t.Parallel()
	binary := harness.Program(t)
	base, fifth := harness.ServeUntilFifth(t, mockserver.Status(http.StatusBadGateway))
	folder := t.TempDir()
	pull, _ := harness.Command(t.Context(), binary, folder, base, "pull", "--workers", "1", "--max-retry-time", "1h")
	pull.Stderr = nil
	said, err := pull.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := pull.Start(); err != nil {
		t.Fatal(err)
	}
	<-fifth
	// Without a bar, a retry is printed as a line.
	line, lines := regexp.MustCompile(`^datasync: retry \d+ in \d+ s, for .* more: (events|feed) endpoint answered 502`), bufio.NewScanner(said)
	for lines.Scan() && !line.MatchString(lines.Text()) {
	}
	if !line.MatchString(lines.Text()) {
		t.Fatalf("the last line is %q", lines.Text())
	}
	var status struct {
		Runs []struct{ Outcome, Reason string }
		Pull *struct {
			Retries []struct {
				Endpoint, Why, Error string
				Retry                int
				Next                 time.Time `json:"next_at"`
				GivesUp              time.Time `json:"gives_up_at"`
			}
		}
	}
	harness.Await(t, "the pull retries", func() bool {
		r := harness.Run(t.Context(), t, binary, folder, base, "status", "--json")
		if err := json.Unmarshal([]byte(r.Out), &status); err != nil || r.Code != 0 {
			t.Fatalf("%+v, %v", r, err)
		}
		return status.Pull != nil && len(status.Pull.Retries) > 0 && status.Pull.Retries[0].Retry >= 3
	})
	if r := status.Pull.Retries[0]; r.Why != "502" || !strings.Contains(r.Error, r.Endpoint+" endpoint answered 502") || !r.GivesUp.After(r.Next) {
		t.Errorf("%+v", r)
	}
	r := harness.Run(t.Context(), t, binary, folder, base, "status")
	if row := regexp.MustCompile(`(events|feed): retry \d+ (now|in .*), answered 502\n`); !row.MatchString(r.Out) {
		t.Errorf("%+v", r)
	}
	if err := pull.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	var last string
	for lines.Scan() {
		last = lines.Text()
	}
	stopped := regexp.MustCompile(`^datasync: stopped by SIGTERM while (events|feed) endpoint answered 502.*; run the same command to resume$`)
	if _ = pull.Wait(); pull.ProcessState.ExitCode() != 143 || !stopped.MatchString(last) {
		t.Errorf("exit %d: %s", pull.ProcessState.ExitCode(), last)
	}
	// The next pull fails by itself.
	r = harness.Run(t.Context(), t, binary, folder, base, "pull", "--workers", "1", "--max-retry-time", "500ms")
	if r.Code != 4 {
		t.Errorf("%+v", r)
	}
	r = harness.Run(t.Context(), t, binary, folder, base, "status", "--json")
	if err := json.Unmarshal([]byte(r.Out), &status); err != nil {
		t.Fatalf("%+v, %v", r, err)
	}
	var ends []string
	for _, run := range status.Runs {
		ends = append(ends, run.Outcome+": "+run.Reason)
	}
	if text := fmt.Sprintf("%q", ends); len(ends) != 2 || !strings.Contains(ends[0], " endpoint answered 502") || !strings.HasPrefix(ends[0], "failed: ") || !regexp.MustCompile(`^interrupted: stopped by SIGTERM while (events|feed) endpoint answered 502`).MatchString(ends[1]) {
		t.Error(text)
	}
}
