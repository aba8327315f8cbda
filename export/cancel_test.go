package export_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"datasync/export"
	"datasync/internal/dbfile"
)

// TestCancel: a cancellation ends exports that would never end.
func TestCancel(t *testing.T) {
	f := database(t, 10)
	for name, opts := range map[string]export.Options{
		"a file":            {Layout: export.Layout{Format: export.CSV}},
		"a compressed file": {Layout: export.Layout{Format: export.JSONLines, Compression: "gzip"}},
		"a Parquet file":    {},
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			opts.Target = filepath.Join(folder, "a")
			opts.Query = "SELECT n, n::VARCHAR AS s FROM range(1000000000000) r(n)"
			opts.Database, opts.Keep = f.path, dbfile.FilesOf(f.path)
			ctx, cancel := context.WithCancel(t.Context())
			go func() {
				defer cancel()
				for !anyWritten(folder) && t.Context().Err() == nil {
					runtime.Gosched()
				}
			}()
			if _, err := export.Run(ctx, opts); !errors.Is(err, context.Canceled) {
				t.Errorf("%v, want %v", err, context.Canceled)
			}
			if left, err := os.ReadDir(folder); err != nil || len(left) != 0 {
				t.Errorf("%v, %v", left, err)
			}
		})
	}
}

// anyWritten reports whether a file of the folder has its first bytes, even one without a name.
// DuckDB's own progress does not tell: it can be unknown from the first row to the last.
func anyWritten(folder string) bool {
	named, _ := filepath.Glob(filepath.Join(folder, "*"))
	open, _ := filepath.Glob("/proc/self/fd/*")
	open = slices.DeleteFunc(open, func(descriptor string) bool {
		path, err := os.Readlink(descriptor)
		return err != nil || !strings.HasPrefix(path, folder)
	})
	return slices.ContainsFunc(slices.Concat(named, open), func(path string) bool {
		info, err := os.Stat(path)
		return err == nil && info.Mode().IsRegular() && info.Size() > 0
	})
}
