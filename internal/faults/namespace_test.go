package faults

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"datasync/internal/e2e/harness"
)

// namespaceEnv is set in a test process that has a mount namespace of its own.
const namespaceEnv = "DATASYNC_FAULTS_NAMESPACE"

// inNamespace runs the test again in a process with a mount namespace of its own, and reports
// whether this is that process. It skips the test where there are no namespaces.
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
	cmd := exec.Command("unshare", append(args, os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v", "-test.timeout=20m", "-test.parallel=2", fmt.Sprint("-all=", harness.All()), "-program="+flag.Lookup("program").Value.String())...)
	cmd.Env = append(os.Environ(), namespaceEnv+"=1", harness.ProgramsEnv+"="+harness.ProgramsFolder(t))
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()) {
		t.Errorf("%v\n%s", err, out)
	}
	return false
}

// mount makes a folder a disk of this many bytes, until the test ends.
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
