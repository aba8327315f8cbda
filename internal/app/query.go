package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
	_ "time/tzdata"

	"github.com/urfave/cli/v2"

	"datasync/internal/dbfile"
	"datasync/internal/inspect"
	"datasync/internal/outfile"
	"datasync/query"
)

// so that --timezone works on machines without a zone database

// maxSQL is how many bytes a statement may have.
const maxSQL = 16 << 20

// errTimeout: a query took longer than --timeout.
var errTimeout = errors.New("the query took too long")

func (p *program) queryCommand() *cli.Command {
	return &cli.Command{
		Name: "query", Usage: "ask the file in SQL; it changes nothing", ArgsUsage: `["SQL" | -]`,
		Description: "Without SQL, on a terminal, it is a shell.",
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "format", Usage: query.Formats(), DefaultText: "table on a terminal, else csv"},
			&cli.StringFlag{Name: "output", Aliases: []string{"o"}, Usage: "write to `FILE`, in the format that its ending names"},
			&cli.BoolFlag{Name: "force", Usage: "replace the output file if it exists"},
			&cli.StringFlag{Name: "file", Usage: "read the SQL from `FILE`"},
			&cli.StringFlag{Name: "named", Usage: "run the query of that `NAME`; list shows the names"},
			&cli.StringSliceFlag{Name: "param", Usage: "the value of $name in the SQL: `NAME=VALUE`"},
			&cli.StringFlag{Name: "timezone", Usage: "show times in this `ZONE`", Value: "UTC"},
			&cli.IntFlag{Name: "max-rows", Usage: "write at most `N` rows: of a table head and tail, else the first; 0 is all", DefaultText: "40 of a table, else all"},
			&cli.DurationFlag{Name: "timeout", Usage: "stop after so long", DefaultText: "none"},
			&cli.BoolFlag{Name: "timing", Usage: "say how long each statement took"},
			&cli.BoolFlag{Name: "csv-safe", Usage: "put ' before texts in CSV and TSV that a spreadsheet would take for formulas"},
			&cli.BoolFlag{Name: "no-pager", Usage: "do not page what is longer than the screen (DATASYNC_PAGER, PAGER)"},
		},
		Action: p.query,
	}
}

func (p *program) query(c *cli.Context) error {
	if strings.EqualFold(c.String("named"), "list") {
		return p.listNamed(c)
	}
	opts, err := p.queryOptions(c)
	if err != nil {
		return err
	}
	signals := []os.Signal{syscall.SIGTERM, syscall.SIGHUP}
	if opts.SQL != "" {
		signals = append(signals, os.Interrupt) // the shell has a use of its own for it
	}
	ctx, stop := until(c.Context, signals...)
	defer stop()
	if d := c.Duration("timeout"); d > 0 && opts.SQL != "" {
		var cancel func()
		ctx, cancel = context.WithTimeoutCause(ctx, d, fmt.Errorf("%w: more than %s (--timeout)", errTimeout, d))
		defer cancel()
	}
	var session *inspect.Session
	from, err := p.openSource(ctx, c.String("db"), func(path string) (err error) {
		session, err = inspect.OpenSession(ctx, path, inspect.ReadOptions{Timezone: c.String("timezone")})
		return err
	})
	if err != nil {
		return orStopped(ctx, err)
	}
	defer from.release()
	if opts.SQL == "" {
		return errors.Join(p.shell(ctx, c, session, opts), session.Close())
	}
	out, err := p.queryOutput(c)
	if err != nil {
		return errors.Join(err, session.Close())
	}
	ended := make(chan error, 1)
	go func() {
		err := p.write(ctx, session, opts, c.Bool("timing"), out)
		_ = session.Close() // there is nothing that it could fail to keep
		ended <- err
	}()
	return p.awaitQuery(ctx, ended, out)
}

// stopPatience is how long a query may go on after a signal or the end of --timeout: it may
// be waiting for someone who does not read what it writes.
const stopPatience = time.Second

