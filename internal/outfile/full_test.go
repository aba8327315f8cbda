package outfile_test

import (
	"io"
	"path/filepath"
	"strings"
	"testing"

	"datasync/internal/outfile"
	"datasync/internal/outfile/outfiletest"
)

// TestDiskFull: a write that fills the disk names the target, and leaves it unchanged.
func TestDiskFull(t *testing.T) { outfiletest.OnSmallDisk(t, "2m", fill) }

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
