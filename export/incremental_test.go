package export_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"datasync/export"
	"datasync/internal/model"
	"datasync/internal/outfile"

	"datasync/internal/store/storetest"

	"github.com/google/uuid"
)

func TestIncremental(t *testing.T) {
	for name, layout := range map[string]export.Layout{
		"Parquet": {}, "CSV": {Format: export.CSV, Compression: "gzip"}, "JSON Lines": {Format: export.JSONLines},
		"hive": {PartitionBy: []string{"day", "type"}}, "size": {FileSize: 1_000_000},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			parent := t.TempDir()
			target := filepath.Join(parent, "a")
			opts := export.Options{Target: target, Incremental: true, Layout: layout}
			step := func(what string, rows, total int) export.Result {
				t.Helper()
				result := f.mustExport(opts)
				if result.Rows != int64(rows) {
					t.Errorf("%s: %d rows, want %d", what, result.Rows, rows)
				}
				checkFolder(t, target, total)
				if entries, err := os.ReadDir(parent); err != nil || len(entries) != 2 {
					t.Errorf("%s: %v, %v", what, entries, err)
				}
				return result
			}
			f.commit(model.Done, series(0, 100), series(100, 200))
			step("first", 200, 200)
			before := tree(t, parent)
			if result := step("no news", 0, 200); !result.UpToDate || tree(t, parent) != before {
				t.Errorf("%+v; %s, before %s", result, tree(t, parent), before)
			}
			f.commit(model.UnderWay, series(200, 300))
			if result := step("news", 100, 300); result.Pull.Complete {
				t.Errorf("%+v", result)
			}
			f.commit(model.Done, series(250, 350), series(350, 400))
			if result := step("more", 100, 400); !result.Pull.Complete {
				t.Errorf("%+v", result)
			}
			f.commit(model.Done)
			if result := step("a batch without news", 0, 400); result.UpToDate {
				t.Error("the batch was not noted")
			}
			m := checkFolder(t, target, 400)
			if m.Batch != 6 || !m.Complete {
				t.Errorf("%+v", m)
			}
			var ranges [][]int64
			for _, file := range m.Files {
				if !slices.ContainsFunc(ranges, func(r []int64) bool { return slices.Equal(r, file.Batches) }) {
					ranges = append(ranges, file.Batches)
				}
			}
			if len(ranges) != 3 || !slices.Equal(slices.Concat(ranges...), []int64{1, 2, 3, 3, 4, 5}) {
				t.Errorf("batches %v", ranges)
			}
			opts.Force = true
			step("anew", 400, 400)
		})
	}
}

// TestIncrementalAfterAnOrdinaryExport: an export without --incremental can be added to.
func TestIncrementalAfterAnOrdinaryExport(t *testing.T) {
	f := database(t, 100)
	opts := export.Options{Target: filepath.Join(t.TempDir(), "a"), Layout: export.Layout{PartitionBy: []string{"type"}}}
	f.mustExport(opts)
	f.commit(model.Done, series(100, 150))
	opts.Incremental = true
	if result := f.mustExport(opts); result.Rows != 50 || result.Files != 3 {
		t.Errorf("%+v", result)
	}
	checkFolder(t, opts.Target, 150)
}

func TestMismatchedIncrements(t *testing.T) {
	f := database(t, 100)
	target := filepath.Join(t.TempDir(), "a")
	f.mustExport(export.Options{Target: target, Incremental: true})
	f.commit(model.Done, series(100, 150))
	before := tree(t, target)
	since := export.Selection{}
	since.Since.Valid = true
	for want, opts := range map[string]export.Options{
		"format is parquet, not csv":                  {Layout: export.Layout{Format: export.CSV}},
		"partitioning is none, not type":              {Layout: export.Layout{PartitionBy: []string{"type"}}},
		"file size is none, not 1000000":              {Layout: export.Layout{FileSize: 1_000_000}},
		"compression is zstd, not none":               {Layout: export.Layout{Compression: "none"}},
		"row group size is 122880, not 4096":          {Layout: export.Layout{RowGroup: 4096}},
		"set of types is portable, not logical":       {Layout: export.Layout{Types: export.Logical}},
		"condition is none, not true":                 {Selection: export.Selection{Where: "true"}},
		"beginning is none, not 1970-01-01T00:00:00Z": {Selection: since},
	} {
		opts.Target, opts.Incremental = target, true
		if _, err := f.export(opts); !errors.Is(err, outfile.ErrTarget) || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	other := database(t, 200)
	if _, err := other.export(export.Options{Target: target, Incremental: true}); !errors.Is(err, export.ErrHistory) {
		t.Errorf("another database: %v", err)
	}
	lock, err := outfile.LockFolder(target)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.export(export.Options{Target: target, Incremental: true}); !errors.Is(err, outfile.ErrTarget) {
		t.Errorf("two at a time: %v", err)
	}
	if _, err := f.export(export.Options{Target: target, Incremental: true, Force: true}); !errors.Is(err, outfile.ErrTarget) {
		t.Errorf("replaced while it is added to: %v", err)
	}
	if err := lock.Close(); err != nil {
		t.Error(err)
	}
	if after := tree(t, target); after != before {
		t.Errorf("%s, before %s", after, before)
	}
	file := filepath.Join(target, checkFolder(t, target, 100).Files[0].Path)
	if err := os.Truncate(file, 10); err != nil {
		t.Fatal(err)
	}
	if _, err := f.export(export.Options{Target: target, Incremental: true}); !errors.Is(err, export.ErrHistory) {
		t.Errorf("a file has changed: %v", err)
	}
}

// TestIncrementAfterRowsWereDeleted: the closing check can delete copies that were exported before.
func TestIncrementAfterRowsWereDeleted(t *testing.T) {
	f := newFixture(t)
	moved := storetest.Event(3)
	moved.Timestamp -= 3_600_000_000
	f.commit(model.UnderWay, series(0, 10), []model.Event{moved})
	opts := export.Options{Target: filepath.Join(t.TempDir(), "a"), Incremental: true}
	if result := f.mustExport(opts); result.Rows != 11 {
		t.Fatalf("%+v", result)
	}
	f.commit(model.Done, series(10, 20))
	before := tree(t, opts.Target)
	if _, err := f.export(opts); !errors.Is(err, export.ErrHistory) || !strings.Contains(err.Error(), "--force") || tree(t, opts.Target) != before {
		t.Error(err)
	}
	opts.Force = true
	f.mustExport(opts)
	checkFolder(t, opts.Target, 20)
}

// TestIncrementsOfSeveralRuns: the batches of several runs are added to one folder.
func TestIncrementsOfSeveralRuns(t *testing.T) {
	f := database(t, 10)
	opts := export.Options{Target: filepath.Join(t.TempDir(), "a"), Incremental: true}
	for n := range 4 {
		f.mustExport(opts)
		f.run = uuid.New()
		f.commit(model.Done, series(10+n, 11+n))
	}
	f.mustExport(opts)
	checkFolder(t, opts.Target, 14)
}
