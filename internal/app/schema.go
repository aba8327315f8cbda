package app

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/urfave/cli/v2"

	"datasync/internal/inspect"
	"datasync/query"
)

// schemaWidth is how wide a line of schema is, where its words allow it.
const schemaWidth = 80

func (p *program) schemaCommand() *cli.Command {
	return &cli.Command{
		Name: "schema", Usage: "say which tables and columns the file has, and what they mean", ArgsUsage: "[TABLE]",
		Flags:  []cli.Flag{&cli.BoolFlag{Name: "json", Usage: "as JSON"}},
		Action: p.schema,
	}
}

func (p *program) schema(c *cli.Context) error {
	if c.Args().Len() > 1 {
		return usage("schema takes the name of one table, but got %d arguments", c.Args().Len())
	}
	var tables []inspect.Table
	err := p.withFile(c, func(ctx context.Context, db *sql.DB) (err error) {
		tables, err = inspect.ReadSchema(ctx, db, c.String("db"))
		return err
	})
	if err == nil && c.Args().Present() {
		tables, err = tableNamed(tables, c.Args().First())
	}
	if err != nil {
		return err
	}
	if c.Bool("json") {
		return writeJSON(p.stdout, tables)
	}
	_, err = io.WriteString(p.stdout, schemaText(tables))
	return err
}

// tableNamed returns the table of that name alone; as in SQL, case does not matter.
func tableNamed(tables []inspect.Table, name string) ([]inspect.Table, error) {
	var names []string
	for _, t := range tables {
		if strings.EqualFold(t.Name, name) {
			return []inspect.Table{t}, nil
		}
		names = append(names, t.Name)
	}
	return nil, usage("no table %q; the file has %s", name, strings.Join(names, ", "))
}

// schemaText lists tables for a person, a line a column, and more where the comment is
// long.
func schemaText(tables []inspect.Table) string {
	var b strings.Builder
	for i, t := range tables {
		if i > 0 {
			b.WriteByte('\n')
		}
		title := query.Visible(t.Name)
		if t.Kind == "view" {
			title += " (view)"
		}
		if t.Comment != "" {
			title += ": " + query.Visible(t.Comment)
		}
		writeWrapped(&b, "", "  ", title)
		var widths [3]int
		for _, c := range t.Columns {
			for j, cell := range schemaCells(c) {
				widths[j] = max(widths[j], text.StringWidth(cell))
			}
		}
		for _, c := range t.Columns {
			lead := "  "
			for j, cell := range schemaCells(c) {
				if widths[j] > 0 {
					lead += text.Pad(cell, widths[j], ' ') + "  "
				}
			}
			writeWrapped(&b, lead, strings.Repeat(" ", text.StringWidth(lead)), query.Visible(c.Comment))
		}
	}
	return b.String()
}

// schemaCells are what a column's line has before its comment.
func schemaCells(c inspect.TableColumn) [3]string {
	notNull := map[bool]string{true: "not null"}[c.NotNull]
	return [3]string{query.Visible(c.Name), strings.ReplaceAll(query.Visible(c.Type), "TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ"), notNull}
}

// writeWrapped writes lead and a text behind it, whose further lines are indented. A
// lead that leaves little room has the text run on past the width.
func writeWrapped(b *strings.Builder, lead, indent, s string) {
	const least = 24
	room := max(least, schemaWidth-text.StringWidth(indent))
	line := lead
	used := text.StringWidth(lead) - text.StringWidth(indent)
	for i, word := range slices.Collect(strings.FieldsSeq(s)) {
		width := text.StringWidth(word)
		switch {
		case i == 0:
			line += word
		case used+1+width > room:
			_, _ = fmt.Fprintln(b, line)
			line, used = indent+word, 0
		default:
			line += " " + word
			used++
		}
		used += width
	}
	_, _ = fmt.Fprintln(b, strings.TrimRight(line, " "))
}
