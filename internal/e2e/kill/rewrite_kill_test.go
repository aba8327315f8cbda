package kill_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"datasync/internal/e2e/harness"
	"datasync/mockserver"
)

// TestFailpointsInARewrite kills pulls while they rewrite a file that has many unused blocks: each pull writes the last
// row group again. The old file or the new one remains, and the next pull removes the rest of the other one.
func TestFailpointsInARewrite(t *testing.T) {
	t.Parallel()
	binary := harness.FailpointProgram(t)
	for n := 1; n <= 3; n++ {
		t.Run(fmt.Sprint("f16:", n), func(t *testing.T) {
			t.Parallel()
			s, base := harness.Serve(t, mockserver.Options{
				Data:   mockserver.DataOptions{Events: 40_000, DirtyEvery: 700},
				Events: mockserver.Pages{Cap: 5000}, Feed: mockserver.Pages{Cap: 5000, Until: mockserver.Inclusive},
			})
			folder := t.TempDir()
			killed := false
			for pulls := 0; pulls < 6 && !killed; pulls++ {
				killed = harness.KilledAt(t, fmt.Sprint("f16:", n), folder, base, "pull", "--quiet")
				s.Dataset().Grow(5000)
			}
			if !killed {
				t.Fatal("no pull has rewritten the file")
			}
			left := snapshots(t, folder)
			if (n < 3) != (len(left) > 0) {
				t.Errorf("left over: %q", left)
			}
			leavesSound(t, folder)
			finish(t, binary, folder, base, s)
			if left := snapshots(t, folder); len(left) > 0 {
				t.Errorf("left over: %q", left)
			}
		})
	}
}

// snapshots returns the names of copies beside the database.
func snapshots(t *testing.T, folder string) (found []string) {
	t.Helper()
	files, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if strings.Contains(f.Name(), ".rewrite-") {
			found = append(found, filepath.Join(folder, f.Name()))
		}
	}
	return found
}
