package app

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"

	"github.com/urfave/cli/v2"

	"datasync/export"
	"datasync/internal/dbfile"
	"datasync/internal/model"
)

func (p *program) exportCommand() *cli.Command {
	return &cli.Command{
		Name: "export", Usage: "hand the events on as Parquet, CSV or JSON lines",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "parquet", Usage: "write Parquet to `PATH`"},
			&cli.StringFlag{Name: "csv", Usage: "write CSV to `PATH`, - for stdout"},
			&cli.StringFlag{Name: "jsonl", Usage: "write JSON lines to `PATH`, - for stdout"},
			&cli.BoolFlag{Name: "force", Usage: "replace the target if it exists"},
			&cli.StringFlag{Name: "query", Usage: "export the rows of this `SELECT` instead of all events"},
			&cli.StringFlag{Name: "where", Usage: "export the events for which this `CONDITION` in SQL holds"},
			&cli.StringFlag{Name: "since", Usage: "export events from `DATE` on: 2026-01-31, or an RFC 3339 time"},
			&cli.StringFlag{Name: "until", Usage: "export events before `DATE`"},
			&cli.StringFlag{Name: "compression", Usage: "zstd, snappy, gzip, lz4, brotli or none for Parquet; none, gzip or zstd for others", DefaultText: "zstd for Parquet, else by the ending"},
			&cli.Int64Flag{Name: "row-group-size", Usage: "rows in a row group of Parquet", Value: export.DefaultRowGroup},
			&cli.StringFlag{Name: "uuid", Usage: "UUIDs in Parquet as its logical type, or as string", Value: "uuid"},
			&cli.BoolFlag{Name: "csv-safe", Usage: "put ' before texts in CSV that a spreadsheet could take for a formula"},
			&cli.StringFlag{Name: "partition-by", Usage: "write a folder with the rows spread by these `COLUMNS`, or by day, month, year, hour"},
			&cli.StringFlag{Name: "file-size", Usage: "write a folder of files of about this `SIZE`, such as 100MB", DefaultText: "unbounded"},
			&cli.BoolFlag{Name: "incremental", Usage: "write a folder, and add to it what came since the last time"},
			&cli.StringFlag{Name: "memory-limit", Usage: "bound DuckDB's buffers to this `SIZE`", Value: "850MB"},
			&cli.BoolFlag{Name: "quiet", Aliases: []string{"q"}, Usage: "no progress, and nothing about what was written"},
		},
		Action: p.export,
	}
}

func (p *program) export(c *cli.Context) error {
	if err := noArguments(c); err != nil {
		return err
	}
	opts, err := p.exportOptions(c)
	if err != nil {
		return err
	}
	ctx, stop := untilSignal(c.Context)
	defer stop()
	// Whatever the database writes beside the target is nobody else's to read.
	defer syscall.Umask(syscall.Umask(0o077))
	stopShowing := func() {}
	if !c.Bool("quiet") {
		opts.Progress = &export.Progress{}
		stopShowing = p.showPercent(opts.Progress.Percent)
	}
	var result export.Result
	from, err := p.openSource(ctx, c.String("db"), func(path string) (err error) {
		opts.Database = path
		result, err = export.Run(ctx, opts)
		return err
	})
	stopShowing()
	if err != nil {
		return orStopped(ctx, err)
	}
	from.release()
	if result.Broken {
		return nil
	}
	if !result.Pull.Complete {
		p.say(incompleteText(result.Pull))
	}
	if !c.Bool("quiet") {
		p.say(exportedText(opts, result))
	}
	return nil
}

