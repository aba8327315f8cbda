package kill_test

import (
	"fmt"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"datasync/internal/e2e/harness"
	"datasync/mockserver"
)

// TestTimeout: the command timeout sends a signal twice, to its command and to its own group. A pull counts that as
// one signal: it commits, says so, and leaves the database alone.
func TestTimeout(t *testing.T) {
	timeout, err := exec.LookPath("timeout")
	if err != nil {
		t.Skip("there is no command timeout here")
	}
	runs := 3
	if harness.All() {
		runs = 100
	}
	for run := range runs {
		signal := []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP}[run%3]
		t.Run(fmt.Sprint(run, " ", signal), func(t *testing.T) {
			base, fifth := harness.ServeUntilFifth(t, mockserver.RateLimitedIn(mockserver.RetryAfterSeconds, time.Hour))
			folder := t.TempDir()
			// It forwards a signal in the same way as it sends its own at the end.
			cmd, output := harness.Command(t.Context(), timeout, folder, base, "1h", harness.Program(t), "pull", "--max-wait", "2h")
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			<-fifth
			if err := cmd.Process.Signal(signal); err != nil {
				t.Fatal(err)
			}
			_ = cmd.Wait()
			stoppedOnce(t, cmd.ProcessState.ExitCode(), signal, output.String())
			harness.OnlyDatabase(t, folder, output.Bytes())
		})
	}
}

// stoppedOnce fails the test unless a pull of 400 events was stopped by a signal, with a summary.
func stoppedOnce(t *testing.T, code int, signal syscall.Signal, output string) {
	t.Helper()
	want := 143
	if signal == syscall.SIGINT {
		want = 130
	}
	if code != want {
		t.Errorf("exit %d, want %d", code, want)
	}
	for _, text := range []string{"datasync: stopping: committing what has arrived", "datasync: not complete\n", "stored    400 new events", "about 1,600 to fetch\n", "datasync: stopped by SIG"} {
		if !strings.Contains(output, text) {
			t.Errorf("%q lacks %q", output, text)
		}
	}
	if strings.Contains(output, "quit") {
		t.Errorf("%q", output)
	}
}

// TestSignalsOfOneKind: two signals in immediate succession count as one, because systemd and shells send SIGTERM
// and SIGHUP together.
func TestSignalsOfOneKind(t *testing.T) {
	for _, signals := range [][2]syscall.Signal{{syscall.SIGTERM, syscall.SIGTERM}, {syscall.SIGTERM, syscall.SIGHUP}, {syscall.SIGHUP, syscall.SIGHUP}, {syscall.SIGINT, syscall.SIGINT}} {
		t.Run(fmt.Sprint(signals[0], " ", signals[1]), func(t *testing.T) {
			base, fifth := harness.ServeUntilFifth(t, mockserver.Hang())
			folder := t.TempDir()
			cmd, output := harness.Command(t.Context(), harness.Program(t), folder, base, "pull")
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			<-fifth
			for _, signal := range signals {
				_ = cmd.Process.Signal(signal)
			}
			_ = cmd.Wait()
			stoppedOnce(t, cmd.ProcessState.ExitCode(), signals[0], output.String())
			harness.OnlyDatabase(t, folder, output.Bytes())
		})
	}
}
