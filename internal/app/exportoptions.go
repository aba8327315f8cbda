package app

import (
	"errors"
	"io"
	"os"
	"strings"
	"time"

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
	lake     *lakeExport // nil without --iceberg
	s3       *s3Target   // nil for a target on this machine
}

func readExportOptions(t term.IO, c *cli.Context) (exportOptions, error) {
	if c.Bool("quiet") {
		t.Stderr = io.Discard // the error that ends the program is not written here
	}
	opts := exportOptions{io: t, database: c.String("db"), quiet: c.Bool("quiet")}
	var err error
	if c.IsSet("iceberg") {
		opts.lake, err = readLakeExport(t, c)
		return opts, err
	}
	if err := withoutLake(c); err != nil {
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
	if err := checkTogether(c, e); err != nil {
		return opts, err
	}
	if e.Stdout == nil {
		if err := errors.Join(checkEnding(e), checkKind(c, e)); err != nil {
			return opts, err
		}
	}
	if opts.s3, err = readS3Target(c, e); err != nil {
		return opts, err
	}
	e.MemoryLimit, err = byteSize(c, "memory-limit", minMemory)
	return opts, err
}

// readTarget reads the format and the target.
func readTarget(t term.IO, c *cli.Context, opts *export.Options) error {
	given := 0
	args := c.Args().Slice()
	for _, f := range []struct {
		name   string
		format export.Format
	}{{"parquet", export.Parquet}, {"csv", export.CSV}, {"jsonl", export.JSONLines}} {
		if c.IsSet(f.name) {
			given++
			opts.Format, opts.Target = f.format, c.String(f.name)
		}
	}
	if given == 0 && c.Bool("excel") && len(args) == 1 {
		given, opts.Format, opts.Target, args = 1, export.CSV, args[0], nil
	}
	if err := withoutUser(opts.Format.String(), opts.Target); given > 0 && err != nil {
		return err
	}
	switch {
	case len(args) > 0:
		return surplusArgument(args[0], given > 0)
	case given == 0 && c.Bool("excel"):
		return usage("no target: give --csv PATH beside --excel")
	case given == 0:
		return usage("no target: " + noTarget)
	case given > 1:
		return usage("export writes one format at a time: give one of --parquet, --csv and --jsonl")
	case opts.Target != "-":
		return nil
	case opts.Force:
		return usage("stdout cannot be replaced: omit --force")
	case t.OutputIsTerminal():
		return usage("stdout is a terminal: name a file, or use datasync query")
	}
	opts.Target, opts.Stdout = "", t.Stdout
	return nil
}

// readLayout reads how the rows are laid out.
func readLayout(c *cli.Context, l *export.Layout) (err error) {
	l.Safe, l.Excel = c.Bool("csv-safe"), c.Bool("excel")
	if l.Delimiter, err = delimiter(c); err != nil {
		return err
	}
	zone, err := zoneNamed(c.String("timezone"))
	if err != nil {
		return err
	}
	if zone != time.UTC {
		l.Timezone = zone.String()
	}
	if err := readFormatOptions(c, l); err != nil {
		return err
	}
	if c.IsSet("partition-by") {
		for _, name := range strings.Split(c.String("partition-by"), ",") {
			if name = strings.TrimSpace(name); name == "" {
				return usage("--partition-by %s has an empty name in it; write day, or day,type", typed(c, "partition-by"))
			}
			l.PartitionBy = append(l.PartitionBy, name)
		}
	}
	if c.IsSet("file-size") {
		l.FileSize, err = byteSize(c, "file-size", 1_000_000)
	}
	return err
}

// delimiters are the values of --delimiter, but for tab.
const delimiters = ",;|:~^"

// delimiter reads the option of that name.
func delimiter(c *cli.Context) (byte, error) {
	text := c.String("delimiter")
	switch {
	case !c.IsSet("delimiter"):
		return 0, nil
	case text == "\t", text == `\t`, strings.EqualFold(text, "tab"):
		return '\t', nil
	case len(text) == 1 && strings.Contains(delimiters, text):
		return text[0], nil
	}
	return 0, usage("--delimiter %s is none of %s and tab", typed(c, "delimiter"), strings.Join(strings.Split(delimiters, ""), " "))
}
