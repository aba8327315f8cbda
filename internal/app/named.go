package app

import (
	"fmt"
	"strings"

	"datasync/internal/term"
	"datasync/query"

	"github.com/urfave/cli/v2"
)

// listsNamed reports whether the command line asks for the list of named queries.
func listsNamed(c *cli.Context) bool { return strings.EqualFold(c.String("named"), "list") }

// listNamed lists the named queries with their parameters.
func listNamed(t term.IO, c *cli.Context) error {
	if err := noArguments(c); err != nil {
		return err
	}
	for _, name := range []string{"file", "param", "output", "force", "format"} {
		if c.IsSet(name) {
			return usage("--named list writes a list to stdout: omit --%s", name)
		}
	}
	all, err := query.NamedQueries()
	if err != nil {
		return err
	}
	for _, n := range all {
		params := make([]string, len(n.Params))
		for i, param := range n.Params {
			params[i] = param.Name + "=" + param.Default
		}
		_, err = fmt.Fprintf(t.Stdout, "%-20s %s\n%-20s %s\n", n.Name, n.Title, "", strings.Join(params, " "))
	}
	return err
}

// namedSQL returns the SQL of the named query, and adds the defaults of parameters without a
// value to params.
func namedSQL(name string, params map[string]string) (string, error) {
	n, err := query.FindNamed(name)
	if err != nil {
		return "", usage("%w", err)
	}
	for _, param := range n.Params {
		if _, ok := params[param.Name]; !ok {
			params[param.Name] = param.Default
		}
	}
	return n.SQL, nil
}
