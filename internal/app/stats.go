package app

import (
	"context"
	"database/sql"
	"io"
	"strings"
	"time"

	"datasync/internal/inspect"
	"datasync/internal/report/figures"
	"datasync/internal/term"

	"github.com/urfave/cli/v2"
)

// statsBy are the values of stats --by.
var statsBy = []string{"type", "page", "device", "browser", "hour", "day"}

// statsOptions are the command line of stats.
type statsOptions struct {
	io       term.IO
	database string
	figures  figures.Options
	timezone string
	zone     *time.Location
	by       string
	json     bool
}

func statsCommand(t term.IO, run func(context.Context, statsOptions) error) *cli.Command {
	return &cli.Command{
		Name: "stats", Usage: "show key figures and bars",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "by", Usage: "a bar for each `WHAT`: " + strings.Join(statsBy, ", "), Value: "day"},
			&cli.StringFlag{Name: "since", Usage: "count events at this `TIME` or later, such as 2026-01-20, yesterday or 7d"},
			&cli.StringFlag{Name: "until", Usage: "count events before this `TIME`"},
			&cli.StringFlag{Name: "timezone", Usage: "days and hours are those of this time `ZONE`, such as Europe/Berlin", Value: "UTC"},
			&cli.BoolFlag{Name: "json", Usage: "print JSON"},
		},
		Action: func(c *cli.Context) error {
			if err := noArguments(c); err != nil {
				return err
			}
			opts := statsOptions{io: t, database: c.String("db"), timezone: c.String("timezone"), json: c.Bool("json")}
			var err error
			if opts.by, err = choice(c, "by", statsBy); err != nil {
				return err
			}
			if opts.zone, err = zoneNamed(opts.timezone); err != nil {
				return err
			}
			if opts.figures, err = periodOptions(c); err != nil {
				return err
			}
			return run(c.Context, opts)
		},
	}
}

// periodOptions reads --since and --until.
func periodOptions(c *cli.Context) (opts figures.Options, err error) {
	since, err := instantOption(c, "since")
	if err != nil {
		return opts, err
	}
	until, err := instantOption(c, "until")
	if err != nil {
		return opts, err
	}
	if since.Valid {
		opts.Since = since.V.Time()
	}
	if until.Valid {
		opts.Until = until.V.Time()
	}
	if since.Valid && until.Valid && !opts.Since.Before(opts.Until) {
		return opts, usage("--until %s is not after --since %s; give a later end, which is not included", typed(c, "until"), typed(c, "since"))
	}
	return opts, nil
}

// runStats reads the figures and prints them.
func runStats(ctx context.Context, opts statsOptions) error {
	var view statsView
	err := withFileIn(ctx, opts.io, opts.database, opts.timezone, func(ctx context.Context, db *sql.DB) error {
		status, err := inspect.ReadStatus(ctx, db, opts.database, time.Now())
		if err != nil {
			return err
		}
		f, err := figures.Read(ctx, db, opts.figures)
		if err != nil {
			return err
		}
		view = newStatsView(f, status, opts)
		return nil
	})
	switch {
	case err != nil:
		return err
	case opts.json:
		err = writeJSON(opts.io.Stdout, view.json())
	default:
		_, err = io.WriteString(opts.io.Stdout, view.text(opts.io))
	}
	return unlessUnread(err)
}
