package harness

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Patience is how long a test waits for an event that must come. It only ends a test that would
// hang otherwise, so it is far longer than any machine needs.
const Patience = 5 * time.Minute

// Main runs a package's tests and exits with their code. A package that uses this one calls it
// from its TestMain.
func Main(m *testing.M) {
	if filepath.Base(os.Args[0]) == holderName {
		os.Exit(hold(os.Args[1:]))
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	defer removePrograms()
	// A killed pull leaves its socket in the runtime folder. A socket's path holds about 100
	// bytes, which the folders of t.TempDir exceed.
	if runtime, err := os.MkdirTemp("/tmp", "datasync-test-"); err == nil {
		defer func() { _ = os.RemoveAll(runtime) }()
		_ = os.Setenv("XDG_RUNTIME_DIR", runtime)
	}
	return m.Run()
}

// Root returns the path of the project's root, from any folder within it.
func Root(tb testing.TB) string {
	tb.Helper()
	root, err := findRoot()
	if err != nil {
		tb.Fatal(err)
	}
	return root
}

func findRoot() (string, error) {
	folder, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		text, err := os.ReadFile(filepath.Join(folder, "go.mod"))
		if err == nil && bytes.HasPrefix(text, []byte("module datasync\n")) {
			return folder, nil
		}
		parent := filepath.Dir(folder)
		if parent == folder {
			return "", errors.New("the tests do not run within the project: no go.mod of module datasync above them")
		}
		folder = parent
	}
}
