package export_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"datasync/export"
	"datasync/internal/outfile"
	"datasync/internal/outfile/outfiletest"
)

// TestDiskFull: an export that fills the disk says so and leaves the target as it was.
func TestDiskFull(t *testing.T) { outfiletest.OnSmallDisk(t, "1500k", exportToFull) }

func exportToFull(t *testing.T, folder string) {
	f := database(t, 100_000)
	for name, opts := range map[string]export.Options{
		"a.csv":     {Layout: export.Layout{Format: export.CSV}},
		"a.jsonl":   {Layout: export.Layout{Format: export.JSONLines}},
		"a.parquet": {Layout: export.Layout{Compression: "none"}},
		"folder":    {Layout: export.Layout{Compression: "none", PartitionBy: []string{"type"}}},
	} {
		opts.Target, opts.Force = filepath.Join(folder, name), true
		few := opts
		few.Where = "type = 'click' AND abs(hash(id)) % 100 = 0"
		f.mustExport(few)
		before := tree(t, folder)
		_, err := f.export(opts)
		if err == nil || !strings.Contains(err.Error(), "disk is full") || !strings.Contains(err.Error(), opts.Target) {
			t.Errorf("%s: %v", name, err)
		}
		if after := tree(t, folder); after != before {
			t.Errorf("%s: %s, before %s", name, after, before)
		}
		if err := os.RemoveAll(opts.Target); err != nil {
			t.Fatal(err)
		}
	}
	// What exceeds the memory limit spills beside the target.
	_, err := f.export(export.Options{Target: filepath.Join(folder, "sorted.parquet"), MemoryLimit: 64_000_000, Selection: export.Selection{Query: "SELECT events.* FROM events, range(8) ORDER BY hash(id)"}})
	if !errors.Is(err, outfile.ErrFull) || !strings.Contains(err.Error(), folder) || !strings.Contains(err.Error(), "--memory-limit") || strings.Contains(err.Error(), "max_temp") {
		t.Errorf("sorted: %v", err)
	}
	few := export.Options{Target: filepath.Join(folder, "increments"), Incremental: true, Layout: export.Layout{Compression: "none"}, Selection: export.Selection{Where: `"timestamp" < '2026-01-01' OR batch > 1`}}
	f.mustExport(few)
	f.commit("done", series(100_000, 200_000))
	before := tree(t, folder)
	if _, err := f.export(few); err == nil || !strings.Contains(err.Error(), "disk is full") {
		t.Error(err)
	}
	if after := tree(t, folder); after != before {
		t.Errorf("%s, before %s", after, before)
	}
}
