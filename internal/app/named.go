package app

import (
	"io"
	"strings"
	"time"
	"unicode"

	"datasync/internal/human"
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
	for _, name := range []string{"file", "param", "max-rows", "timeout", "timing", "print", "dialect", "table"} {
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
		return usage("--named %s: %w", human.Shown(name), err)
	}
	bound, err := n.Bind(q.Params, time.Now(), q.Location)
	if err != nil {
		return usage("%w", err)
	}
	bound.Into(q)
	return nil
}

// besideNamed is the error about arguments beside --named. A parameter with its value is the likely
// mistake.
func besideNamed(c *cli.Context) error {
	var params []string
	for _, arg := range c.Args().Slice() {
		name, _, ok := strings.Cut(arg, "=")
		if !ok || name == "" || strings.ContainsFunc(strings.TrimLeft(name, "$-"), func(r rune) bool { return r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
			return usage("--named %s takes no SQL, but got %s; omit one of them", typed(c, "named"), human.Shown(arg))
		}
		params = append(params, "--param "+human.Shown(strings.TrimLeft(arg, "$-")))
	}
	return usage("--named %s takes its values by --param, but got %s; did you mean %s?", typed(c, "named"), human.Shown(c.Args().First()), strings.Join(params, " "))
}
