package cli_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"datasync/internal/e2e/harness"
	"datasync/internal/inspect"
	"datasync/mockserver"
)

// TestMockInAnotherProcess pulls from datasync mock, as docs/mock.md describes it.
func TestMockInAnotherProcess(t *testing.T) {
	binary := harness.Program(t)
	folder := t.TempDir()
	mock, base, _ := harness.StartMock(t, "--profile", "observed", "--events", "4000", "--time-scale", "10")
	pull, output := harness.Command(t.Context(), binary, folder, base, "pull")
	if err := pull.Run(); err != nil {
		t.Errorf("%v: %s", err, output)
	}
	if err := mock.Process.Signal(syscall.SIGINT); err != nil {
		t.Error(err)
	}
	if err := mock.Wait(); err != nil {
		t.Errorf("mock: %v", err)
	}
	db, err := inspect.OpenReadOnly(t.Context(), filepath.Join(folder, "datasync.duckdb"), "UTC")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	var ids int
	if err := db.QueryRow("SELECT count(DISTINCT id) FROM events").Scan(&ids); err != nil || ids != 4000 {
		t.Errorf("%d ids, %v; want 4000", ids, err)
	}
}

// TestMockCompresses: --gzip and --rate, as another program sees them.
func TestMockCompresses(t *testing.T) {
	mock, base, _ := harness.StartMock(t, "--profile", "plain", "--events", "5000", "--gzip", "--rate", "20MB")
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

// TestPullCompressed: pulls over a slow link with and without gzip make equal files.
func TestPullCompressed(t *testing.T) {
	binary := harness.Program(t)
	sums := map[bool]string{}
	for _, compress := range []bool{false, true} {
		api := mockserver.New(mockserver.Options{
			Data: mockserver.DataOptions{Events: 20_000, DirtyEvery: 100}, Events: mockserver.Pages{Cap: 1000}, Gzip: compress, Rate: 10_000_000,
		})
		socket := httptest.NewServer(api)
		folder := t.TempDir()
		pull, output := harness.Command(t.Context(), binary, folder, socket.URL, "pull")
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
		db, err := inspect.OpenReadOnly(t.Context(), filepath.Join(folder, "datasync.duckdb"), "UTC")
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

// TestMockRefuses: requests that the mock's options make it refuse, and its first line's sentence
// on keys.
func TestMockRefuses(t *testing.T) {
	ask := func(base, method, path, agent, cookie string) int {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, base+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X-API-Key", "ds_test_key")
		r.Header.Set("User-Agent", agent)
		if cookie != "" {
			r.Header.Set("Cookie", "dashboard_api_key="+cookie)
		}
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		return resp.StatusCode
	}
	const curl, browser = "curl/8.5.0", "Mozilla/5.0"
	events, access := mockserver.EventsPath+"?limit=1", mockserver.StreamAccessPath
	for _, tt := range []struct {
		name    string
		options []string
		says    string
		ask     func(base string) []int
		want    []int
	}{
		{"nothing", []string{"--profile", "observed", "--time-scale", "10"}, "; any key is accepted", func(base string) []int {
			return []int{ask(base, "GET", events, curl, ""), ask(base, "POST", access, browser, ""), ask(base, "POST", access, curl, ""), ask(base, "GET", "/internal/stats", curl, "")}
		}, []int{200, 200, 403, 200}},
		{"strict", []string{"--strict", "--key-life", "3h", "--time-scale", "10"}, "; any key is accepted until 18m0s after the first request, in header and cookie", func(base string) []int {
			return []int{ask(base, "GET", events, curl, ""), ask(base, "GET", events, curl, "ds_test_key"), ask(base, "POST", access, browser, "ds_test_key")}
		}, []int{401, 200, 403}},
		{"keys that expire at once", []string{"--key-life", "1ns"}, "; any key is accepted until 1ns after the first request", func(base string) []int {
			ask(base, "GET", events, curl, "")
			return []int{ask(base, "GET", events, curl, "")}
		}, []int{401}},
		{"statuses", []string{"--expired-status", "502", "--outside-status", "418"}, "", func(base string) []int {
			return []int{ask(base, "GET", events+"&cursor=x", curl, ""), ask(base, "GET", events+"&until=5", curl, ""), ask(base, "GET", events, curl, "")}
		}, []int{502, 418, 200}},
		{"stream-access is limited", []string{"--access-limit", "1"}, "", func(base string) []int {
			return []int{ask(base, "POST", access, browser, ""), ask(base, "POST", access, browser, "")}
		}, []int{200, 429}},
		{"stream-access is broken", []string{"--access-failures", "1"}, "", func(base string) []int {
			return []int{ask(base, "POST", access, browser, ""), ask(base, "GET", events, curl, "")}
		}, []int{502, 200}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			mock, base, line := harness.StartMock(t, append(tt.options, "--events", "100")...)
			defer func() { _ = mock.Process.Kill(); _ = mock.Wait() }()
			if !strings.HasSuffix(strings.TrimSpace(line), tt.says) {
				t.Errorf("says %q, want %q at its end", line, tt.says)
			}
			if got := tt.ask(base); !slices.Equal(got, tt.want) {
				t.Errorf("answers %v, want %v", got, tt.want)
			}
		})
	}
}
