package query

import (
	"encoding/json"
	"io"
	"strings"

	"datasync/internal/duck"
	"datasync/internal/term"
)

// Values returns the query's parameters with their defaults, as "since=-infinity limit=20".
func (n *Named) Values() string {
	values := make([]string, len(n.Params))
	for i, p := range n.Params {
		values[i] = p.Name + "=" + p.Default
	}
	return strings.Join(values, " ")
}

// ListNamed returns the list of the named queries with their parameters for a terminal of so many columns;
// 0 means no limit.
func ListNamed(columns int) (string, error) {
	all, err := NamedQueries()
	if err != nil {
		return "", err
	}
	indent := 21
	if columns > 0 && columns < 2*indent { // a name, and below it the rest
		indent = 2
	}
	var b strings.Builder
	below := func(text string) string {
		return strings.ReplaceAll(text, "\n", "\n"+strings.Repeat(" ", indent))
	}
	rest := 0
	if columns > 0 {
		rest = columns - indent
	}
	for _, n := range all {
		name := n.Name
		if len(name) < indent {
			name += strings.Repeat(" ", indent-len(name))
		} else {
			name += "\n" + strings.Repeat(" ", indent)
		}
		lines := term.Wrap(n.Title, rest, 0)
		if values := n.Values(); values != "" {
			lines += "\n" + term.WrapList(values, rest)
		}
		b.WriteString(name + below(lines) + "\n")
	}
	return b.String(), nil
}

// WriteNamed writes all named queries to w in the format of the options. In JSON their parameters are
// objects.
func WriteNamed(w io.Writer, opts Options) error {
	all, err := NamedQueries()
	if err != nil {
		return err
	}
	columns := []column{{name: "name"}, {name: "title"}, {name: "parameters"}, {name: "description"}}
	if opts.Format == Table || opts.Format == Box {
		columns = columns[:3] // a description has many lines
	}
	for i := range columns {
		columns[i].typeName = "VARCHAR"
	}
	isJSON := opts.Format == JSON || opts.Format == JSONLines
	if isJSON {
		columns[2].kind = kindJSON
	}
	out, err := newSink(w, columns, duck.Select, &opts)
	if err != nil {
		return err
	}
	for _, n := range all {
		params := n.Values()
		if isJSON {
			b, err := json.Marshal(n.Params)
			if err != nil {
				return err
			}
			params = string(b)
		}
		cells := []cell{{n.Name, true}, {n.Title, true}, {params, true}, {n.Description, true}}
		if err := out.row(cells[:len(columns)]); err != nil {
			return err
		}
	}
	return out.end()
}
