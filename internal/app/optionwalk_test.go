package app

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"

	"datasync/internal/human"
	"datasync/internal/model"
	"datasync/internal/term"

	"github.com/urfave/cli/v2"
)

// wrongValues are values that most options refuse: no word of ours, below zero, zero, empty, too large,
// and texts that would break a line or hide in it.
var wrongValues = []string{"wrong", "-5", "-5m", "0", "", " ", "1e30", "99999999999999999999d", "1e9", "10M", "a\nb", "\x1b[2J"}

// takes says which of the wrong values an option takes, as "command --option", or "--option" for all
// commands. Options without an entry take none of them.
var takes = map[string][]string{
	"--db":            texts,
	"pull --lookback": {"0"}, "pull --from": {"-5m"}, "pull --demo-events": {"0", "1e9", "10M"},
	"query --table": printable, "query --max-rows": {"0", "1e9", "10M"}, "pull --url-file": texts, "serve --url-file": texts,
	"export --parquet": texts, "export --csv": texts, "export --jsonl": texts, "export --query": texts, "export --where": texts, "export --partition-by": texts,
	"export --since": {"-5m"}, "export --until": {"-5m"}, "export --row-group-size": {"1e9", "10M"}, "export --file-size": {"10M"},
	"stats --since": {"-5m"}, "stats --until": {"-5m"}, "report --since": {"-5m"}, "report --until": {"-5m"}, "report --output": texts, "report --title": texts,
	"mock --events": {"0", "1e9", "10M"}, "mock --rate": {"10M"}, "mock --key-life": {"0"}, "mock --late-after": {"0"}, "mock --access-limit": {"1e9", "10M"}, "mock --access-failures": {"0"},
}

// texts are the values that options of a name or of SQL take: only DuckDB or the file system refuses them.
var texts = slices.DeleteFunc(slices.Clone(wrongValues), func(s string) bool { return strings.TrimSpace(s) == "" })

// printable are the texts that are names.
var printable = slices.DeleteFunc(slices.Clone(texts), func(s string) bool { return strings.ContainsAny(s, "\n\x1b") })

// TestEveryOptionRefuses walks all options of all commands: an error about a value is one line that
// names the command and the option, and repeats the value as typed; the exit code is 2.
func TestEveryOptionRefuses(t *testing.T) {
	walked := 0
	for _, name := range []string{"pull", "query", "export", "stats", "report", "serve", "schema", "status", "verify", "explain", "mock", "version"} {
		for _, f := range append(stubbed(t).Command(name).Flags, stubbed(t).Flags...) {
			option, values := "--"+f.Names()[0], wrongValues
			if _, isBool := f.(*cli.BoolFlag); isBool {
				values = slices.DeleteFunc(slices.Clone(values), func(s string) bool { return s == "0" })
			}
			for _, value := range values {
				walked++
				err := runStubbed(t, valid(name, option), option, value)
				about := name + " " + option + " " + human.Shown(value)
				isTaken := slices.Contains(takes[name+" "+option], value) || slices.Contains(takes[option], value)
				switch {
				case isTaken && err != nil:
					t.Errorf("%s is refused: %v", about, err)
				case !isTaken && err == nil:
					t.Errorf("%s is taken", about)
				case err == nil:
				case model.ExitOf(err).Code != model.ExitUsage:
					t.Errorf("%s ends with %d: %v", about, model.ExitOf(err).Code, err)
				default:
					checkOptionError(t, name, option, value, errorLine(err))
				}
			}
		}
	}
	if walked < 200 {
		t.Errorf("%d values are too few for all options", walked)
	}
}

// checkOptionError checks the line about a value that an option refuses.
func checkOptionError(t *testing.T, command, option, value, line string) {
	t.Helper()
	if option == "--base-url" && strings.TrimSpace(value) != "" { // a part of it may be a secret, so it is not repeated
		option, value = "the base URL", "base"
	}
	if option == "--param" { // the library trims it
		value = strings.TrimSpace(value)
	}
	said, begins := strings.CutPrefix(line, command+": ")
	if option == "--color" { // of the program
		said, begins = line, true
	}
	if !begins || !strings.Contains(said, option) || !strings.Contains(said, human.Shown(value)) || strings.ContainsAny(said, "\n\x1b") {
		t.Errorf("%s %s %q: %q", command, option, value, line)
	}
	if !slices.ContainsFunc([]string{"; ", ": ", " is none of ", " between ", " such as ", " neither "}, func(s string) bool { return strings.Contains(said, s) }) {
		t.Errorf("%s %s %q does not say what to do: %q", command, option, value, line)
	}
}

// valid returns a command line that is valid beside the option.
func valid(command, option string) []string {
	switch {
	case option == "--base-url":
		return []string{"pull", "--api-key-file", "/dev/null"}
	case option == "--api-key-file":
		return []string{"pull", "--base-url", "http://localhost"}
	case command == "pull" && slices.Contains([]string{"--addr", "--url-file", "--timezone"}, option):
		return []string{"pull", "--demo", "--serve"}
	case command == "pull":
		return []string{"pull", "--demo"}
	case option == "--dialect", option == "--table":
		return []string{"query", "--named", "sessions", "--print"}
	case option == "--file", option == "--named":
		return []string{"query"}
	case command == "query":
		return []string{"query", "SELECT 1"}
	case option == "--csv", option == "--jsonl", option == "--parquet":
		return []string{"export"}
	case option == "--iceberg":
		return []string{command, "--catalog", "s3://bucket"}
	case option == "--catalog":
		return []string{command, "--iceberg", "web.events"}
	case option == "--endpoint":
		return []string{command, "--iceberg", "web.events", "--catalog", "s3://bucket"}
	case option == "--delimiter":
		return []string{"export", "--csv", "new"}
	case command == "export":
		return []string{"export", "--parquet", "new"}
	}
	return []string{command}
}

// stubbed returns the program with commands that only read their options.
func stubbed(t *testing.T) *cli.App {
	t.Helper()
	io := term.IO{Getenv: func(string) string { return "" }, Stdin: strings.NewReader("SELECT 3"), Stdout: &bytes.Buffer{}, Stderr: &bytes.Buffer{}, Color: &term.Color{}}
	root := newApp(io)
	for _, c := range []*cli.Command{
		pullCommand(io, func(context.Context, pullOptions) error { return nil }),
		queryCommand(io, func(context.Context, queryOptions) error { return nil }),
		exportCommand(io, func(context.Context, exportOptions) error { return nil }),
		statsCommand(io, func(context.Context, statsOptions) error { return nil }),
		reportCommand(io, func(context.Context, reportOptions) error { return nil }),
		serveCommand(io, func(context.Context, serveOptions) error { return nil }),
		statusCommand(io, func(context.Context, statusOptions) error { return nil }),
		mockCommand(io, func(context.Context, mockOptions) error { return nil }),
	} {
		root.Command(c.Name).Action = withoutEmpty(c.Action)
	}
	for _, name := range []string{"schema", "verify"} { // they have no option with a value, and would open the file
		root.Command(name).Action = withoutEmpty(func(*cli.Context) error { return nil })
	}
	return root
}

// runStubbed runs a command line of the program with one more option.
func runStubbed(t *testing.T, line []string, option, value string) error {
	t.Helper()
	root := stubbed(t)
	args := arrange(append(append([]string{"datasync"}, line...), option+"="+value), root)
	return args.named(root.Run(args.args))
}
