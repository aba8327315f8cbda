package query

import (
	"encoding/json"
	"io"
	"strings"

	"datasync/internal/duck"
)

// Values returns the query's parameters with their defaults, as "since=-infinity limit=20".
func (n *Named) Values() string {
	values := make([]string, len(n.Params))
	for i, p := range n.Params {
		values[i] = p.Name + "=" + p.Default
	}
	return strings.Join(values, " ")
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
