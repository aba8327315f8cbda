package main

import (
	"bufio"
	"io"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"path/filepath"
	"regexp"
	"syscall"
	"testing"

	"datasync/internal/store"
	"datasync/mockserver"
)

// TestMockInAnotherProcess: what the README says of datasync mock.
func TestMockInAnotherProcess(t *testing.T) {
	binary := build(t, "")
	folder := t.TempDir()
	mock, base := startMock(t, binary, folder, "--profile", "observed", "--events", "4000", "--time-scale", "10")
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

// startMock starts datasync mock with these options and returns where it listens.
func startMock(t *testing.T, binary, folder string, options ...string) (mock *exec.Cmd, base string) {
	t.Helper()
	mock, _ = program(t.Context(), binary, folder, "", append([]string{"mock", "--addr", "127.0.0.1:0"}, options...)...)
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
	return mock, regexp.MustCompile(`http://[0-9.:]+`).FindString(line)
}

// TestMockCompresses: what --gzip and --rate do, as another program sees it.
func TestMockCompresses(t *testing.T) {
	binary := build(t, "")
	mock, base := startMock(t, binary, t.TempDir(), "--profile", "plain", "--events", "5000", "--gzip", "--rate", "20MB")
	sizes := map[string]int{}
	for _, encoding := range []string{"identity", "gzip"} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, base+"/api/v1/events?limit=5000", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X-API-Key", "ds_test_key")
		r.Header.Set("Cookie", "dashboard_api_key=ds_test_key")
		r.Header.Set("Accept-Encoding", encoding)
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if err != nil || resp.StatusCode != http.StatusOK {
			t.Fatalf("%v, %s", err, resp.Status)
		}
		sizes[encoding] = len(body)
	}
	if sizes["gzip"] == 0 || sizes["gzip"] > sizes["identity"]/3 {
		t.Errorf("%d bytes compressed, %d plain", sizes["gzip"], sizes["identity"])
	}
	if err := mock.Process.Signal(syscall.SIGINT); err != nil {
		t.Error(err)
	}
	if err := mock.Wait(); err != nil {
		t.Errorf("mock: %v", err)
	}
}

// TestPullCompressed pulls over a slow link with and without gzip, into real files that
// must come out the same.
func TestPullCompressed(t *testing.T) {
	binary := build(t, "")
	sums := map[bool]string{}
	for _, compress := range []bool{false, true} {
		api := mockserver.New(mockserver.Options{
			Data: mockserver.DataOptions{Events: 20_000, DirtyEvery: 100}, Events: mockserver.Pages{Cap: 1000}, Gzip: compress, Rate: 10_000_000,
		})
		socket := httptest.NewServer(api)
		folder := t.TempDir()
		pull, output := program(t.Context(), binary, folder, socket.URL, "pull")
		if err := pull.Run(); err != nil {
			t.Errorf("%v: %s", err, output)
		}
		socket.Close()
		if err := api.Verify(); err != nil {
			t.Error(err)
		}
		compressed := 0
		for _, entry := range api.Log() {
			if entry.Gzip {
				compressed++
			}
		}
		if (compressed > 0) != compress {
			t.Errorf("%d compressed pages", compressed)
		}
		db, err := store.OpenReadOnly(t.Context(), filepath.Join(folder, "datasync.duckdb"), "UTC")
		if err != nil {
			t.Fatal(err)
		}
		var sum string
		const all = "SELECT (SELECT count(*) || ' ' || sum(hash(e)) FROM (SELECT * EXCLUDE (batch) FROM events) e) || ' ' || (SELECT count(*) FROM rejected_events)"
		if err := db.QueryRow(all).Scan(&sum); err != nil {
			t.Fatal(err)
		}
		_ = db.Close()
		sums[compress] = sum
	}
	if sums[false] != sums[true] || sums[true] == "" {
		t.Errorf("stored %q plain, %q compressed", sums[false], sums[true])
	}
}
