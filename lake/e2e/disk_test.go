package e2e_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"datasync/internal/model"
	"datasync/internal/outfile/outfiletest"

	"datasync/lake/laketest"
)

// TestFullDisk exports with a staging folder on a disk that is too small, or full after the first check, and
// then with room for the files.
func TestFullDisk(t *testing.T) {
	outfiletest.OnSmallDisk(t, "40m", func(t *testing.T, disk string) {
		both(t, func(t *testing.T, k kind) {
			f := laketest.NewFile(t, "http://a.test:80")
			f.Add(t, 4, 60, 2)
			plan := k.plan(t, f, "full.disk")
			k.done(t, plan)
			f.Add(t, 4, 50_000, 2)

			plan.Staging = filepath.Join(disk, ".staging")
			filler := filepath.Join(disk, "filler")
			for _, size := range []int{39 << 20, 36 << 20, 20 << 20} {
				if err := os.WriteFile(filler, make([]byte, size), 0o600); err != nil {
					t.Fatal(err)
				}
				a := laketest.Run(t, k.Server, plan)
				if a.Code == 0 && size <= 20<<20 {
					continue // there is room for the files
				}
				if a.Code != model.ExitFile || a.Error == nil || strings.Contains(a.Error.Text, "\n") {
					t.Errorf("with %d MB: code %d, error %+v; want code 6 and one line", (40<<20-size)>>20, a.Code, a.Error)
				}
				if got := k.Load(t, k.url, "full.disk").Count(t); got != 240 {
					t.Errorf("with %d MB: the table has %d rows, want 240", (40<<20-size)>>20, got)
				}
			}
			if err := os.Remove(filler); err != nil {
				t.Fatal(err)
			}
			k.done(t, plan)
			k.equal(t, "full.disk", f)
		})
	})
}
