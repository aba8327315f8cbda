package app

import (
	"io"
	"strings"
	"time"

	"datasync/internal/term"
	"datasync/query"

	"github.com/urfave/cli/v2"
)

// listsNamed reports whether the command line asks for the list of named queries.
func listsNamed(c *cli.Context) bool { return strings.EqualFold(c.String("named"), "list") }

// listNamed lists the named queries with their parameters, in the format of --format if that is
// given.
func listNamed(t term.IO, c *cli.Context) error {
	if err := noArguments(c); err != nil {
		return err
	}
	for _, name := range []string{"file", "param", "max-rows", "timeout", "timing"} {
		if c.IsSet(name) {
			return usage("--named list lists the named queries: omit --%s", name)
		}
	}
	if c.IsSet("format") || c.IsSet("output") {
		opts, err := readQueryOptions(t, c)
		if err != nil {
			return err
		}
		out, err := opts.output()
		if err != nil {
			return err
		}
		return out.End(query.WriteNamed(out, opts.query))
	}
	text, err := query.ListNamed(t.Width())
	if err == nil {
		_, err = io.WriteString(t.Stdout, text)
	}
	return err
}

// bindNamed sets the options of a named query. The command line gives the values of its parameters.
func bindNamed(name string, q *query.Options) error {
	n, err := query.FindNamed(name)
	if err != nil {
		return usage("%w", err)
	}
	bound, err := n.Bind(q.Params, time.Now(), q.Location)
	if err != nil {
		return usage("%w", err)
	}
	bound.Into(q)
	return nil
}
