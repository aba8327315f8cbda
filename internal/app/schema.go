package app

import (
	"context"
	"database/sql"
	"io"
	"strings"

	"datasync/internal/human"
	"datasync/internal/inspect"
	"datasync/internal/term"

	"github.com/jedib0t/go-pretty/v6/text"
	"github.com/urfave/cli/v2"
)

// schemaWidth is the width of a line, unless a word is longer.
const schemaWidth = 80

func schemaCommand(t term.IO) *cli.Command {
	return &cli.Command{
		Name: "schema", Usage: "list tables and columns with their meaning", ArgsUsage: "[TABLE]",
		Flags: []cli.Flag{&cli.BoolFlag{Name: "json", Usage: "print JSON"}},
		Action: func(c *cli.Context) error {
			if c.Args().Len() > 1 {
				return usage("schema takes the name of one table, but got %s as well; omit it", human.Shown(c.Args().Get(1)))
			}
			var tables []inspect.Table
			err := withFile(c.Context, t, c.String("db"), func(ctx context.Context, db *sql.DB) (err error) {
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
				return writeJSON(t.Stdout, tables)
			}
			_, err = io.WriteString(t.Stdout, schemaText(tables))
			return err
		},
	}
}

// tableNamed returns only the table of that name, in any case, as in SQL.
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

// schemaText lists tables for a person. Each column is a line, which is wrapped if its comment
// is long.
func schemaText(tables []inspect.Table) string {
	var b strings.Builder
	for i, t := range tables {
		if i > 0 {
			b.WriteByte('\n')
		}
		title := term.Visible(t.Name)
		if t.Kind == "view" {
			title += " (view)"
		}
		if t.Comment != "" {
			title += ": " + term.Visible(t.Comment)
		}
		writeWrapped(&b, schemaWidth, "", "  ", title)
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
			writeWrapped(&b, schemaWidth, lead, strings.Repeat(" ", text.StringWidth(lead)), term.Visible(c.Comment))
		}
	}
	return b.String()
}

// schemaCells returns the cells of a column before its comment.
func schemaCells(c inspect.TableColumn) [3]string {
	notNull := ""
	if c.NotNull {
		notNull = "not null"
	}
	return [3]string{term.Visible(c.Name), strings.ReplaceAll(term.Visible(c.Type), "TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ"), notNull}
}
