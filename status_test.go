package main

import (
	"encoding/json"
	"strings"
	"syscall"
	"testing"

	"datasync/mockserver"
)

// TestStatusNamesTheHolder: while a pull runs, status and a second pull say who it is.
func TestStatusNamesTheHolder(t *testing.T) {
	binary := build(t, "")
	base, fifth := serveUntilFifth(t, mockserver.Hang())
	folder := t.TempDir()
	pull, output := program(t.Context(), binary, folder, base, "pull", "--quiet")
	if err := pull.Start(); err != nil {
		t.Fatal(err)
	}
	<-fifth
	for _, args := range []string{"status --json", "status", "pull --quiet"} {
		cmd, said := program(t.Context(), binary, folder, base, strings.Fields(args)...)
		var stdout strings.Builder
		cmd.Stdout = &stdout
		_ = cmd.Run()
		if code := cmd.ProcessState.ExitCode(); code != 6 || strings.Count(said.String(), "\n") != 1 {
			t.Errorf("%s: exit %d: %s", args, code, said)
		}
		var status struct {
			LockHolder struct {
				PID     int
				Writing bool
			} `json:"lock_holder"`
		}
		switch args {
		case "status --json":
			if err := json.Unmarshal([]byte(stdout.String()), &status); err != nil || status.LockHolder.PID != pull.Process.Pid || !status.LockHolder.Writing {
				t.Errorf("%s: %s; the pull is %d", args, stdout.String(), pull.Process.Pid)
			}
		case "status":
			if !strings.Contains(stdout.String(), "datasync") || !strings.Contains(stdout.String(), "writes it") {
				t.Errorf("%s: %s", args, stdout.String())
			}
		default:
			if !strings.Contains(said.String(), "another pull is running: process ") {
				t.Errorf("%s: %s", args, said)
			}
		}
	}
	if err := pull.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if _ = pull.Wait(); pull.ProcessState.ExitCode() != 143 {
		t.Errorf("exit %d: %s", pull.ProcessState.ExitCode(), output)
	}
}
