package harness

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

var given = flag.String("program", "", "test the program at this `path`, instead of one built from this tree")

// ProgramsEnv names a folder with programs that another test process has built. A test that
// runs itself again, in a namespace of its own, sets it to [ProgramsFolder].
const ProgramsEnv = "DATASYNC_TEST_PROGRAMS"

// programs are the built programs, for all tests of a process.
var programs struct {
	sync.Mutex
	folder string
	built  map[string]bool // by name
}

// Program returns the path of the built program. The first call builds it.
func Program(tb testing.TB) string {
	tb.Helper()
	if *given != "" {
		return *given
	}
	return build(tb, "datasync", "")
}

// FailpointProgram returns the path of a program that kills itself at the failpoint which
// DATASYNC_FAILPOINT names. The first call builds it.
func FailpointProgram(tb testing.TB) string {
	tb.Helper()
	return build(tb, "datasync-failpoint", "failpoint")
}

// ProgramsFolder returns the folder that holds both programs.
func ProgramsFolder(tb testing.TB) string {
	tb.Helper()
	build(tb, "datasync", "")
	return filepath.Dir(FailpointProgram(tb))
}

func build(tb testing.TB, name, tags string) string {
	tb.Helper()
	if folder := os.Getenv(ProgramsEnv); folder != "" {
		return filepath.Join(folder, name)
	}
	programs.Lock()
	defer programs.Unlock()
	if programs.folder == "" {
		folder, err := os.MkdirTemp("", "datasync-test-")
		if err != nil {
			tb.Fatal(err)
		}
		programs.folder, programs.built = folder, map[string]bool{}
	}
	path := filepath.Join(programs.folder, name)
	if programs.built[name] {
		return path
	}
	cmd := exec.Command("go", "build", "-tags", tags, "-o", path, ".")
	cmd.Dir = Root(tb)
	if out, err := cmd.CombinedOutput(); err != nil {
		tb.Fatal(fmt.Errorf("go build: %w: %s", err, out))
	}
	programs.built[name] = true
	return path
}

func removePrograms() {
	programs.Lock()
	defer programs.Unlock()
	_ = os.RemoveAll(programs.folder)
}
