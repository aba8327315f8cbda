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

// list returns the candidates, the best first. Names are quoted.
func (c *candidates) list(ctx context.Context, text string) ([]string, error) {
	if c.qualifier != "" {
		if columns := c.qualified(); len(columns) > 0 {
			return columns, nil
		}
	}
	var suggestions []suggestion
	err := c.session.Rows(ctx, "SELECT suggestion, suggestion_type FROM sql_auto_complete($text) ORDER BY suggestion_score", map[string]string{"text": text},
		func(r *duck.Result, row int) {
			text, _ := r.Text(0, row)
			kind, _ := r.Text(1, row)
			suggestions = append(suggestions, suggestion{strings.Clone(text), strings.Clone(kind)})
		})
	if err != nil {
		return nil, err
	}
	first := c.named(suggestions)
	if len(first) > 0 && !c.wantsTable { // columns of tables that the statement does not name
		suggestions = slices.DeleteFunc(suggestions, func(s suggestion) bool { return s.kind == "column" })
	}
	slices.SortStableFunc(suggestions, func(a, b suggestion) int { return a.rank() - b.rank() })
	for _, s := range suggestions {
		first = append(first, s.text)
	}
	return first, nil
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

// qualified returns the columns of the table or alias before the dot.
func (c *candidates) qualified() []string {
	for _, t := range c.items() {
		if strings.EqualFold(t.alias(), c.qualifier) {
			return quotedNames(c.columns(t))
		}
	}
	if c.wantsTable {
		return nil
	}
	return quotedNames(c.columnsOf(quoteName(c.qualifier)))
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
