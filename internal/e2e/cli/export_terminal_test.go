package cli_test

import (
	"strings"
	"testing"

	"datasync/internal/e2e/harness"
)

// TestExportKeepsOffTerminals: an export does not go to a terminal, as it has other people's data
// byte for byte.
func TestExportKeepsOffTerminals(t *testing.T) {
	folder := harness.Demo(t)
	for _, format := range []string{"--csv", "--jsonl"} {
		x := harness.NewTerminal(t, folder, nil, "--color", "never", "export", format, "-", "--query", "SELECT chr(27) || '[2J' || chr(155) AS a")
		x.Expect(`datasync: export: stdout is a terminal: .*datasync query`)
		if code := x.Exit(); code != 2 {
			t.Errorf("%s: exit %d", format, code)
		}
		if shown := x.Text(); strings.ContainsAny(shown, "\x1b\u009b") || strings.Count(shown, "\n") != 1 {
			t.Errorf("%s: %q", format, shown)
		}
	}
}
