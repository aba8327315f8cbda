package query

import (
	"embed"
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/template"
	"time"

	"datasync/internal/human"
	"datasync/internal/model"
)

// Dialect is the SQL of an engine in which a named query can be printed.
type Dialect string

// The engines: DuckDB, Spark 3.5 and later, and Trino 476 and later.
const (
	InDuckDB Dialect = "duckdb"
	InSpark  Dialect = "spark"
	InTrino  Dialect = "trino"
)

// ErrTable says that a text is not the name of a table.
var ErrTable = model.NewFailure(model.ExitUsage, "", "table")

// Dialects returns the names of the dialects.
func Dialects() []string { return []string{string(InDuckDB), string(InSpark), string(InTrino)} }

// dialectFiles are the named queries of Spark and Trino, as templates of SQL whose values are those of
// newTemplate. A query has the parameters of the DuckDB file with its name.
//
//go:embed named/spark/*.sql named/trino/*.sql
var dialectFiles embed.FS

// Print returns the SQL of a named query for an engine, with values in place of the parameters, a
// comment above it and a semicolon. Given and zone are those of Bind; a parameter that is not given has its
// default. The table is named as in NAMESPACE.TABLE, where a part with a dot is in double quotes. Print fails
// with ErrParams for a value, and with ErrTable for a table.
func (n *Named) Print(d Dialect, table string, given map[string]string, now time.Time, zone *time.Location) (string, error) {
	bound, err := n.Bind(given, now, zone)
	if err != nil {
		return "", err
	}
	name, err := d.tableName(table)
	if err != nil {
		return "", err
	}
	var sql string
	if d == InDuckDB {
		sql = n.inDuckDB(name, bound.Params)
	} else if sql, err = n.inTemplate(d, name, bound.Params); err != nil {
		return "", err
	}
	return n.head(d, &bound, zone) + strings.TrimRight(sql, "\n") + ";\n", nil
}

// engine returns the name of the engine.
func (d Dialect) engine() string {
	return map[Dialect]string{InDuckDB: "DuckDB", InSpark: "Spark", InTrino: "Trino"}[d]
}

// head returns the comment above the SQL. It has no text of the user, which could end the comment.
func (n *Named) head(d Dialect, bound *Bound, zone *time.Location) string {
	set := "SET TIME ZONE '%s'"
	if d == InDuckDB {
		set = "SET TimeZone = '%s'"
	}
	head := fmt.Sprintf("-- %s, for %s\n", n.Title, d.engine())
	if unit := n.buckets(bound.Params); unit != "" {
		head += fmt.Sprintf("-- The %s are in the time zone of the session: "+set+"\n", unit, zone)
	}
	return head
}

// inDuckDB returns the DuckDB file's statement with the parameters and the table replaced.
func (n *Named) inDuckDB(table string, params map[string]string) string {
	var b strings.Builder
	last := "" // the last word
	lex(n.SQL, func(t token, from, to int) {
		text := n.SQL[from:to]
		switch {
		case t == parameter:
			text = InDuckDB.text(params[text[1:]])
		case t == other && text == "events" && (last == "FROM" || last == "JOIN"):
			text = table
		}
		if t != blank {
			last = n.SQL[from:to]
		}
		b.WriteString(text)
	})
	return b.String()
}

// inTemplate returns the statement of another engine's file.
func (n *Named) inTemplate(d Dialect, table string, params map[string]string) (string, error) {
	name := "named/" + string(d) + "/" + n.Name + ".sql"
	text, err := dialectFiles.ReadFile(name)
	if err != nil {
		return "", err
	}
	values, err := n.values(d, params)
	if err != nil {
		return "", err
	}
	values["table"] = table
	t, err := template.New(name).Option("missingkey=error").Funcs(template.FuncMap{
		"between": func(expression string) string { return d.between(expression, params["since"], params["until"]) },
		"join":    func(literals []string) string { return strings.Join(literals, ", ") },
		"later":   trinoLater,
	}).Parse(string(text))
	if err != nil {
		return "", err
	}
	var b strings.Builder
	err = t.Execute(&b, values)
	return b.String(), err
}

