package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	_ "time/tzdata" // so that --timezone works on machines without a zone database

	"datasync/internal/store"
	"datasync/query"

	"github.com/urfave/cli/v2"
	"golang.org/x/term"
)

// maxSQL is how many bytes a statement may have.
const maxSQL = 16 << 20

func (p *program) queryCommand() *cli.Command {
	return &cli.Command{
		Name: "query", Usage: "ask the file in SQL; it changes nothing", ArgsUsage: `"SQL"`,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "format", Usage: "table, csv or json", DefaultText: "table on a terminal, else csv"},
			&cli.StringFlag{Name: "file", Usage: "read the SQL from `FILE`"},
			&cli.StringFlag{Name: "timezone", Usage: "show times in this `ZONE`", Value: "UTC"},
		},
		Action: p.query,
	}
}

func (p *program) query(c *cli.Context) error {
	text, err := p.sql(c)
	if err != nil {
		return err
	}
	opts := query.Options{SQL: text, Format: query.CSV}
	if f, ok := p.stdout.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		opts.Format = query.Table
	}
	if name := c.String("format"); name != "" {
		if opts.Format, err = query.ParseFormat(name); err != nil {
			return usage("%v", err)
		}
	}
	zone := c.String("timezone")
	if opts.Location, err = time.LoadLocation(zone); err != nil || zone == "" || zone == "Local" {
		return usage("--timezone %q is no time zone such as UTC or Europe/Berlin", zone)
	}
	ctx, stop := untilSignal(c.Context)
	defer stop()
	db, err := store.OpenReadOnly(ctx, c.String("db"), zone)
	if err != nil {
		return err
	}
	err = query.Run(ctx, db, opts, p.stdout)
	_ = db.Close() // there is nothing that it could fail to keep
	var stopped signalled
	if errors.As(context.Cause(ctx), &stopped) && err != nil {
		return stopped
	}
	if err != nil && !errors.Is(err, query.ErrEmpty) {
		return fmt.Errorf("query: %w", err)
	}
	return err
}

// sql returns the SQL of the command line.
func (p *program) sql(c *cli.Context) (string, error) {
	file, args := c.String("file"), c.Args()
	switch {
	case file != "" && args.Present():
		return "", usage("give the SQL as an argument or in --file, not both")
	case file == "" && !args.Present():
		return "", usage(`no SQL: give it as an argument, as in datasync query "SELECT count(*) FROM events", or - for stdin`)
	case args.Len() > 1:
		return "", usage("query takes one argument, but got %d: put the SQL in quotes", args.Len())
	case file == "" && args.First() != "-":
		return args.First(), nil
	}
	in := p.stdin
	if file != "" && file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return "", usage("read the SQL: %v", err)
		}
		defer func() { _ = f.Close() }()
		in = f
	}
	b, err := io.ReadAll(io.LimitReader(in, maxSQL+1))
	switch {
	case err != nil:
		return "", usage("read the SQL: %v", err)
	case len(b) > maxSQL:
		return "", usage("the SQL is longer than %d MiB", maxSQL>>20)
	}
	return strings.TrimPrefix(string(b), "\ufeff"), nil
}
