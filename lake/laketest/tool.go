package laketest

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// Credentials of all servers.
const (
	AccessKey = "datasync-test-key"
	SecretKey = "datasync-test-secret-0123456789"
)

// Environment sets the credentials in the test's environment, and hides this machine's AWS files.
func Environment(t testing.TB) {
	t.Helper()
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": AccessKey, "AWS_SECRET_ACCESS_KEY": SecretKey, "AWS_SESSION_TOKEN": "", "AWS_PROFILE": "",
		"AWS_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true", "AWS_ENDPOINT_URL": "", "AWS_ENDPOINT_URL_S3": "",
		"AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull,
	} {
		t.Setenv(name, value)
	}
}

// fetchTime bounds the download and build of a server's program.
const fetchTime = 8 * time.Minute

// tool returns the path of a program: from the environment variable, from PATH, or from the user's cache,
// where fetch puts it. It skips the test without one.
func tool(t testing.TB, name, variable string, fetch func(ctx context.Context, folder string) *exec.Cmd) string {
	t.Helper()
	if path := os.Getenv(variable); path != "" {
		return path
	}
	if path, err := exec.LookPath(name); err == nil {
		return path
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Skipf("SKIPPED: no %s: %v", name, err)
	}
	folder := filepath.Join(cache, "datasync-test")
	path := filepath.Join(folder, name)
	if _, err := os.Stat(path); err == nil {
		return path
	}
	ctx, cancel := context.WithTimeout(t.Context(), fetchTime)
	defer cancel()
	if said, err := fetch(ctx, folder).CombinedOutput(); err != nil {
		t.Skipf("SKIPPED: %s cannot be fetched, and %s names none: %v\n%s", name, variable, err, said)
	}
	return path
}

// freePort returns a free loopback port.
func freePort(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().(*net.TCPAddr).Port
}

// start starts a server, waits until its URL answers, and stops it at the test's end.
func start(t testing.TB, cmd *exec.Cmd, url string) {
	t.Helper()
	var said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() {
		ended <- cmd.Wait()
		close(ended)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		t.Log(cmd.Path, "ended:", <-ended)
	})
	if err := answers(t.Context(), url, ended); err != nil {
		t.Fatalf("%s: %v\n%s", cmd.Path, err, said.String())
	}
}

// answers waits until a URL answers, or the process has ended.
func answers(ctx context.Context, url string, ended chan error) error {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		if res, err := http.DefaultClient.Do(req); err == nil {
			return res.Body.Close()
		}
		select {
		case err := <-ended:
			ended <- err
			return fmt.Errorf("it has ended: %w", err)
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}
