package app

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"datasync/internal/term"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/urfave/cli/v2"
)

// helpIO is the IO of a program with a complete environment.
func helpIO(columns string) (term.IO, *bytes.Buffer) {
	out := &bytes.Buffer{}
	env := map[string]string{"DATASYNC_API_KEY": "ds_test_key", "DATASYNC_BASE_URL": "https://user:ds_test_secret@api.test", "COLUMNS": columns}
	return term.IO{Getenv: func(name string) string { return env[name] }, Stdin: strings.NewReader(""), Stdout: out, Stderr: out, Color: &term.Color{}}, out
}

// helpOf returns what a command line prints.
func helpOf(t *testing.T, columns string, args ...string) string {
	t.Helper()
	io, out := helpIO(columns)
	root := newApp(io)
	if err := root.Run(permute(append([]string{"datasync"}, args...), root)); err != nil {
		t.Errorf("%q: %v", args, err)
	}
	return out.String()
}

func commandNames() (names []string) {
	io, _ := helpIO("")
	for _, command := range newApp(io).Commands {
		names = append(names, command.Name)
	}
	return names
}

// TestHelp: the help of each command has examples first, then every option once, in groups, within
// 80 columns.
func TestHelp(t *testing.T) {
	io, _ := helpIO("")
	root := newApp(io)
	for _, command := range root.Commands {
		if command.Name == "help" {
			continue // it prints the help of the program
		}
		help := helpOf(t, "", command.Name, "--help")
		for _, args := range [][]string{{command.Name, "-h"}, {"help", command.Name}, {command.Name, "help"}} {
			if other := helpOf(t, "", args...); other != help {
				t.Errorf("%q prints\n%s", args, other)
			}
		}
		page := pageOf(command)
		if len(page.examples) == 0 || len(page.groups) == 0 || !strings.Contains(strings.Join(helpParts, " "), page.part) {
			t.Errorf("%s has no page", command.Name)
			continue
		}
		if !strings.HasPrefix(help, capital(command.Usage)+".\n") || strings.Index(help, "\nExamples\n") > strings.Index(help, "\n"+page.groups[0].title+"\n") {
			t.Errorf("%s: examples are not first\n%s", command.Name, help)
		}
		for _, f := range append(command.Flags[:len(command.Flags):len(command.Flags)], root.Flags...) {
			if f.Names()[0] == "help" {
				continue
			}
			if n := strings.Count(help, "\n  "+optionForm(f)+" ") + strings.Count(help, "\n  "+optionForm(f)+"\n"); n != 1 {
				t.Errorf("%s: %s is there %d times\n%s", command.Name, optionForm(f), n, help)
			}
		}
		if strings.Contains(help, "\nOptions\n") {
			t.Errorf("%s: an option has no group\n%s", command.Name, help)
		}
		if !strings.Contains(help, "\n  --db FILE") || strings.Contains(help, "default:") || strings.Contains(help, "ds_test_secret") || strings.Contains(help, "`") {
			t.Errorf("%s:\n%s", command.Name, help)
		}
	}
}

// TestHelpFits: no line of any help is wider than the terminal, except for a command line or a
// word.
func TestHelpFits(t *testing.T) {
	all := [][]string{{}, {"--help"}, {"help"}}
	for _, name := range commandNames() {
		all = append(all, []string{name, "--help"})
	}
	for _, args := range all {
		for columns, width := range map[string]int{"": 80, "80": 80, "200": 80, "60": 60, "40": 40} {
			for line := range strings.Lines(helpOf(t, columns, args...)) {
				line = strings.TrimRight(line, "\n")
				wide := text.StringWidth(line) > width
				if wide && (width == 80 || !strings.HasPrefix(line, "  datasync ") && !strings.HasPrefix(line, "  timeout ") && strings.Contains(strings.TrimSpace(line), " ")) {
					t.Errorf("%q at %s columns: %q", args, columns, line)
				}
				if strings.HasSuffix(line, " ") {
					t.Errorf("%q: a space at the end of %q", args, line)
				}
			}
		}
	}
}

// TestHelpExamples: the parser of options accepts each example.
func TestHelpExamples(t *testing.T) {
	for _, page := range helpPages() {
		for _, e := range page.examples {
			_, line, found := strings.Cut(e.command, "datasync")
			line, _, _ = strings.Cut(line, " | ")
			if !found || e.about == "" {
				t.Errorf("%q is no example", e.command)
				continue
			}
			if err := parseExample(append([]string{"datasync"}, shellWords(line)...)); err != nil && !strings.Contains(err.Error(), "no SQL") {
				t.Errorf("%q: %v", e.command, err)
			}
		}
	}
}

// parseExample reads a command line with the real options, and does nothing.
func parseExample(args []string) error {
	io, _ := helpIO("")
	get := io.Getenv
	io.Getenv = func(name string) string {
		if name == "DATASYNC_BASE_URL" {
			return "https://api.test"
		}
		return get(name)
	}
	root := newApp(io)
	for i, command := range root.Commands {
		switch command.Name {
		case "pull":
			command.Action = pullCommand(io, func(context.Context, pullOptions) error { return nil }).Action
		case "query":
			command.Action = queryCommand(io, func(context.Context, queryOptions) error { return nil }).Action
		case "export":
			command.Action = exportCommand(io, func(context.Context, exportOptions) error { return nil }).Action
		case "status":
			command.Action = statusCommand(io, func(context.Context, statusOptions) error { return nil }).Action
		case "mock":
			command.Action = mockCommand(io, func(context.Context, mockOptions) error { return nil }).Action
		default:
			command.Action = func(*cli.Context) error { return nil }
		}
		root.Commands[i] = command
	}
	line := arrange(args, root)
	return line.named(root.Run(line.args))
}

// shellWords splits a command line at spaces that are not in double quotes.
func shellWords(line string) (words []string) {
	for i, part := range strings.Split(line, `"`) {
		if i%2 == 1 {
			words = append(words, part)
		} else {
			words = append(words, strings.Fields(part)...)
		}
	}
	return words
}

// TestOverview: datasync alone names each command once, with the first commands of a newcomer.
func TestOverview(t *testing.T) {
	out := helpOf(t, "")
	for _, name := range commandNames() {
		if n := strings.Count(out, " "+name+"  "); n != 1 {
			t.Errorf("%s is there %d times\n%s", name, n, out)
		}
	}
	if lines := strings.Count(out, "\n"); !strings.Contains(out, "datasync pull --demo") || lines > 24 {
		t.Errorf("%d lines:\n%s", lines, out)
	}
	if help := helpOf(t, "", "--help"); !strings.HasPrefix(help, out) || !strings.Contains(help, "  130  interrupted") || !strings.Contains(help, "--color WHEN") {
		t.Errorf("--help prints\n%s", help)
	}
	for _, args := range [][]string{{"-h"}, {"help"}} {
		if helpOf(t, "", args...) != helpOf(t, "", "--help") {
			t.Errorf("%q differs from --help", args)
		}
	}
}
