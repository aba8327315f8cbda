package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"time"

	"datasync/internal/inspect"
	"datasync/internal/model"
	"datasync/internal/term"
	"datasync/query"

	"github.com/urfave/cli/v2"
)

func queryCommand(t term.IO, run func(context.Context, queryOptions) error) *cli.Command {
	return &cli.Command{
		Name: "query", Usage: "query the file in SQL, read-only", ArgsUsage: `["SQL" | -]`,
		Description: "Without SQL it reads the SQL from stdin, and on a terminal starts an interactive shell.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "format", Usage: "the `FORMAT` of the result: " + query.Formats(), DefaultText: "table on a terminal, else csv"},
			&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "write to `FILE`; its ending selects the format"},
			&cli.BoolFlag{Name: "force", Usage: "replace the output file if it exists"},
			&cli.StringFlag{Name: "file", Usage: "read the SQL from `FILE`"},
			&cli.StringFlag{Name: "named", Usage: "run the query with this `NAME`; list shows all names"},
			&cli.StringSliceFlag{Name: "param", Usage: "the value of $name in the SQL, as `NAME=VALUE`"},
			&cli.BoolFlag{Name: "print", Usage: "print the SQL of the named query with its values, and run nothing"},
			&cli.StringFlag{Name: "dialect", Usage: "print it in the SQL of this `ENGINE`: " + strings.Join(query.Dialects(), ", "), DefaultText: "duckdb"},
			&cli.StringFlag{Name: "table", Usage: "print it for the table `NAMESPACE.TABLE`, such as an Iceberg table", DefaultText: "events"},
			&cli.StringFlag{Name: "timezone", Usage: "show times, and count days and hours, in this time `ZONE`, such as Europe/Berlin", Value: "UTC"},
			&cli.IntFlag{Name: "max-rows", Usage: "write at most `N` rows, of a table the first and the last; 0 is all", DefaultText: "40 in a table, else all"},
			&cli.DurationFlag{Name: "timeout", Usage: "stop a query that takes longer than this `DURATION`, such as 30s", DefaultText: "none"},
			&cli.BoolFlag{Name: "timing", Usage: "show how long each statement took"},
			&cli.BoolFlag{Name: "csv-safe", Usage: "in CSV and TSV, put ' before text that a spreadsheet would run as a formula"},
			noPagerFlag(),
		},
		Action: func(c *cli.Context) error {
			if listsNamed(c) {
				return listNamed(t, c)
			}
			if printsNamed(c) {
				return printNamed(t, c)
			}
			opts, err := readQueryOptions(t, c)
			if err != nil {
				return err
			}
			return run(c.Context, opts)
		},
	}
}

// stopTimeout is how long a query may continue after a signal or --timeout: it may be blocked on a
// reader that does not read its output.
const stopTimeout = time.Second

// runQuery runs statements, or the shell if there are none.
func runQuery(ctx context.Context, opts queryOptions) error {
	signals := []os.Signal{syscall.SIGTERM, syscall.SIGHUP}
	if !opts.interactive() {
		signals = append(signals, os.Interrupt) // in the shell it ends a statement
	}
	ctx, stop := until(ctx, signals...)
	defer stop()
	if d := opts.timeout; d > 0 && !opts.interactive() {
		var cancel func()
		ctx, cancel = context.WithTimeoutCause(ctx, d, fmt.Errorf("%w: more than %s (--timeout)", errTimeout, term.Duration(d)))
		defer cancel()
	}
	if opts.interactive() {
		return runShell(ctx, opts)
	}
	var session *inspect.Session
	src, err := openSource(ctx, opts.io, opts.database, func(path string) (err error) {
		session, err = inspect.OpenSession(ctx, path, inspect.ReadOptions{Timezone: opts.timezone})
		return err
	})
	if err != nil {
		return orStopped(ctx, err)
	}
	defer src.Release()
	out, err := opts.output()
	if err != nil {
		return errors.Join(err, session.Close())
	}
	ended := make(chan error, 1)
	go func() {
		s := statements{opts.io, session, opts.timing, out}
		err := s.run(ctx, opts.query)
		_ = session.Close() // a read-only session has nothing to lose
		ended <- err
	}()
	return awaitQuery(ctx, ended, out)
}

// awaitQuery waits for the end of a query. After a signal or --timeout it waits for at most
// stopTimeout, unless a person is reading in the pager.
func awaitQuery(ctx context.Context, ended <-chan error, out term.Output) error {
	var err error
	select {
	case err = <-ended:
	case <-ctx.Done():
		var late <-chan time.Time
		if !out.Reading() {
			late = time.After(stopTimeout)
		}
		select {
		case err = <-ended:
		case <-late:
			err = context.Cause(ctx)
		}
	}
	switch {
	case err == nil, errors.Is(err, syscall.EPIPE):
		return nil
	case model.ExitOf(err).Code == model.ExitUsage:
		return usage("%w", err)
	}
	return orStopped(ctx, fmt.Errorf("query: %w", err))
}

// statements run SQL and write the results to one output.
type statements struct {
	io      term.IO
	session *inspect.Session
	timing  bool
	out     term.Output
}

// run writes the results, ends the output, and then reports on the statements.
func (s statements) run(ctx context.Context, opts query.Options) error {
	var notes []string
	say, limit := s.io.Say, "--max-rows"
	if opts.Shell { // where messages have no prefix
		say, limit = s.io.Quote, ".maxrows"
	}
	opts.Done = func(rows, written int64, took time.Duration) {
		if written < rows && opts.Format != query.Table {
			notes = append(notes, fmt.Sprintf("stopped after %s (%s); there are more", term.Counted(written, "row"), limit))
			rows = written
		}
		if s.timing {
			notes = append(notes, fmt.Sprintf("%s in %.3f s", term.Counted(rows, "row"), took.Seconds()))
		}
	}
	opts.Remark = func(text string) { notes = append(notes, text) }
	if opts.Note != "" && opts.Format != query.Table && opts.Format != query.Box {
		notes = append(notes, opts.Note)
	}
	err := s.out.End(query.Run(ctx, s.session, opts, s.out))
	for _, note := range notes {
		say(note)
	}
	return err
}
