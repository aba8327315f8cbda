package app

import (
	"os"
	"strings"

	"datasync/export"
	"datasync/internal/dbfile"
	"datasync/internal/term"

	"github.com/urfave/cli/v2"
)

// minMemory is the smallest --memory-limit, in bytes: DuckDB cannot export with less.
const minMemory = 64_000_000

// exportOptions are the command line of export.
type exportOptions struct {
	io       term.IO
	database string
	quiet    bool
	export   export.Options
}

func readExportOptions(t term.IO, c *cli.Context) (exportOptions, error) {
	opts := exportOptions{io: t, database: c.String("db"), quiet: c.Bool("quiet")}
	if err := noArguments(c); err != nil {
		return opts, err
	}
	e := &opts.export
	*e = export.Options{
		Database: opts.database, Keep: dbfile.FilesOf(opts.database), Scratch: os.TempDir(), Tool: "datasync " + version,
		Force: c.Bool("force"), Incremental: c.Bool("incremental"),
	}
	if err := readTarget(t, c, e); err != nil {
		return opts, err
	}
	for _, name := range []string{"query", "where", "partition-by", "compression"} {
		if c.IsSet(name) && strings.TrimSpace(c.String(name)) == "" {
			return opts, usage("--%s is empty", name)
		}
	}
	var err error
	e.Query, e.Where = c.String("query"), c.String("where")
	if e.Since, err = instantOption(c, "since"); err != nil {
		return opts, err
	}
	if e.Until, err = instantOption(c, "until"); err != nil {
		return opts, err
	}
	if err := readLayout(c, &e.Layout); err != nil {
		return opts, err
	}
	e.MemoryLimit, err = byteSize(c, "memory-limit", minMemory)
	return opts, err
}

// readTarget reads the format and the target.
func readTarget(t term.IO, c *cli.Context, opts *export.Options) error {
	given := 0
	for _, f := range []struct {
		name   string
		format export.Format
	}{{"parquet", export.Parquet}, {"csv", export.CSV}, {"jsonl", export.JSONLines}} {
		if c.IsSet(f.name) {
			given++
			opts.Format, opts.Target = f.format, c.String(f.name)
		}
	}
	switch {
	case given == 0:
		return usage("no target: give --parquet PATH, --csv PATH or --jsonl PATH")
	case given > 1:
		return usage("export writes one format at a time: give one of --parquet, --csv and --jsonl")
	case opts.Target != "-":
		return nil
	case opts.Force:
		return usage("stdout cannot be replaced: omit --force")
	case t.OutputIsTerminal():
		return usage("stdout is a terminal: write to a file or a pipe, or look at events with datasync query")
	}
	opts.Target, opts.Stdout = "", t.Stdout
	return nil
}

// readLayout reads how the rows are laid out.
func readLayout(c *cli.Context, l *export.Layout) (err error) {
	l.Compression, l.Safe = c.String("compression"), c.Bool("csv-safe")
	if c.IsSet("row-group-size") {
		if l.RowGroup = c.Int64("row-group-size"); l.RowGroup <= 0 {
			return usage("--row-group-size %d is not more than 0", l.RowGroup)
		}
	}
	if err := readTypes(c, l); err != nil {
		return err
	}
	if c.IsSet("partition-by") {
		for _, name := range strings.Split(c.String("partition-by"), ",") {
			l.PartitionBy = append(l.PartitionBy, strings.TrimSpace(name))
		}
	}
	if c.IsSet("file-size") {
		l.FileSize, err = byteSize(c, "file-size", 1_000_000)
	}
	return err
}

// readTypes reads the set of types of Parquet, which has two options.
func readTypes(c *cli.Context, l *export.Layout) error {
	if c.IsSet("types") {
		switch l.Types = export.Types(c.String("types")); l.Types {
		case export.Portable, export.Logical:
		default:
			return usage("--types %q is neither portable nor logical", l.Types)
		}
	}
	if c.IsSet("uuid") {
		switch l.UUID = c.String("uuid"); {
		case l.UUID != "uuid" && l.UUID != "string":
			return usage("--uuid %q is neither uuid nor string; use --types portable or --types logical", l.UUID)
		case l.Types != "":
			return usage("--uuid is the older name of --types: omit --uuid")
		}
	}
	return nil
}
