package app

import (
	"fmt"
	"strings"

	"datasync/query"

	"github.com/urfave/cli/v2"
)

// namedSQL returns the named query's SQL, and adds the defaults of the parameters that
// have no value to params.
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

// listNamed says which queries the program brings along and what they take.
func (p *program) listNamed(c *cli.Context) error {
	if err := noArguments(c); err != nil {
		return err
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
		_, err = fmt.Fprintf(p.stdout, "%-20s %s\n%-20s %s\n", n.Name, n.Title, "", strings.Join(params, " "))
	}
	return err
}