// exportOptions reads the command line.
func (p *program) exportOptions(c *cli.Context) (opts export.Options, err error) {
	opts = export.Options{
		Database: c.String("db"), Keep: dbfile.FilesOf(c.String("db")), Scratch: os.TempDir(), Tool: "datasync " + version,
		Force: c.Bool("force"), Incremental: c.Bool("incremental"),
	}
	if err := p.exportTarget(c, &opts); err != nil {
		return opts, err
	}
	for _, name := range []string{"query", "where", "partition-by", "compression"} {
		if c.IsSet(name) && strings.TrimSpace(c.String(name)) == "" {
			return opts, usage("--%s is empty", name)
		}
	}
	opts.Query, opts.Where = c.String("query"), c.String("where")
	if opts.Since, err = instantOption(c, "since"); err != nil {
		return opts, err
	}
	if opts.Until, err = instantOption(c, "until"); err != nil {
		return opts, err
	}
	opts.Compression, opts.Safe = c.String("compression"), c.Bool("csv-safe")
	if c.IsSet("row-group-size") {
		if opts.RowGroup = c.Int64("row-group-size"); opts.RowGroup <= 0 {
			return opts, usage("--row-group-size %d is not more than 0", opts.RowGroup)
		}
	}
	switch form := c.String("uuid"); form {
	case "uuid":
	case "string":
		opts.UUIDText = true
	default:
		return opts, usage("--uuid %q is neither uuid nor string", form)
	}
	if c.IsSet("partition-by") {
		for _, name := range strings.Split(c.String("partition-by"), ",") {
			opts.PartitionBy = append(opts.PartitionBy, strings.TrimSpace(name))
		}
	}
	if c.IsSet("file-size") {
		if opts.FileSize, err = byteSize(c, "file-size", 1_000_000); err != nil {
			return opts, err
		}
	}
	opts.MemoryLimit, err = byteSize(c, "memory-limit", leastMemory)
	return opts, err
}

// exportTarget reads what is written and where to.
func (p *program) exportTarget(c *cli.Context, opts *export.Options) error {
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
		return usage("export needs to know what to write: give --parquet PATH, --csv PATH or --jsonl PATH")
	case given > 1:
		return usage("export writes one format at a time: give one of --parquet, --csv and --jsonl")
	case opts.Target != "-":
	case opts.Force:
		return usage("there is nothing to replace on stdout: leave --force away")
	default:
		if _, ok := p.terminal(); ok {
			return usage("stdout is a terminal: write to a file or a pipe, or look at events with datasync query")
		}
		opts.Target, opts.Stdout = "", p.stdout
	}
	return nil
}

// leastMemory is what DuckDB needs to export anything, in bytes.
const leastMemory = 64_000_000

// byteSize reads an option that is a number of bytes, with a unit as DuckDB writes it: MB
// is a million bytes, MiB 2^20.
func byteSize(c *cli.Context, name string, least int64) (int64, error) {
	text := strings.ToUpper(strings.TrimSpace(c.String(name)))
	number := strings.TrimRight(text, "BIKMGT ")
	factor := map[string]float64{"": 1, "B": 1, "KB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12, "KIB": 1 << 10, "MIB": 1 << 20, "GIB": 1 << 30, "TIB": 1 << 40}[strings.TrimSpace(text[len(number):])]
	n, err := strconv.ParseFloat(number, 64)
	switch {
	case err != nil || factor == 0 || !(n >= 0) || n*factor > 1<<50:
		return 0, usage("--%s %q is no size such as 100MB or 2GiB", name, c.String(name))
	case n*factor < float64(least):
		return 0, usage("--%s %s is less than %s bytes", name, c.String(name), thousands(least))
	}
	return int64(n * factor), nil
}

// exportedText says what was written.
func exportedText(opts export.Options, r export.Result) string {
	rows := "event"
	if opts.Query != "" {
		rows = "row"
	}
	switch {
	case r.UpToDate, opts.Incremental && r.Rows == 0:
		return fmt.Sprintf("nothing new: %s has everything up to batch %s", opts.Target, thousands(r.Pull.Batch))
	case opts.Stdout != nil:
		return fmt.Sprintf("wrote %s, %s bytes", counted(r.Rows, rows), thousands(r.Bytes))
	case opts.Incremental || len(opts.PartitionBy) > 0 || opts.FileSize > 0:
		return fmt.Sprintf("wrote %s, %s bytes, in %s to %s", counted(r.Rows, rows), thousands(r.Bytes), counted(r.Files, "file"), opts.Target)
	}
	return fmt.Sprintf("wrote %s, %s bytes, to %s", counted(r.Rows, rows), thousands(r.Bytes), opts.Target)
}

// incompleteText says how much is missing.
func incompleteText(pull export.Pull) string {
	parts := []string{"partial: the pull is not complete"}
	if s := pull.Status; s != nil {
		if s.Total != nil && s.Missing != nil {
			parts = append(parts, fmt.Sprintf("%s of the API's %s are missing", counted(*s.Missing, "event"), thousands(*s.Total)))
		}
		for _, w := range wholeWindows(s.Windows) {
			if w.State != model.Done {
				parts = append(parts, "window "+windowText(w))
			}
		}
	}
	if s := pull.Status; s == nil || !s.Unusable && !s.LookedInto {
		parts = append(parts, "run datasync pull for the rest")
	}
	return strings.Join(parts, "; ") + see(topicIncomplete)
}
