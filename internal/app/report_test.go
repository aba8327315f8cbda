package app_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"datasync/internal/outfile/outfiletest"
)

// TestReportDiskFull: a report that fills the disk is an error of one line, at whatever byte that is. The report of
// before stays as it was, or there is none, and nothing is left beside it.
func TestReportDiskFull(t *testing.T) { outfiletest.OnSmallDisk(t, "1m", reportToFull) }

func reportToFull(t *testing.T, disk string) {
	path := filepath.Join(t.TempDir(), "a.duckdb")
	if code, text := run("--db", path, "pull", "--quiet", "--demo", "--demo-events", "3000"); code != 0 {
		t.Fatalf("exit %d: %s", code, text)
	}
	target, filler := filepath.Join(disk, "report.html"), filepath.Join(disk, "filler")
	report := func() (code int, stderr string) { return run("--db", path, "report", "-q", "-o", target) }
	for _, old := range []bool{true, false} {
		if err := os.RemoveAll(target); err != nil {
			t.Fatal(err)
		}
		var before []byte
		if old {
			if code, text := report(); code != 0 {
				t.Fatalf("exit %d: %s", code, text)
			}
			var err error
			if before, err = os.ReadFile(target); err != nil || len(before) < 64<<10 {
				t.Fatalf("a report of %d bytes: %v", len(before), err)
			}
		}
		for _, free := range []int{0, 4 << 10, 32 << 10, 64 << 10} {
			t.Run(fmt.Sprintf("old-%v-free-%d", old, free), func(t *testing.T) {
				fill(t, filler, free)
				code, text := report()
				if code != 1 || !strings.HasPrefix(text, "datasync: ") || strings.Count(text, "\n") != 1 || !strings.Contains(text, target) ||
					!strings.Contains(text, "disk is full") || !strings.Contains(text, "datasync explain disk-full") {
					t.Errorf("exit %d: %q", code, text)
				}
				if after, err := os.ReadFile(target); !bytes.Equal(after, before) || os.IsNotExist(err) == old {
					t.Errorf("the report has %d bytes, and had %d: %v", len(after), len(before), err)
				}
				if err := os.Remove(filler); err != nil {
					t.Fatal(err)
				}
				if entries, err := os.ReadDir(disk); err != nil || len(entries) > len(before) || len(entries) > 1 {
					t.Errorf("left beside the report: %v, %v", entries, err)
				}
			})
		}
	}
	if code, text := report(); code != 0 {
		t.Errorf("with room again: exit %d: %s", code, text)
	}
}

// fill writes a file that leaves so many bytes of its disk free.
func fill(t *testing.T, name string, free int) {
	t.Helper()
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	size, page := int64(0), make([]byte, 4<<10)
	for err == nil {
		var n int
		n, err = f.Write(page)
		size += int64(n)
	}
	if err := f.Truncate(size - int64(free)); err != nil {
		t.Fatal(err)
	}
}
