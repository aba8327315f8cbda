package app

import (
	"errors"
	"io"
	"time"

	"datasync/internal/human"
	"datasync/internal/term"
	"datasync/query"

	"github.com/urfave/cli/v2"
)

// printsNamed reports whether the command line has an option about the printing of a named query.
func printsNamed(c *cli.Context) bool {
	return c.Bool("print") || c.IsSet("dialect") || c.IsSet("table")
}

// printNamed prints the SQL of a named query. It opens no file.
func printNamed(t term.IO, c *cli.Context) error {
	for _, name := range []string{"dialect", "table"} {
		if c.IsSet(name) && !c.Bool("print") {
			return usage("--%s %s needs --print: datasync itself runs a query in DuckDB, on its own file", name, typed(c, name))
		}
	}
	if !c.IsSet("named") {
		return usage("--print needs --named: it prints a named query; give --named list for their names")
	}
	if c.Args().Present() {
		return besideNamed(c)
	}
	for _, name := range []string{"file", "format", "output", "force", "max-rows", "timeout", "timing", "csv-safe"} {
		if c.IsSet(name) {
			return usage("--print prints SQL and runs nothing: omit --%s", name)
		}
	}
	dialect, table := query.InDuckDB, "events"
	var err error
	if c.IsSet("dialect") {
		if dialect, err = query.ParseDialect(c.String("dialect")); err != nil {
			return usage("--dialect %s %w", typed(c, "dialect"), err)
		}
	}
	if c.IsSet("table") {
		table = c.String("table")
	}
	params, err := parseParams(c.StringSlice("param"))
	if err != nil {
		return err
	}
	zone, err := zoneNamed(c.String("timezone"))
	if err != nil {
		return err
	}
	n, err := query.FindNamed(c.String("named"))
	if err != nil {
		return usage("--named %s: %w", human.Shown(c.String("named")), err)
	}
	text, err := n.Print(dialect, table, params, time.Now(), zone)
	switch {
	case errors.Is(err, query.ErrTable):
		return usage("--%w", err)
	case err != nil:
		return usage("%w", err)
	}
	_, err = io.WriteString(t.Stdout, text)
	return err
}
