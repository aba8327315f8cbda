package app

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"datasync/query"
)

// shellCommand is one of the commands that begin with a dot.
type shellCommand struct{ name, argument, does string }

var shellCommands = []shellCommand{
	{".help", "", "show this list"},
	{".maxrows", "[N]", "show or set how many rows of a table are shown; 0 is all"},
	{".mode", "[FORMAT]", "show or set the format: " + query.Formats()},
	{".quit", "", "leave, as does Ctrl-D"},
	{".schema", "[TABLE]", "show how tables and views are made"},
	{".tables", "", "list tables and views"},
	{".timer", "[on|off]", "say how long each statement takes, or not"},
}

// command carries out a command and says whether the shell goes on.
func (s *shell) command(ctx context.Context, words []string) (goOn bool) {
	argument := ""
	if len(words) > 1 {
		argument = words[1]
	}
	known := slices.IndexFunc(shellCommands, func(c shellCommand) bool { return c.name == words[0] })
	switch {
	case words[0] == ".exit", words[0] == ".quit":
		return false
	case known < 0:
		s.say(fmt.Sprintf("unknown command %s; see .help", words[0]))
		return true
	case len(words) > 2 || argument != "" && shellCommands[known].argument == "":
		s.say(fmt.Sprintf("%s takes %s", words[0], takes(shellCommands[known].argument)))
		return true
	}
	switch words[0] {
	case ".help":
		for _, c := range shellCommands {
			_, _ = fmt.Fprintf(s.stdout, "%-20s %s\n", strings.TrimSpace(c.name+" "+c.argument), c.does)
		}
	case ".maxrows":
		s.maxRows(argument)
	case ".mode":
		s.mode(argument)
	case ".schema":
		s.schema(ctx, argument)
	case ".tables":
		s.list(ctx, `SELECT name FROM (SELECT table_name AS name FROM duckdb_tables() WHERE NOT internal
			UNION ALL SELECT view_name FROM duckdb_views() WHERE NOT internal) ORDER BY name`, nil)
	case ".timer":
		s.timer(argument)
	}
	return true
}

func takes(argument string) string {
	if argument == "" {
		return "nothing more"
	}
	return "no more than " + strings.Trim(argument, "[]")
}

func (s *shell) maxRows(argument string) {
	if argument == "" {
		shown := s.opts.MaxRows
		if shown == 0 {
			shown = query.DefaultTableRows
		}
		_, _ = fmt.Fprintln(s.stdout, max(0, shown))
		return
	}
	n, err := strconv.Atoi(argument)
	if err != nil || n < 0 {
		s.say(fmt.Sprintf(".maxrows %s is no number from 0 on", argument))
		return
	}
	if s.opts.MaxRows = n; n == 0 {
		s.opts.MaxRows = -1
	}
}

func (s *shell) mode(argument string) {
	if argument == "" {
		_, _ = fmt.Fprintln(s.stdout, s.opts.Format)
		return
	}
	f, err := query.ParseFormat(argument)
	if err != nil {
		s.say(err.Error())
		return
	}
	s.opts.Format = f
}

func (s *shell) timer(argument string) {
	switch argument {
	case "":
		state := "off"
		if s.timing {
			state = "on"
		}
		_, _ = fmt.Fprintln(s.stdout, state)
	case "on", "off":
		s.timing = argument == "on"
	default:
		s.say(fmt.Sprintf(".timer %s is neither on nor off", argument))
	}
}

func (s *shell) schema(ctx context.Context, table string) {
	text, params := `SELECT sql FROM (SELECT table_name AS name, sql FROM duckdb_tables() WHERE NOT internal
		UNION ALL SELECT view_name, sql FROM duckdb_views() WHERE NOT internal)`, map[string]string(nil)
	if table != "" {
		text, params = text+" WHERE name = $name", map[string]string{"name": table}
	}
	if n := s.list(ctx, text+" ORDER BY name", params); n == 0 && table != "" {
		s.say(fmt.Sprintf("there is no table or view %q; see .tables", table))
	}
}

// list writes the texts that a statement gives, a line each, and returns how many.
func (s *shell) list(ctx context.Context, text string, params map[string]string) (n int) {
	texts, err := query.Texts(ctx, s.session, text, params)
	if err != nil {
		s.say(err.Error())
	}
	for _, t := range texts {
		for line := range strings.Lines(t) {
			_, _ = fmt.Fprintln(s.stdout, query.Visible(strings.TrimRight(line, "\n")))
		}
	}
	return len(texts)
}
