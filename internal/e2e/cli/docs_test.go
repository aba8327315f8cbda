package cli_test

import (
	"bufio"
	"context"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"datasync/internal/e2e/harness"

	"github.com/google/go-cmp/cmp"
)

var updateDocs = flag.Bool("update-docs", false, "TestDocuments writes what the documents' commands print into them")

// shown is a command in a document: "    $ datasync ...", followed by its output.
type shown struct {
	command string
	lines   []string
	at, end int // the first line of the output in the document, and the first after it
}

// commandsOf returns the commands in a document's lines.
func commandsOf(lines []string) (commands []shown) {
	for i := 0; i < len(lines); i++ {
		command, ok := strings.CutPrefix(lines[i], "    $ ")
		if !ok {
			continue
		}
		c := shown{command: command, at: i + 1}
		for c.end = c.at; c.end < len(lines); c.end++ {
			line, ok := strings.CutPrefix(lines[c.end], "    ")
			if !ok || strings.HasPrefix(line, "$ ") {
				break
			}
			c.lines = append(c.lines, line)
		}
		commands = append(commands, c)
		i = c.end - 1
	}
	return commands
}

// TestDocuments runs the commands of each document, in order and in one folder a document, and
// compares their output with the document.
func TestDocuments(t *testing.T) {
	t.Setenv("PATH", filepath.Dir(linkedProgram(t))+":"+os.Getenv("PATH"))
	t.Setenv("LC_ALL", "C.UTF-8") // bars are blocks in the documents
	root := harness.Root(t)
	names, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	// The commands of a document may need a database that it does not make itself.
	first := map[string]string{"queries.md": "datasync pull --demo --quiet"}
	// A document that loses its commands is no longer tested.
	least := map[string]int{"README.md": 3, "pull.md": 3, "query.md": 10, "queries.md": 6, "export.md": 7, "configuration.md": 1, "mock.md": 1, "report.md": 5}
	for _, path := range append(names, filepath.Join(root, "README.md")) {
		name := filepath.Base(path)
		t.Run(name, func(t *testing.T) {
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			lines := strings.Split(string(b), "\n")
			commands := commandsOf(lines)
			if len(commands) < least[name] {
				t.Errorf("%d commands, want at least %d", len(commands), least[name])
			}
			folder := t.TempDir()
			if first[name] != "" {
				(&shown{command: first[name]}).run(t, folder)
			}
			var after []string
			from := 0
			for _, c := range commands {
				got := c.run(t, folder)
				if diff := cmp.Diff(steady(c.lines), steady(got)); diff != "" && !*updateDocs {
					t.Errorf("$ %s\n%s", c.command, diff)
				}
				after = append(after, lines[from:c.at]...)
				for _, line := range got {
					after = append(after, "    "+line)
				}
				from = c.end
			}
			if *updateDocs {
				after = append(after, lines[from:]...)
				if err := os.WriteFile(path, []byte(strings.Join(after, "\n")), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// run runs the command and returns the lines of its output.
func (c *shown) run(t *testing.T, folder string) []string {
	t.Helper()
	switch {
	case strings.HasPrefix(c.command, "datasync mock"), strings.HasPrefix(c.command, "datasync serve"):
		return c.serve(t, folder)
	case c.command == "datasync query":
		return c.enter(t, folder)
	}
	cmd := exec.CommandContext(t.Context(), "sh", "-c", c.command)
	cmd.Dir = folder
	out, err := cmd.CombinedOutput()
	if shownFailure := len(c.lines) > 0 && strings.HasPrefix(c.lines[0], "datasync: "); err != nil && !shownFailure {
		t.Errorf("$ %s: %v", c.command, err)
	}
	return split(string(out))
}

// serve runs a command that does not end, until it has printed as many lines as the document has.
func (c *shown) serve(t *testing.T, folder string) (lines []string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), harness.Patience)
	defer cancel()
	args := strings.Fields(c.command)
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Dir = folder
	read, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for s := bufio.NewScanner(read); len(lines) < max(1, len(c.lines)) && s.Scan(); {
		lines = append(lines, s.Text())
	}
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Error(err)
	}
	_ = cmd.Wait()
	return lines
}

// enter types the lines after the shell's prompts and expects the others.
func (c *shown) enter(t *testing.T, folder string) []string {
	t.Helper()
	x := harness.NewTerminal(t, folder, nil, "query")
	for _, line := range c.lines {
		typed, ok := strings.CutPrefix(line, "datasync> ")
		if !ok {
			typed, ok = strings.CutPrefix(line, "     ...> ")
		}
		if ok {
			x.Expect(`(datasync|     \.\.\.)> `)
			x.Send(typed + "\r")
			continue
		}
		x.Expect(regexp.QuoteMeta(line))
	}
	if code := x.Exit(); code != 0 {
		t.Errorf("$ %s: exit %d", c.command, code)
	}
	return c.lines
}

func split(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(strings.TrimRight(text, "\n"), "\n")
}

// unsteady matches output that differs between runs or machines.
var unsteady = []*regexp.Regexp{
	regexp.MustCompile(`[0-9,]+ events/s`),
	regexp.MustCompile(`[0-9.]+ x the fastest the API allows`),
	regexp.MustCompile(`[0-9]+ (d|h|min)( [0-9]+ (h|min|s))?\b`),
	regexp.MustCompile(`([0-9]+[hm])*[0-9.,]+ ?(ms|s|bytes|B|kB|KiB|MiB|MB)\b`),
	regexp.MustCompile(`[0-9,]+ rows? of the page log`), // at least one row a batch; batches end by time
	regexp.MustCompile(`20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z`),
	regexp.MustCompile(`[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f-]{17}`), // a run's id
	regexp.MustCompile(`(process|pid) [0-9]+`),
	regexp.MustCompile(`127\.0\.0\.1:[0-9]+`),
}

// steady replaces these.
func steady(lines []string) []string {
	var out []string
	for _, line := range lines {
		for _, re := range unsteady {
			line = re.ReplaceAllString(line, "~")
		}
		out = append(out, strings.Join(strings.Fields(line), " "))
	}
	return out
}
