package main

import (
	"bufio"
	"path/filepath"
	"regexp"
	"syscall"
	"testing"

	"datasync/internal/store"
)

// TestMockInAnotherProcess: what the README says of datasync mock.
func TestMockInAnotherProcess(t *testing.T) {
	binary := build(t, "")
	folder := t.TempDir()
	mock, _ := program(t.Context(), binary, folder, "", "mock", "--profile", "observed", "--addr", "127.0.0.1:0", "--events", "4000", "--time-scale", "10")
	mock.Stderr = nil
	stderr, err := mock.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := mock.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(stderr).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	base := regexp.MustCompile(`http://[0-9.:]+`).FindString(line)
	pull, output := program(t.Context(), binary, folder, base, "pull")
	if err := pull.Run(); err != nil {
		t.Errorf("%v: %s", err, output)
	}
	if err := mock.Process.Signal(syscall.SIGINT); err != nil {
		t.Error(err)
	}
	if err := mock.Wait(); err != nil {
		t.Errorf("mock: %v", err)
	}
	db, err := store.OpenReadOnly(t.Context(), filepath.Join(folder, "datasync.duckdb"), "UTC")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	var ids int
	if err := db.QueryRow("SELECT count(DISTINCT id) FROM events").Scan(&ids); err != nil || ids != 4000 {
		t.Errorf("%d ids, %v; want 4000", ids, err)
	}
}
