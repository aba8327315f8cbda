package shell

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"datasync/internal/term"
	"datasync/query"
)

// command is a command that begins with a dot.
type command struct{ name, argument, does string }

var commands = []command{
	{".help", "", "show this list"},
	{".maxrows", "[N]", "show or set the maximum number of table rows shown; 0 is all"},
	{".mode", "[FORMAT]", "show or set the format: " + query.Formats()},
	{".quit", "", "leave, like Ctrl-D"},
	{".schema", "[TABLE]", "show the SQL that creates tables and views"},
	{".tables", "", "list tables and views"},
	{".timer", "[on|off]", "show or set whether the time of each statement is shown"},
}

// command carries out a command. It returns false when the shell must end.
func (s *shell) command(ctx context.Context, words []string) bool {
	argument := ""
	if len(words) > 1 {
		argument = words[1]
	}
	known := slices.IndexFunc(commands, func(c command) bool { return c.name == words[0] })
	switch {
	case words[0] == ".exit", words[0] == ".quit":
		return false
	case known < 0:
		s.IO.Say(fmt.Sprintf("unknown command %s; see .help", words[0]))
		return true
	case len(words) > 2 || argument != "" && commands[known].argument == "":
		s.IO.Say(commands[known].usage())
		return true
	}
	switch words[0] {
	case ".help":
		for _, c := range commands {
			s.print(fmt.Sprintf("%-20s %s", strings.TrimSpace(c.name+" "+c.argument), c.does))
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

// usage says which arguments the command takes.
func (c command) usage() string {
	if c.argument == "" {
		return c.name + " takes no argument"
	}
	return fmt.Sprintf("%s takes at most one argument, %s", c.name, strings.Trim(c.argument, "[]"))
}

func (s *shell) maxRows(argument string) {
	if argument == "" {
		shown := s.Query.MaxRows
		if shown == 0 {
			shown = query.DefaultTableRows
		}
		s.print(strconv.Itoa(max(0, shown)))
		return
	}
	n, err := strconv.Atoi(argument)
	if err != nil || n < 0 {
		s.IO.Say(fmt.Sprintf(".maxrows %s: want a number, 0 or more", argument))
		return
	}
	if s.Query.MaxRows = n; n == 0 {
		s.Query.MaxRows = -1
	}
}

func (s *shell) mode(argument string) {
	if argument == "" {
		s.print(fmt.Sprint(s.Query.Format))
		return
	}
	f, err := query.ParseFormat(argument)
	if err != nil {
		s.IO.Say(err.Error())
		return
	}
	s.Query.Format = f
}

func (s *shell) timer(argument string) {
	switch argument {
	case "":
		state := "off"
		if s.Timing {
			state = "on"
		}
		s.print(state)
	case "on", "off":
		s.Timing = argument == "on"
	default:
		s.IO.Say(fmt.Sprintf(".timer %s: want on or off", argument))
	}
}

func (s *shell) schema(ctx context.Context, table string) {
	text, params := `SELECT sql FROM (SELECT table_name AS name, sql FROM duckdb_tables() WHERE NOT internal
		UNION ALL SELECT view_name, sql FROM duckdb_views() WHERE NOT internal)`, map[string]string(nil)
	if table != "" {
		text, params = text+" WHERE name = $name", map[string]string{"name": table}
	}
	if n := s.list(ctx, text+" ORDER BY name", params); n == 0 && table != "" {
		s.IO.Say(fmt.Sprintf("no table or view %q; see .tables", table))
	}
}

// list writes the texts that a query returns, each on lines of its own, and returns their number.
func (s *shell) list(ctx context.Context, text string, params map[string]string) int {
	texts, err := query.Texts(ctx, s.Session, text, params)
	if err != nil {
		s.IO.Say(err.Error())
	}
	for _, t := range texts {
		for line := range strings.Lines(t) {
			s.print(term.Visible(strings.TrimRight(line, "\n")))
		}
	}
	return len(texts)
}
