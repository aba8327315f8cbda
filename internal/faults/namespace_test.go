package faults

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// The environment of a test that runs in a mount namespace of its own: that it does, and
// where the programs are.
const (
	namespaceEnv = "DATASYNC_FAULTS_NAMESPACE"
	programsEnv  = "DATASYNC_FAULTS_PROGRAMS"
)

// inNamespace runs the test again, in a process that may mount file systems which nobody else
// sees, and reports whether this is it. Where there are none the test is skipped.
func inNamespace(t *testing.T) bool {
	t.Helper()
	if os.Getenv(namespaceEnv) != "" {
		return true
	}
	args := []string{"--mount"}
	if os.Getuid() != 0 {
		args = append(args, "--user", "--map-root-user")
	}
	if out, err := exec.Command("unshare", append(args, "mount", "-t", "tmpfs", "tmpfs", t.TempDir())...).CombinedOutput(); err != nil {
		t.Skipf("no mount namespaces here: %v: %s", err, out)
	}
	cmd := exec.Command("unshare", append(args, os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v", "-test.timeout=20m", "-test.parallel=2", fmt.Sprint("-all=", *all))...)
	cmd.Env = append(os.Environ(), namespaceEnv+"=1", programsEnv+"="+filepath.Dir(failing))
	if *with != "" {
		cmd.Args = append(cmd.Args, "-program="+*with)
	}
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Errorf("%v\n%s", err, out)
	}
	return false
}

// mount lets a folder be a disk of its own, of so many bytes, until the test ends.
func (w *world) mount(folder string, bytes int64) {
	w.Helper()
	if err := syscall.Mount("tmpfs", folder, "tmpfs", 0, diskOf(bytes)); err != nil {
		w.Fatal(err)
	}
	w.Cleanup(func() { _ = syscall.Unmount(folder, syscall.MNT_DETACH) })
}

// resize gives such a disk another size.
func (w *world) resize(folder string, bytes int64) {
	w.Helper()
	if err := syscall.Mount("tmpfs", folder, "tmpfs", syscall.MS_REMOUNT, diskOf(bytes)); err != nil {
		w.Fatal(err)
	}
}

func diskOf(bytes int64) string { return fmt.Sprintf("size=%d,mode=0700", bytes) }
