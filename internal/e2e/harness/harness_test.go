package harness_test

import (
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"datasync/internal/e2e/harness"
	"datasync/mockserver"
)

// TestFindSecret: a secret is found in each of its forms, with any bytes around it.
func TestFindSecret(t *testing.T) {
	const secret = "ds_test_+Canary/0123456789=="
	for name, text := range map[string]string{
		"plain": secret, "as in a URL": url.QueryEscape(secret), "as in a path": url.PathEscape(secret),
		"in lower case": strings.ToLower(secret), "in hexadecimal": hex.EncodeToString([]byte(secret)),
		"in base64":              base64.StdEncoding.EncodeToString([]byte(secret)),
		"in base64, a byte on":   base64.StdEncoding.EncodeToString([]byte("k" + secret + "&c=1")),
		"in base64, 2 bytes on":  base64.StdEncoding.EncodeToString([]byte("k=" + secret + "&")),
		"in base64 of URLs":      base64.URLEncoding.EncodeToString([]byte(secret)),
		"in base64, 3 bytes on":  base64.StdEncoding.EncodeToString([]byte("key" + secret)),
		"in hexadecimal, within": hex.EncodeToString([]byte("a" + secret + "b")),
	} {
		if _, around, found := harness.FindSecret([]byte("before "+text+" after"), "another_secret", secret); !found || !strings.Contains(around, "before ") {
			t.Errorf("%s: found %v, in %q", name, found, around)
		}
	}
	if spelling, _, found := harness.FindSecret([]byte("ds_test_ canary 0123456789"), secret); found {
		t.Errorf("found %q", spelling)
	}
}

// TestCases: a few cases are the first and others that are spread over the list.
func TestCases(t *testing.T) {
	if harness.All() {
		t.Skip("all cases are tried")
	}
	cases := []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}
	if got := harness.Some(cases, 3); !slices.Equal(got, []int{0, 3, 6}) {
		t.Errorf("some are %v", got)
	}
	if got := harness.Some(cases, 20); !slices.Equal(got, cases) {
		t.Errorf("some are %v", got)
	}
	tried := 0
	for i := range cases {
		if harness.Tried(i, len(cases), 3) {
			tried++
		}
	}
	if tried != 3 || !harness.Tried(0, len(cases), 3) {
		t.Errorf("%d are tried", tried)
	}
}

// TestCompare: a file with an event too few, too many or changed is not the API's.
func TestCompare(t *testing.T) {
	program := harness.Program(t)
	api, base := harness.Serve(t, mockserver.Options{Data: mockserver.DataOptions{Events: 300, DirtyEvery: 50}})
	folder := t.TempDir()
	path := filepath.Join(folder, "datasync.duckdb")
	if r := harness.Run(t.Context(), t, program, folder, base, "pull", "--quiet"); r.Code != 0 {
		t.Fatal(r)
	}
	if err := harness.Compare(api, path); err != nil {
		t.Error(err)
	}
	if err := harness.Verify(path); err != nil {
		t.Error(err)
	}
	harness.OnlyDatabase(t, folder, nil)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{
		"DELETE FROM events WHERE rowid = 7",
		"INSERT INTO events SELECT * FROM events WHERE rowid = 7",
		"UPDATE events SET id = uuid() WHERE rowid = 7",
		`UPDATE events SET "timestamp" = "timestamp" + INTERVAL 1 MICROSECOND WHERE rowid = 7`,
		"DELETE FROM rejected_events WHERE rowid = 0",
	} {
		if err := os.WriteFile(path, whole, 0o600); err != nil {
			t.Fatal(err)
		}
		harness.Change(t, path, statement)
		if harness.Compare(api, path) == nil || harness.Verify(path) == nil {
			t.Errorf("not found: %s", statement)
		}
	}
}

func TestMain(m *testing.M) { harness.Main(m) }
