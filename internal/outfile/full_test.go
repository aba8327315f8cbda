package outfile_test

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"datasync/internal/outfile"
)

// TestDiskFull fills a disk of its own; it needs user namespaces.
func TestDiskFull(t *testing.T) {
	const inside = "OUTFILE_TEST_FULL"
	if folder := os.Getenv(inside); folder != "" {
		fill(t, folder)
		return
	}
	folder := t.TempDir()
	cmd := exec.Command("unshare", "--user", "--map-root-user", "--mount", "sh", "-c",
		`mount -t tmpfs -o size=2m tmpfs "$0" && exec "$1" -test.run '^TestDiskFull$' -test.v`, folder, os.Args[0])
	cmd.Env = append(os.Environ(), inside+"="+folder)
	out, err := cmd.CombinedOutput()
	if !strings.Contains(string(out), "=== RUN") {
		t.Skipf("no user namespaces here: %v: %s", err, out)
	}
	if err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

func fill(t *testing.T, folder string) {
	target := mustWrite(t, filepath.Join(folder, "a"), "old")
	f, err := outfile.Create(target, outfile.Rules{Force: true})
	if err != nil {
		t.Fatal(err)
	}
	_, err = io.Copy(f, io.LimitReader(zeros{}, 4<<20))
	if err == nil || !strings.Contains(err.Error(), target) || !strings.Contains(err.Error(), "full") || strings.Contains(err.Error(), "/proc") {
		t.Error(err)
	}
	if err := f.Abort(); err != nil {
		t.Error(err)
	}
	content(t, target, "old")
	holds(t, folder, "a")
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { return len(b), nil }