// funnelStep is a step of the funnel as its template names it.
type funnelStep struct {
	Number, Before int    // from 1
	Type           string // a literal
}

// values returns what the templates of a query can name: a literal for a text, the literals of a list, the
// digits of a number or "" for all, and an interval or nil for none. Steps become the list types, and the
// objects steps and further; further lacks the first.
func (n *Named) values(d Dialect, params map[string]string) (map[string]any, error) {
	values := map[string]any{}
	for _, p := range n.Params {
		text := params[p.Name]
		switch {
		case p.Type == timestamp: // as a condition, by between
		case p.Type == interval && text == "none":
			values[p.Name] = nil
		case p.Type == interval:
			v, err := readDuckInterval(text)
			if err != nil {
				return nil, fmt.Errorf("%w: %s=%w", ErrParams, p.Name, err)
			}
			values[p.Name] = d.interval(v)
		case p.Type == number:
			values[p.Name] = d.number(p.Name, text)
		case p.Type == textList:
			types, err := list(text)
			if err != nil {
				return nil, err
			}
			literals := make([]string, len(types))
			for i, s := range types {
				literals[i] = d.text(s)
			}
			values[p.Name] = literals
		case len(p.choices()) > 0:
			values[p.Name] = text // the template chooses
		default:
			values[p.Name] = d.text(text)
		}
	}
	if literals, ok := values["steps"].([]string); ok {
		steps := make([]funnelStep, len(literals))
		for i, literal := range literals {
			steps[i] = funnelStep{i + 1, i, literal}
		}
		values["types"], values["steps"], values["further"] = literals, steps, steps[1:]
	}
	return values, nil
}

// tableName returns the name of a table with its parts in the engine's quotes. The name "events" stays as
// it is.
func (d Dialect) tableName(table string) (string, error) {
	if table == "events" {
		return table, nil
	}
	parts, err := nameParts(table)
	if err == nil && len(parts) > 3 && d != InSpark {
		err = fmt.Errorf("has %d parts, and a name in %s at most 3; put a namespace of several parts in double quotes", len(parts), d.engine())
	}
	if err != nil {
		return "", fmt.Errorf("%w %s %w", ErrTable, human.Shown(table), err)
	}
	for i, part := range parts {
		quote := `"`
		if d == InSpark {
			quote = "`"
		}
		parts[i] = quote + strings.ReplaceAll(part, quote, quote+quote) + quote
	}
	return strings.Join(parts, "."), nil
}

// nameParts splits the name of a table at its dots. A part in double quotes may have dots.
func nameParts(name string) (parts []string, err error) {
	wrong := errors.New("is not a name; write NAMESPACE.TABLE")
	for rest := name; ; {
		var part string
		if strings.HasPrefix(rest, `"`) {
			t, length := scan(rest)
			if t == open {
				return nil, wrong
			}
			part, rest = unquoteName(rest[:length]), rest[length:]
		} else {
			end := strings.IndexByte(rest, '.')
			if end < 0 {
				end = len(rest)
			}
			part, rest = rest[:end], rest[end:]
		}
		if strings.TrimSpace(part) != part || part == "" || strings.ContainsFunc(part, isHidden) {
			return nil, wrong
		}
		parts = append(parts, part)
		if rest == "" {
			return parts, nil
		}
		if rest[0] != '.' {
			return nil, wrong
		}
		rest = rest[1:]
	}
}

// ParseDialect returns the dialect with that name.
func ParseDialect(name string) (Dialect, error) {
	d := Dialect(strings.ToLower(strings.TrimSpace(name)))
	if slices.Contains(Dialects(), string(d)) {
		return d, nil
	}
	return "", fmt.Errorf("is none of %s%s", strings.Join(Dialects(), ", "), human.DidYouMean(string(d), Dialects()))
}
