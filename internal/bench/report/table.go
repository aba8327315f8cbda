package report

import "strings"

// Table is a Markdown table.
type Table struct {
	head []string
	rows [][]string
}

// NewTable returns a table with those columns; one whose name ends with ":" is aligned to
// the right.
func NewTable(columns ...string) *Table { return &Table{head: columns} }

// Add adds a row.
func (t *Table) Add(cells ...string) { t.rows = append(t.rows, cells) }

func (t *Table) String() string {
	var b strings.Builder
	line := func(cells []string) {
		b.WriteString("|")
		for _, cell := range cells {
			b.WriteString(" " + strings.ReplaceAll(cell, "|", `\|`) + " |")
		}
		b.WriteString("\n")
	}
	names, rules := make([]string, len(t.head)), make([]string, len(t.head))
	for i, column := range t.head {
		name, right := strings.CutSuffix(column, ":")
		names[i], rules[i] = name, "---"
		if right {
			rules[i] = "---:"
		}
	}
	line(names)
	line(rules)
	for _, row := range t.rows {
		line(row)
	}
	return b.String()
}
