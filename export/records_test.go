package export_test

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"datasync/export"
	"datasync/internal/model"
	"datasync/internal/outfile"
	"datasync/internal/owned"
)

// names returns the names in a folder.
func names(t *testing.T, folder string) string {
	t.Helper()
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		all = append(all, e.Name())
	}
	return strings.Join(all, " ")
}

// TestFoldersOfEarlierVersions: an export that adds to a folder leaves a manifest inside; a new
// export puts it beside the folder.
func TestFoldersOfEarlierVersions(t *testing.T) {
	f := newFixture(t)
	f.commit(model.Done, series(0, 10))
	parent := t.TempDir()
	target := filepath.Join(parent, "a")
	opts := export.Options{Target: target, Incremental: true, Layout: export.Layout{PartitionBy: []string{"type"}}}
	f.mustExport(opts)
	makeEarlier(t, target, func(map[string]any) {})
	for n := range 2 {
		f.commit(model.Done, series(10+n, 11+n))
		f.mustExport(opts)
		checkFolder(t, target, 11+n)
		if got := names(t, parent); got != "a" {
			t.Errorf("beside the folder: %s", got)
		}
	}
	opts.Force = true
	f.mustExport(opts)
	checkFolder(t, target, 12)
	if got := names(t, parent); got != "a a.manifest.json" {
		t.Errorf("beside the new folder: %s", got)
	}
}

// TestManifestStillInside: a kill can leave the manifest of a new folder inside, and leftovers of an
// older folder of that name beside it. The next export moves the manifest out and removes the
// leftovers.
func TestManifestStillInside(t *testing.T) {
	for name, change := range map[string]func(f *fixture, opts *export.Options){
		"nothing new": func(*fixture, *export.Options) {},
		"new events":  func(f *fixture, _ *export.Options) { f.commit(model.Done, series(10, 20)) },
		"anew":        func(_ *fixture, opts *export.Options) { opts.Force = true },
	} {
		f := newFixture(t)
		f.commit(model.Done, series(0, 10))
		parent := t.TempDir()
		target := filepath.Join(parent, "a")
		opts := export.Options{Target: target, Incremental: true}
		f.mustExport(opts)
		beside, older := target+".manifest.json", filepath.Join(parent, "b")
		f.mustExport(export.Options{Target: older, Layout: export.Layout{PartitionBy: []string{"day"}}})
		staging := filepath.Join(parent, ".a.datasync-staging")
		if err := errors.Join(os.Rename(beside, insideOf(target)), os.Rename(older+".manifest.json", beside), os.WriteFile(beside+".pending", []byte(read(t, beside)), 0o600),
			os.Mkdir(staging, 0o700), os.WriteFile(filepath.Join(staging, "000001.tmp"), []byte("x"), 0o600), os.RemoveAll(older)); err != nil {
			t.Fatal(err)
		}
		rows := 10
		if change(f, &opts); name == "new events" {
			rows = 20
		}
		f.mustExport(opts)
		checkFolder(t, target, rows)
		if got := names(t, parent); got != "a a.manifest.json" {
			t.Errorf("%s: %s", name, got)
		}
	}
}

// TestNamesBesideAFolder: an export does not replace a file beside the folder that is not a manifest. It then writes
// nothing.
func TestNamesBesideAFolder(t *testing.T) {
	f := database(t, 10)
	for name, make := range map[string]func(path string) error{
		"a file":    func(path string) error { return os.WriteFile(path, []byte("mine"), 0o600) },
		"a folder":  func(path string) error { return os.Mkdir(path, 0o700) },
		"a link":    func(path string) error { return os.Symlink("target", path) },
		"a newer":   func(path string) error { return os.WriteFile(path, []byte(`{"version":3}`), 0o600) },
		"long name": nil,
	} {
		parent := t.TempDir()
		target := filepath.Join(parent, "a")
		if make == nil {
			target = filepath.Join(parent, strings.Repeat("a", 240))
		} else if err := make(target + ".manifest.json"); err != nil {
			t.Fatal(err)
		}
		before := names(t, parent)
		for _, force := range []bool{false, true} {
			_, err := f.export(export.Options{Target: target, Force: force, Layout: export.Layout{PartitionBy: []string{"day"}}})
			if !errors.Is(err, outfile.ErrTarget) && !errors.Is(err, owned.ErrUntrusted) || names(t, parent) != before {
				t.Errorf("%s: %v; %s", name, err, names(t, parent))
			}
		}
	}
	// The manifest of a folder that was removed does not prevent an export.
	target := filepath.Join(t.TempDir(), "a")
	opts := export.Options{Target: target, Layout: export.Layout{PartitionBy: []string{"day"}}}
	f.mustExport(opts)
	if err := os.RemoveAll(target); err != nil {
		t.Fatal(err)
	}
	f.mustExport(opts)
	checkFolder(t, target, 10)
	// Without its manifest, an export neither adds to a folder nor replaces it.
	if err := os.Remove(target + ".manifest.json"); err != nil {
		t.Fatal(err)
	}
	for _, force := range []bool{false, true} {
		opts.Incremental, opts.Force = true, force
		if _, err := f.export(opts); !errors.Is(err, outfile.ErrTarget) || force && !strings.Contains(err.Error(), "no a.manifest.json beside it") {
			t.Error(err)
		}
	}
}
