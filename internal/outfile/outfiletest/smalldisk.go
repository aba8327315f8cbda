// Package outfiletest gives tests a file system that is full after a few bytes.
package outfiletest

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// OnSmallDisk runs the test again in a process of its own, in which folder is a tmpfs of that
// size, such as "2m". It skips the test if the system has no user namespaces to mount it in.
func OnSmallDisk(t *testing.T, size string, test func(t *testing.T, folder string)) {
	t.Helper()
	const variable = "OUTFILETEST_FOLDER"
	if folder := os.Getenv(variable); folder != "" {
		test(t, folder)
		return
	}
	folder := t.TempDir()
	cmd := exec.Command("unshare", "--user", "--map-root-user", "--mount", "sh", "-c",
		`mount -t tmpfs -o size="$0" tmpfs "$1" && exec "$2" -test.run "^$3\$" -test.v`, size, folder, os.Args[0], t.Name())
	cmd.Env = append(os.Environ(), variable+"="+folder)
	out, err := cmd.CombinedOutput()
	if !strings.Contains(string(out), "=== RUN") {
		t.Skipf("no user namespaces here: %v: %s", err, out)
	}
	if err != nil {
		t.Errorf("%v: %s", err, out)
	}
}
