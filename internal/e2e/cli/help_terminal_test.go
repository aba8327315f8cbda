package cli_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"datasync/internal/e2e/harness"
)

// TestTextsFitTerminals: the terminal wraps no line of help and status, so that no word is cut.
func TestTextsFitTerminals(t *testing.T) {
	folder := harness.Demo(t)
	commands := [][]string{{}, {"version"}, {"status"}, {"status", "--verbose"}, {"verify"}}
	for _, name := range []string{"pull", "query", "export", "schema", "status", "verify", "explain", "mock", "version"} {
		commands = append(commands, []string{name, "--help"})
	}
	for _, columns := range []int{80, 40} {
		for _, args := range commands {
			text := onTerminal(t, folder, columns, append(os.Environ(), "NO_COLOR=1"), args...)
			written := strings.Split(strings.TrimRight(strings.ReplaceAll(text, "\r", ""), "\n"), "\n")
			for i, line := range written {
				written[i] = strings.TrimRight(line, " ")
			}
			// A command line or a word may be wider than 40 columns.
			written = slices.DeleteFunc(written, func(line string) bool {
				return columns < 80 && (strings.HasPrefix(line, "  datasync ") || strings.HasPrefix(line, "  timeout ") || !strings.Contains(strings.TrimSpace(line), " "))
			})
			for _, line := range written {
				if len([]rune(line)) > columns {
					t.Errorf("%q at %d columns: %q", args, columns, line)
				}
			}
			if len(written) < 3 {
				t.Errorf("%q at %d columns:\n%s", args, columns, text)
			}
		}
	}
}
