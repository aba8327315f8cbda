package app

import (
	"cmp"
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"datasync/export"
	"datasync/internal/term"
	"datasync/query"

	"github.com/urfave/cli/v2"
)

func exportCommand(t term.IO, run func(context.Context, exportOptions) error) *cli.Command {
	return &cli.Command{
		Name: "export", Usage: "write events to Parquet, CSV, JSON Lines or an Iceberg table",
		Flags: append(lakeFlags("keep the Iceberg table `NAMESPACE.TABLE` up to date: add what is new"),
			&cli.StringFlag{Name: "parquet", Usage: "write Parquet to `PATH`, or s3://BUCKET/KEY"},
			&cli.StringFlag{Name: "csv", Usage: "write CSV to `PATH`, or s3://BUCKET/KEY, or to stdout if it is -"},
			&cli.StringFlag{Name: "jsonl", Usage: "write JSON Lines to `PATH`, or s3://BUCKET/KEY, or to stdout if it is -"},
			&cli.BoolFlag{Name: "force", Usage: "replace the target if it exists"},
			&cli.StringFlag{Name: "query", Usage: "export the rows of this `SELECT` instead of all events"},
			&cli.StringFlag{Name: "where", Usage: "export the events that meet this `CONDITION` in SQL"},
			&cli.StringFlag{Name: "since", Usage: "export events from `DATE` on: 2026-01-31, yesterday, 7d, or an RFC 3339 time"},
			&cli.StringFlag{Name: "until", Usage: "export events before `DATE`"},
			&cli.StringFlag{Name: "compression", Usage: "compress by this `METHOD`: zstd, snappy, gzip, lz4, brotli or none for Parquet; none, gzip or zstd for others", DefaultText: "zstd for Parquet, else by the ending"},
			&cli.Int64Flag{Name: "row-group-size", Usage: "write `N` rows per row group of Parquet", Value: export.DefaultRowGroup},
			&cli.StringFlag{Name: "types", Usage: "write Parquet with this `SET` of types: portable, which every reader accepts, or logical, with types for UUIDs and JSON", DefaultText: "the folder's, else portable"},
			&cli.StringFlag{Name: "uuid", Usage: "in a new Iceberg table, ids have the type `FORM`: string, which every engine searches, or uuid; for Parquet, the older name of --types"},
			&cli.BoolFlag{Name: "csv-safe", Usage: "in CSV, put ' before text that a spreadsheet would run as a formula"},
			&cli.BoolFlag{Name: "excel", Usage: "with --csv, write CSV that Excel opens directly, with local times"},
			&cli.StringFlag{Name: "delimiter", Usage: "in CSV, put `C` between the fields: ; or | or tab", DefaultText: ","},
			&cli.StringFlag{Name: "timezone", Usage: "the `ZONE` of --excel, and of days in --since, --until and --partition-by", Value: "UTC"},
			&cli.StringFlag{Name: "partition-by", Usage: "write a folder, partitioned by these `COLUMNS`, or by day, month, year or hour; a new Iceberg table by day or none"},
			&cli.StringFlag{Name: "file-size", Usage: "write a folder of files of about this `SIZE`, such as 100MB", DefaultText: "unlimited"},
			&cli.BoolFlag{Name: "incremental", Usage: "write a folder, and add only the events since the last export to it"},
			&cli.BoolFlag{Name: "dry-run", Usage: "with --iceberg, say what would be added, and change nothing"},
			&cli.BoolFlag{Name: "replace", Usage: "with --iceberg, overwrite what the table has of this file's API"},
			&cli.BoolFlag{Name: "sweep", Usage: "with --iceberg, only remove files that killed exports have left"},
			&cli.BoolFlag{Name: "json", Usage: "with --iceberg, print JSON"},
			&cli.StringFlag{Name: "memory-limit", Usage: "limit DuckDB's buffers to this `SIZE`", Value: "850MB", DefaultText: "850MB; 400MB with --iceberg"},
			&cli.BoolFlag{Name: "quiet", Aliases: []string{"q"}, Usage: "print nothing but errors"},
		),
		Action: func(c *cli.Context) error {
			opts, err := readExportOptions(t, c)
			if err != nil {
				return err
			}
			return run(c.Context, opts)
		},
	}
}

// percentDelay is how long an export takes before it shows a bar.
const percentDelay = time.Second

// runExport writes an export and reports the result.
func runExport(ctx context.Context, opts exportOptions) error {
	if opts.lake != nil {
		return runLakeExport(ctx, opts.lake)
	}
	ctx, stop := untilSignal(ctx)
	defer stop()
	defer privateFiles()()
	stopShowing := func() {}
	began := time.Now()
	run := opts.export
	var bucket *s3Export
	if opts.s3 != nil {
		var err error
		if bucket, err = beginS3Export(ctx, &opts, &run); err != nil {
			return orStopped(ctx, err)
		}
		defer bucket.end()
	}
	if !opts.quiet {
		run.Progress = &export.Progress{}
		_, stopShowing = opts.io.Show(percentProgress(run.Progress.Percent))
	}
	var result export.Result
	src, err := openSource(ctx, opts.io, opts.database, func(path string) (err error) {
		run.Database = path
		result, err = export.Run(ctx, run)
		return query.Locate(err, cmp.Or(run.Query, run.Where))
	})
	stopShowing()
	if err != nil {
		return orStopped(ctx, err)
	}
	src.Release()
	if result.Broken {
		return nil
	}
	if bucket != nil {
		if err := bucket.send(ctx, &opts); err != nil {
			return orStopped(ctx, err)
		}
		run.Target = opts.s3.url
	}
	if !result.Pull.Complete {
		rest := pullTheRest
		if src.Copy != nil {
			rest = awaitPull
		}
		opts.io.SayWarning(incompleteText(result.Pull, rest))
	}
	if !opts.quiet {
		opts.io.Say(exportedText(run, result, time.Since(began)))
		if run.Excel && result.Longest > export.MaxExcelRows {
			opts.io.Say(tooLongForExcel(result))
		}
		if result.Empty != "" {
			opts.io.Say(emptyText(&opts.export, result.Empty))
		}
	}
	return nil
}

// percentProgress describes something as a bar of 100 %. While percent is negative, which means
// unknown, the bar stays.
func percentProgress(percent func() float64) term.Progress {
	var last atomic.Int64
	done := func() int64 {
		if p := percent(); p >= 0 {
			last.Store(int64(min(99, p))) // 100 % would mean that the target exists
		}
		return last.Load()
	}
	return term.Progress{
		Delay: percentDelay,
		Bar:   func(time.Time) term.Bar { return term.Bar{Done: done(), Total: 100} },
	}
}

// exportedText describes a finished export, which took that long.
func exportedText(opts export.Options, r export.Result, took time.Duration) string {
	rows := "event"
	if opts.Query != "" {
		rows = "row"
	}
	if r.UpToDate || opts.Incremental && r.Rows == 0 {
		return fmt.Sprintf("nothing new: %s has everything up to batch %s", opts.Target, term.Thousands(r.Pull.Batch))
	}
	text := fmt.Sprintf("wrote %s, %s", term.Counted(r.Rows, rows), term.Bytes(r.Bytes))
	switch {
	case opts.Stdout != nil:
	case opts.IsFolder():
		text += fmt.Sprintf(", in %s to %s", term.Counted(r.Files, "file"), opts.Target)
	default:
		text += ", to " + opts.Target
	}
	return text + ", in " + term.Duration(took)
}

// tooLongForExcel says that Excel does not show all rows of a file.
func tooLongForExcel(r export.Result) string {
	return fmt.Sprintf("warning: Excel opens %s rows of a file, and leaves out the rest of %s; export parts by --since and --until, or a folder by --partition-by month",
		term.Thousands(export.MaxExcelRows), term.Thousands(r.Longest))
}

// emptyText says that Spark refuses the folder of an empty text.
func emptyText(opts *export.Options, column string) string {
	without := fmt.Sprintf("--where \"%s IS DISTINCT FROM ''\"", column)
	if opts.Query != "" {
		without = fmt.Sprintf("WHERE %s IS DISTINCT FROM '' in the query", column)
	}
	return fmt.Sprintf("warning: Spark refuses the folder %s= of rows whose %s is an empty text; other readers read it; leave these rows out with %s", column, column, without)
}

// incompleteText says how many events an export of a pull that is not complete lacks. rest is
// the next step, pullTheRest or awaitPull.
func incompleteText(pull export.Pull, rest string) string {
	text := "partial: the pull is not complete"
	s := pull.Status
	switch {
	case s == nil: // an older version made the file
	case s.Unusable:
		return text + "; hardly any element could be stored as an event" + see(topicIncomplete)
	case allDone(*s) && s.LookedInto && s.Missing != nil && *s.Missing > 0:
		return text + fmt.Sprintf("; missing after a walk to the end: at least %s of the API's %s", term.Thousands(*s.Missing), term.Counted(*s.Total, "event")) + see(topicIncomplete)
	case s.Total == nil || s.Missing == nil:
		text += "; how many events are still to fetch is not known"
	case *s.Missing == 0:
		text += "; no event is known to be missing"
	case allDone(*s):
		text += fmt.Sprintf("; missing: at least %s of the API's %s", term.Thousands(*s.Missing), term.Counted(*s.Total, "event"))
	default:
		text += fmt.Sprintf("; about %s of %s are still to fetch", term.Thousands(*s.Missing), term.Counted(*s.Total, "event"))
	}
	return text + "; " + rest + see(topicIncomplete)
}

// The next steps after an export of a pull that is not complete: without a running pull, and with one.
const (
	pullTheRest = "run datasync pull for the rest, then export again"
	awaitPull   = "a pull is running: export again when it has ended"
)
