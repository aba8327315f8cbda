package export_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"datasync/export"
	"datasync/internal/store"
)

// TestEndInTheMidst ends exports that would take for ever while they are under way.
func TestEndInTheMidst(t *testing.T) {
	f := database(t, 10)
	for name, opts := range map[string]export.Options{
		"a file":            {Layout: export.Layout{Format: export.CSV}},
		"a compressed file": {Layout: export.Layout{Format: export.JSONLines, Compression: "gzip"}},
		"a Parquet file":    {},
	} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			opts.Target, opts.Progress = filepath.Join(folder, "a"), &export.Progress{}
			opts.Query = "SELECT n, n::VARCHAR AS s FROM range(1000000000000) r(n)"
			opts.Database, opts.Keep = f.path, store.FilesOf(f.path)
			ctx, cancel := context.WithCancel(t.Context())
			go func() {
				for opts.Progress.Percent() < 0 && ctx.Err() == nil {
					runtime.Gosched()
				}
				cancel()
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
