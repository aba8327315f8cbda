package shell

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"datasync/internal/human"
	"datasync/internal/term"
	"datasync/query"
)

// command is a command that begins with a dot.
type command struct {
	name, argument, does string
	run                  func(s *shell, ctx context.Context, argument string) error
}

// commands returns all commands by name.
func commands() []command {
	return []command{
		{".close", "", "Close the file that this session keeps open", func(s *shell, _ context.Context, _ string) error { s.closeFile(); return nil }},
		{".help", "[COMMAND]", "Show this list, or a part of it", (*shell).help},
		{".last", "", "Run the last statement again, and show all rows", (*shell).again},
		{".maxrows", "[N]", "Show or set the row limit of results; 0 means all", (*shell).maxRows},
		{".mode", "[FORMAT]", "Show or set the format: " + query.Formats(), (*shell).mode},
		{".named", "[NAME [P=V]...]", "List the named queries, or run one", (*shell).named},
		{".once", "[--force] FILE", "Write the next result to a file", (*shell).once},
		{".output", "[[--force] FILE]", "Write results to a file; .output alone ends it", (*shell).setOutput},
		{".param", "[NAME=VALUE]", "List parameters, or set the value of $NAME", (*shell).param},
		{".param unset", "NAME", "Remove the value of $NAME", (*shell).param},
		{".quit", "", "Leave, like exit or Ctrl-D", func(*shell, context.Context, string) error { return errQuit }},
		{".read", "FILE", "Run the statements and commands of a file", (*shell).readFile},
		{".schema", "[PATTERN]", "Show the SQL that creates tables and views", (*shell).schema},
		{".tables", "[PATTERN]", "List tables and views, or those LIKE the pattern", (*shell).tables},
		{".timer", "[on|off]", "Show or set whether statements show their time", (*shell).timer},
		{".timezone", "[ZONE]", "Show or set the time zone, such as Europe/Berlin", (*shell).setTimezone},
	}
}

// errQuit ends the shell.
var errQuit = errors.New("quit")

// several lists the commands whose argument may have spaces.
var several = []string{".named", ".once", ".output", ".param", ".read"}

// command carries out a command line. It fails with errQuit.
func (s *shell) command(ctx context.Context, line string) error {
	name, argument, _ := strings.Cut(line, " ")
	if at := strings.IndexAny(line, " \t"); at >= 0 {
		name, argument = line[:at], strings.TrimSpace(line[at:])
	}
	name = strings.ToLower(strings.TrimRight(name, ";"))
	if strings.HasPrefix(".exit", name) && len(name) > 1 {
		name = ".quit"
	}
	c, err := findCommand(name)
	if err != nil {
		s.complain(err.Error())
		return nil
	}
	if c.name != ".param" { // whose value may end with one
		argument = strings.TrimRight(argument, "; \t")
	}
	if strings.ContainsAny(argument, " \t") && !slices.Contains(several, c.name) || argument != "" && c.argument == "" {
		s.complain(c.usage())
		return nil
	}
	return c.run(s, ctx, argument)
}

// findCommand returns the command of that name, or the only one that begins with it.
func findCommand(name string) (command, error) {
	var found []command
	for _, c := range commands() {
		switch {
		case c.name == name:
			return c, nil
		case strings.HasPrefix(c.name, name) && !strings.Contains(c.name, " ") && len(name) > 1:
			found = append(found, c)
		}
	}
	switch len(found) {
	case 0:
		return command{}, unknown(name)
	case 1:
		return found[0], nil
	}
	names := make([]string, len(found))
	for i, c := range found {
		names[i] = c.name
	}
	return command{}, fmt.Errorf("%s may be %s", name, strings.Join(names, " or "))
}

// usage says which arguments the command takes.
func (c command) usage() string {
	if c.argument == "" {
		return c.name + " takes no argument"
	}
	return fmt.Sprintf("%s takes at most one argument, %s", c.name, strings.Trim(c.argument, "[]"))
}

// helpIndent is the column at which .help says what a command does.
const helpIndent = 26

// help lists the commands, or those that begin with a name.
func (s *shell) help(_ context.Context, name string) error {
	name = "." + strings.ToLower(strings.TrimPrefix(name, "."))
	if name == ".exit" {
		name = ".quit"
	}
	shown := commands()
	if shown = slices.DeleteFunc(shown, func(c command) bool { return !strings.HasPrefix(c.name, name) }); len(shown) == 0 {
		s.complain(unknown(name).Error())
		return nil
	}
	for _, c := range shown {
		s.print(s.beside(strings.TrimSpace(c.name+" "+c.argument), helpIndent, c.does))
	}
	if name == "." {
		s.print(term.Wrap("SQL ends with ;  help, ?, exit and quit need no dot", s.IO.Width(), 2))
	}
	return nil
}

// tables lists the tables and views whose names match a pattern of LIKE in any case; "" means all.
func (s *shell) tables(ctx context.Context, pattern string) error {
	s.listLike(ctx, pattern, `SELECT name FROM (SELECT table_name AS name FROM duckdb_tables() WHERE NOT internal
		UNION ALL SELECT view_name FROM duckdb_views() WHERE NOT internal)`)
	return nil
}

// schema shows the SQL of the tables and views whose names match a pattern of LIKE; "" means all.
func (s *shell) schema(ctx context.Context, pattern string) error {
	s.listLike(ctx, pattern, `SELECT sql FROM (SELECT table_name AS name, sql FROM duckdb_tables() WHERE NOT internal
		UNION ALL SELECT view_name, sql FROM duckdb_views() WHERE NOT internal)`)
	return nil
}

// listLike lists what a query returns for the names that match a pattern of LIKE, or for all if the
// pattern is "".
func (s *shell) listLike(ctx context.Context, pattern, text string) {
	pattern = unquoted(pattern)
	n := s.list(ctx, text+" WHERE $pattern = '' OR lower(name) = lower($pattern) OR name ILIKE $pattern ORDER BY name", map[string]string{"pattern": pattern})
	if n == 0 && pattern != "" {
		s.complain(fmt.Sprintf("no table or view %q%s; see .tables", pattern, human.DidYouMean(pattern, s.tableNames(ctx))))
	}
}

// list writes the texts that a query returns, each from a new line on, and returns their number, or
// -1 after an error.
func (s *shell) list(ctx context.Context, text string, params map[string]string) int {
	var texts []string
	err := s.use(ctx, func(f *File) (err error) {
		texts, err = query.Texts(ctx, f.Session, text, params)
		return err
	})
	if err != nil {
		if ctx.Err() != nil {
			err = errInterrupted
		}
		s.complain(s.Explain(err))
		return -1
	}
	for _, t := range texts {
		for line := range strings.Lines(t) {
			s.print(term.Visible(strings.TrimRight(line, "\n")))
		}
	}
	return len(texts)
}
