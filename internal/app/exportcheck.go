package app

import (
	"slices"
	"strings"

	"datasync/export"

	"github.com/urfave/cli/v2"
)

// formatNames are the formats of an export as messages name them.
var formatNames = map[export.Format]string{export.Parquet: "Parquet", export.CSV: "CSV", export.JSONLines: "JSON Lines"}

// minRowGroup is the smallest --row-group-size, in rows: DuckDB does not split its vectors.
const minRowGroup = 2048

// checkTogether refuses options of export that contradict each other. Package export refuses them too;
// these errors name the options and repeat their values as typed.
func checkTogether(c *cli.Context, e *export.Options) error {
	if e.Query != "" {
		for _, name := range []string{"where", "since", "until", "incremental"} {
			switch {
			case !c.IsSet(name):
			case name == "incremental":
				return usage("--query contradicts --incremental: its new rows cannot be told from its old ones; omit one of them")
			default:
				return usage("--query contradicts --%s %s: put the condition into the query", name, typed(c, name))
			}
		}
	}
	if e.Since.Valid && e.Until.Valid && e.Since.V >= e.Until.V {
		return usage("--until %s is not after --since %s; give a later end, which is not included", typed(c, "until"), typed(c, "since"))
	}
	folder := folderOption(c)
	switch {
	case e.Stdout != nil && e.Format == export.Parquet:
		return usage("--parquet -: Parquet cannot be written to stdout; name a file")
	case e.Stdout != nil && folder != "":
		return usage("--%s -: a folder, which %s asks for, cannot be written to stdout; name a folder, or omit %s", e.Format, folder, folder)
	}
	return nil
}

// readFormatOptions reads the options that are for one format.
func readFormatOptions(c *cli.Context, l *export.Layout) error {
	for _, name := range []string{"csv-safe", "excel", "delimiter"} {
		if c.IsSet(name) && l.Format != export.CSV {
			return usage("--%s is for CSV: give --csv PATH", withValue(c, name))
		}
	}
	for _, name := range []string{"types", "uuid", "row-group-size"} {
		if c.IsSet(name) && l.Format != export.Parquet {
			return usage("--%s is for Parquet: give --parquet PATH, or omit it", withValue(c, name))
		}
	}
	if err := readCompression(c, l); err != nil {
		return err
	}
	if c.IsSet("row-group-size") {
		if l.RowGroup = c.Int64("row-group-size"); l.RowGroup < minRowGroup {
			return usage("--row-group-size %s is less than 2,048 rows; write %d", typed(c, "row-group-size"), export.DefaultRowGroup)
		}
	}
	return readTypes(c, l)
}

// withValue returns an option with its value, if it has one.
func withValue(c *cli.Context, name string) string {
	if _, isBool := optionNamed(c.Command.Flags, name).(*cli.BoolFlag); isBool {
		return name
	}
	return name + " " + typed(c, name)
}

// readCompression reads the option of that name.
func readCompression(c *cli.Context, l *export.Layout) error {
	if !c.IsSet("compression") {
		return nil
	}
	known := l.Format.Compressions()
	l.Compression = strings.ToLower(strings.TrimSpace(c.String("compression")))
	if !slices.Contains(known, l.Compression) {
		last := len(known) - 1
		return usage("--compression %s: %s takes %s or %s", typed(c, "compression"), formatNames[l.Format], strings.Join(known[:last], ", "), known[last])
	}
	if l.Excel && l.Compression != "none" {
		return usage("--compression %s: Excel opens no compressed file; omit it", typed(c, "compression"))
	}
	return nil
}

// readTypes reads the set of types of Parquet, which has two options.
func readTypes(c *cli.Context, l *export.Layout) error {
	if c.IsSet("types") {
		types, err := choice(c, "types", []string{string(export.Portable), string(export.Logical)})
		if err != nil {
			return err
		}
		l.Types = export.Types(types)
	}
	if c.IsSet("uuid") {
		switch l.UUID = strings.ToLower(c.String("uuid")); {
		case l.UUID != "uuid" && l.UUID != "string":
			return usage("--uuid %s is neither uuid nor string; use --types portable or --types logical", typed(c, "uuid"))
		case l.Types != "":
			return usage("--uuid is the older name of --types: omit --uuid")
		}
	}
	return nil
}
