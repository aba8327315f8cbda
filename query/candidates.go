package query

import (
	"context"
	"slices"
	"strings"

	"datasync/internal/duck"
	"datasync/internal/inspect"
)

// longestItem is the longest text of a table whose columns completion looks for, in bytes.
const longestItem = 64 << 10

// candidates are the completions of a word, including those that do not begin with it.
type candidates struct {
	*scope
	session *inspect.Session
}

// suggestion is a suggestion of DuckDB's.
type suggestion struct{ text, kind string }

// order is the order of kinds of suggestions. Other kinds come last: functions, types and settings.
var order = []string{"column", "table", "keyword"}

func (s suggestion) rank() int {
	if i := slices.Index(order, s.kind); i >= 0 {
		return i
	}
	return len(order)
}

// list returns the candidates for the word that begins at an offset of text, the best first. Names are
// quoted. After a dot there are columns only, or tables only.
func (c *candidates) list(ctx context.Context, text string, begin int) ([]string, error) {
	switch {
	case c.qualifier != "" && c.inFrom:
		return c.tables(ctx)
	case c.qualifier != "":
		return c.qualified(ctx)
	}
	suggestions, err := c.suggested(ctx, text)
	if err != nil {
		return nil, err
	}
	first := c.named(suggestions)
	if c.wantsTable {
		tables, err := c.tables(ctx)
		if err != nil {
			return nil, err
		}
		first = append(first, tables...)
		if c.inFrom && slices.ContainsFunc(first, func(name string) bool { return beginsWith(name, text[begin:]) }) {
			suggestions = slices.DeleteFunc(suggestions, func(s suggestion) bool { return s.kind == "keyword" })
		}
	}
	if len(first) > 0 { // columns of tables that the statement does not name
		suggestions = slices.DeleteFunc(suggestions, func(s suggestion) bool { return s.kind == "column" })
	}
	slices.SortStableFunc(suggestions, func(a, b suggestion) int { return a.rank() - b.rank() })
	for _, s := range suggestions {
		first = append(first, s.text)
	}
	return first, nil
}

// beginsWith reports whether a name in quotes begins with a text in any case.
func beginsWith(name, text string) bool {
	name, _ = unquote(name)
	return len(name) >= len(text) && strings.EqualFold(name[:len(text)], text)
}

// suggested returns DuckDB's suggestions.
func (c *candidates) suggested(ctx context.Context, text string) (suggestions []suggestion, err error) {
	err = c.session.Rows(ctx, "SELECT suggestion, suggestion_type FROM sql_auto_complete($text) ORDER BY suggestion_score", map[string]string{"text": text},
		func(r *duck.Result, row int) {
			text, _ := r.Text(0, row)
			kind, _ := r.Text(1, row)
			suggestions = append(suggestions, suggestion{strings.Clone(text), strings.Clone(kind)})
		})
	return suggestions, err
}

// tables returns the tables and views, of the schema or database before the dot if there is one.
func (c *candidates) tables(ctx context.Context) ([]string, error) {
	names, err := Texts(ctx, c.session, `SELECT DISTINCT name FROM (
		SELECT table_name AS name, schema_name, database_name FROM duckdb_tables() WHERE NOT internal
		UNION ALL SELECT view_name, schema_name, database_name FROM duckdb_views() WHERE NOT internal)
		WHERE lower($of) IN ('', lower(schema_name), lower(database_name)) ORDER BY name`, map[string]string{"of": c.qualifier})
	return quotedNames(names), err
}

// named returns the names that the statement itself defines, if DuckDB would suggest a name here.
func (c *candidates) named(suggestions []suggestion) []string {
	if c.wantsTable {
		return quotedNames(c.cteNames())
	}
	expression := len(suggestions) == 0 || slices.ContainsFunc(suggestions, func(s suggestion) bool { return s.kind != "keyword" })
	if !expression {
		return nil
	}
	var names []string
	items := c.items()
	for _, t := range items {
		names = append(names, c.columns(t)...)
	}
	if len(names) == 0 {
		return nil
	}
	names = append(names, c.at.aliases...)
	for _, t := range items {
		names = append(names, t.alias())
	}
	return quotedNames(names)
}

// qualified returns the columns of the table or alias before the dot. If the statement has no FROM yet,
// an alias that no table has may be the beginning of its name, or any other word.
func (c *candidates) qualified(ctx context.Context) ([]string, error) {
	items := c.items()
	for _, t := range items {
		if strings.EqualFold(t.alias(), c.qualifier) {
			return quotedNames(c.columns(t)), nil
		}
	}
	if columns := c.columnsOf(quoteName(c.qualifier)); len(columns) > 0 || len(items) > 0 {
		return quotedNames(columns), nil
	}
	names, err := Texts(ctx, c.session, `SELECT column_name FROM duckdb_columns() WHERE NOT internal
		QUALIFY starts_with(lower(table_name), lower($of)) OR NOT bool_or(starts_with(lower(table_name), lower($of))) OVER ()
		ORDER BY table_name, column_index`, map[string]string{"of": c.qualifier})
	return quotedNames(names), err
}

// columns returns the columns of an item, or nil if the cursor is in it or DuckDB cannot bind it.
func (c *candidates) columns(t item) []string {
	if t.from < c.cursor && c.cursor < t.to {
		return nil
	}
	return c.columnsOf(c.text[t.from:t.to])
}

func (c *candidates) columnsOf(table string) []string {
	text := c.with() + "SELECT * FROM " + table
	if len(text) > longestItem {
		return nil
	}
	st, err := c.session.Prepare(text)
	if err != nil {
		return nil
	}
	defer st.Close()
	names := make([]string, len(st.Columns))
	for i, column := range st.Columns {
		names[i] = column.Name
	}
	return names
}

func quotedNames(names []string) []string {
	quoted := make([]string, len(names))
	for i, name := range names {
		quoted[i] = quoteName(name)
	}
	return quoted
}

func quoteName(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }
