package app

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"datasync/internal/dbfile"
	"datasync/internal/outfile"
	"datasync/internal/report"
	"datasync/internal/report/figures"
	"datasync/internal/term"

	"github.com/urfave/cli/v2"
)

// reportOptions are the command line of report.
type reportOptions struct {
	io       term.IO
	database string
	figures  figures.Options
	timezone string
	zone     *time.Location
	title    string
	file     string // - for stdout
	force    bool
	open     bool
	quiet    bool
}

func reportCommand(t term.IO, run func(context.Context, reportOptions) error) *cli.Command {
	return &cli.Command{
		Name: "report", Usage: "write charts of the file as one HTML page",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "write to `FILE`; - is stdout", Value: "report.html"},
			&cli.BoolFlag{Name: "force", Usage: "replace a file that is not a report of datasync"},
			&cli.StringFlag{Name: "since", Usage: "show events at this `TIME` or later, such as 2026-01-20, yesterday or 7d"},
			&cli.StringFlag{Name: "until", Usage: "show events before this `TIME`"},
			&cli.StringFlag{Name: "timezone", Usage: "days and hours are those of this time `ZONE`, such as Europe/Berlin", Value: "UTC"},
			&cli.StringFlag{Name: "title", Usage: "the `TEXT` at the top", DefaultText: "the period"},
			&cli.BoolFlag{Name: "open", Usage: "open the page in the browser"},
			&cli.BoolFlag{Name: "quiet", Aliases: []string{"q"}, Usage: "print nothing but errors"},
		},
		Action: func(c *cli.Context) error {
			opts, err := readReportOptions(t, c)
			if err != nil {
				return err
			}
			return run(c.Context, opts)
		},
	}
}

func readReportOptions(t term.IO, c *cli.Context) (opts reportOptions, err error) {
	if err := noArguments(c); err != nil {
		return opts, err
	}
	opts = reportOptions{
		io: t, database: c.String("db"), timezone: c.String("timezone"), title: c.String("title"), file: c.String("output"),
		force: c.Bool("force"), open: c.Bool("open"), quiet: c.Bool("quiet"),
	}
	if opts.file == "-" && opts.open {
		return opts, usage("--open needs a file: omit --output -")
	}
	if opts.zone, err = zoneNamed(opts.timezone); err != nil {
		return opts, err
	}
	opts.figures, err = periodOptions(c)
	return opts, err
}

// runReport reads the figures and writes the page, whole or not at all.
func runReport(ctx context.Context, opts reportOptions) error {
	began := time.Now()
	rules := outfile.Rules{Force: opts.force || report.IsReport(opts.file), Keep: dbfile.FilesOf(opts.database)}
	if opts.file != "-" {
		if _, err := outfile.Check(opts.file, rules); err != nil {
			return err
		}
	}
	r := &report.Report{Title: opts.title, File: opts.database, Version: version, Made: began, Zone: opts.zone}
	err := withFileIn(ctx, opts.io, opts.database, opts.timezone, func(ctx context.Context, db *sql.DB) (err error) {
		if r.Trust, err = figures.ReadTrust(ctx, db, opts.database, began); err != nil {
			return err
		}
		if r.Figures, err = figures.Read(ctx, db, opts.figures); err != nil {
			return err
		}
		r.Pull, err = figures.ReadPull(ctx, db)
		return err
	})
	if err != nil {
		return err
	}
	if opts.file == "-" {
		return unlessUnread(report.Write(opts.io.Stdout, r))
	}
	f, err := outfile.Create(opts.file, rules)
	if err != nil {
		return err
	}
	if err := report.Write(f, r); err != nil {
		return errors.Join(err, f.Abort())
	}
	size, err := f.Commit()
	if err != nil {
		return err
	}
	if !opts.quiet {
		opts.io.Say(fmt.Sprintf("wrote a report of %s, %s, to %s, in %s",
			term.Counted(r.Figures.Counts.Events(), "event"), term.Bytes(size), term.Visible(opts.file), term.Duration(time.Since(began))))
	}
	if opts.open {
		openInBrowser(opts.io, opts.file)
	}
	return nil
}
