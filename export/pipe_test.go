package export_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"datasync/export"
)

func TestStdout(t *testing.T) {
	f := database(t, 3000)
	for _, layout := range []export.Layout{{Format: export.CSV}, {Format: export.JSONLines}, {Format: export.CSV, Compression: "gzip"}, {Format: export.JSONLines, Compression: "zstd"}} {
		var out bytes.Buffer
		result := f.mustExport(export.Options{Stdout: &out, Layout: layout})
		file := filepath.Join(t.TempDir(), "a")
		f.mustExport(export.Options{Target: file, Layout: layout})
		if want := read(t, file); out.String() != want || result.Bytes != int64(len(want)) || result.Rows != 3000 {
			t.Errorf("%+v: %+v, %d bytes, want %d", layout, result, out.Len(), len(want))
		}
	}
}

// TestStdoutBreaks: a reader that closes stdout is not an error, a write that fails is.
func TestStdoutBreaks(t *testing.T) {
	f := database(t, 100_000)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	gone := make(chan error, 1)
	go func() {
		_, err := io.ReadFull(r, make([]byte, 1000))
		gone <- errors.Join(err, r.Close())
	}()
	result, err := f.export(export.Options{Stdout: w, Layout: export.Layout{Format: export.CSV}})
	if err != nil || !result.Broken {
		t.Errorf("%+v, %v", result, err)
	}
	if err := errors.Join(<-gone, w.Close()); err != nil {
		t.Error(err)
	}
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip(err)
	}
	defer func() { _ = full.Close() }()
	if _, err := f.export(export.Options{Stdout: full, Layout: export.Layout{Format: export.CSV}}); err == nil || !strings.Contains(err.Error(), "no space left") {
		t.Error(err)
	}
}

// TestStdoutStalls: a reader that reads nothing does not keep the export from ending.
func TestStdoutStalls(t *testing.T) {
	f := database(t, 100_000)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _, _ = r.Close(), w.Close() }()
	why := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	go func() {
		_, _ = io.ReadFull(r, make([]byte, 1000))
		cancel(why)
	}()
	_, err = export.Run(ctx, export.Options{Database: f.path, Stdout: w, Layout: export.Layout{Format: export.CSV}})
	if !errors.Is(err, why) {
		t.Errorf("%v, want %v", err, why)
	}
}