// awaitQuery waits for the end of a query, but not for long after a signal or the end of
// --timeout, unless a person is reading in the pager.
func (p *program) awaitQuery(ctx context.Context, ended <-chan error, out output) error {
	var err error
	select {
	case err = <-ended:
	case <-ctx.Done():
		var late <-chan time.Time
		if g, ok := out.(*pager); !ok || !g.running.Load() {
			late = time.After(stopPatience)
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
	case errors.Is(err, query.ErrParams), errors.Is(err, outfile.ErrTarget):
		return usage("%w", err)
	}
	return orStopped(ctx, fmt.Errorf("query: %w", err))
}

// queryOptions reads the command line.
func (p *program) queryOptions(c *cli.Context) (opts query.Options, err error) {
	if opts.Params, err = params(c.StringSlice("param")); err != nil {
		return opts, err
	}
	if opts.SQL, err = p.sql(c, opts.Params); err != nil {
		return opts, err
	}
	if opts.Format, err = p.queryFormat(c); err != nil {
		return opts, usage("%v", err)
	}
	zone := c.String("timezone")
	if opts.Location, err = time.LoadLocation(zone); err != nil || zone == "" || zone == "Local" {
		return opts, usage("--timezone %q is no time zone such as UTC or Europe/Berlin", zone)
	}
	if c.IsSet("max-rows") {
		if opts.MaxRows = c.Int("max-rows"); opts.MaxRows < 0 {
			return opts, usage("--max-rows %d is less than 0", opts.MaxRows)
		} else if opts.MaxRows == 0 {
			opts.MaxRows = -1
		}
	}
	if c.IsSet("timeout") && c.Duration("timeout") <= 0 {
		return opts, usage("--timeout %s is not more than 0s", c.Duration("timeout"))
	}
	opts.FormulaSafe = c.Bool("csv-safe")
	if name := c.String("output"); name == "" || name == "-" {
		_, opts.Terminal = p.terminal()
		opts.Width = p.width()
	}
	return opts, nil
}

// queryFormat is the format asked for, or the one that fits where the result goes.
func (p *program) queryFormat(c *cli.Context) (query.Format, error) {
	if name := c.String("format"); name != "" {
		return query.ParseFormat(name)
	}
	if name := c.String("output"); name != "" && name != "-" {
		return query.FormatOfFile(name)
	}
	if _, ok := p.terminal(); ok {
		return query.Table, nil
	}
	return query.CSV, nil
}

// notes are what a person is told of the statements, after their results.
type notes struct {
	format query.Format
	timing bool
	lines  []string
}

// done is query.Options.Done.
func (n *notes) done(rows, written int64, took time.Duration) {
	if written < rows && n.format != query.Table {
		n.lines = append(n.lines, fmt.Sprintf("stopped after %s (--max-rows); there are more", counted(written, "row")))
		rows = written
	}
	if n.timing {
		n.lines = append(n.lines, fmt.Sprintf("%s in %.3f s", counted(rows, "row"), took.Seconds()))
	}
}

// write runs the statements and writes what they give, and then what is to be told of
// them.
func (p *program) write(ctx context.Context, session *inspect.Session, opts query.Options, timing bool, out output) error {
	n := notes{format: opts.Format, timing: timing}
	opts.Done = n.done
	err := out.end(query.Run(ctx, session, opts, out))
	for _, line := range n.lines {
		p.say(line)
	}
	return err
}

// params reads the values of --param.
func params(list []string) (map[string]string, error) {
	values := map[string]string{}
	for _, text := range list {
		name, value, ok := strings.Cut(text, "=")
		name = strings.TrimPrefix(name, "$")
		if !ok || name == "" {
			return nil, usage("--param %q is not of the form NAME=VALUE", text)
		}
		if _, again := values[name]; again {
			return nil, usage("--param %s is given twice", name)
		}
		values[name] = value
	}
	return values, nil
}

// sql returns the SQL of the command line; none on a terminal asks for the shell. The
// parameters of a named query get their defaults.
func (p *program) sql(c *cli.Context, params map[string]string) (string, error) {
	file, args := c.String("file"), c.Args()
	switch {
	case c.IsSet("named"):
		if file != "" || args.Present() {
			return "", usage("give the SQL or --named, not both")
		}
		return namedSQL(c.String("named"), params)
	case file != "" && args.Present():
		return "", usage("give the SQL as an argument or in --file, not both")
	case args.Len() > 1:
		return "", usage("query takes one argument, but got %d: put the SQL in quotes", args.Len())
	case file != "":
		return p.readSQL(file)
	case !args.Present() && p.interactive():
		return "", nil
	case !args.Present():
		return "", usage(`no SQL: give it as an argument, as in datasync query "SELECT count(*) FROM events", or - for stdin`)
	case args.First() == "-":
		return p.readSQL("-")
	case strings.TrimSpace(args.First()) == "":
		return "", query.ErrEmpty
	}
	return args.First(), nil
}

// readSQL reads the SQL from a file, or from stdin where that is "-".
func (p *program) readSQL(file string) (string, error) {
	in := p.stdin
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return "", usage("read the SQL: %v", err)
		}
		defer func() { _ = f.Close() }()
		in = f
	}
	b, err := io.ReadAll(io.LimitReader(in, maxSQL+1))
	switch text := strings.TrimPrefix(string(b), "\ufeff"); {
	case err != nil:
		return "", usage("read the SQL: %v", err)
	case len(b) > maxSQL:
		return "", usage("the SQL is longer than %d MiB", maxSQL>>20)
	case strings.TrimSpace(text) == "":
		return "", query.ErrEmpty
	default:
		return text, nil
	}
}

// width is how many columns what goes to stdout may have, 0 for no limit.
func (p *program) width() int {
	if width, _, ok := p.screen(); ok {
		return width
	}
	width, _ := strconv.Atoi(p.getenv("COLUMNS"))
	return max(0, width)
}

// queryOutput is where the result goes.
func (p *program) queryOutput(c *cli.Context) (output, error) {
	name := c.String("output")
	if name == "" || name == "-" {
		return p.paged(c.Bool("no-pager")), nil
	}
	f, err := outfile.Create(name, outfile.Rules{Force: c.Bool("force"), Keep: dbfile.FilesOf(c.String("db"))})
	return fileOutput{f}, err
}

// fileOutput is a file that is whole or not there.
type fileOutput struct{ *outfile.File }

func (f fileOutput) end(err error) error {
	if err != nil {
		return errors.Join(err, f.Abort())
	}
	_, err = f.Commit()
	return err
}
