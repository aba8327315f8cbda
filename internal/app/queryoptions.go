package app

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"datasync/internal/dbfile"
	"datasync/internal/human"
	"datasync/internal/outfile"
	"datasync/internal/term"
	"datasync/query"

	"github.com/urfave/cli/v2"
)

// maxSQL is the largest SQL text in bytes.
const maxSQL = 16 << 20

// queryOptions are the command line of query.
type queryOptions struct {
	io       term.IO
	database string
	query    query.Options
	timezone string
	timeout  time.Duration // 0 for none
	timing   bool
	force    bool
	file     string // to write to; "" for stdout
	// page returns stdout, through a pager if it is wanted.
	page func() term.Output
}

// interactive reports whether the command line asks for the shell.
func (o queryOptions) interactive() bool { return o.query.SQL == "" }

// output opens the destination of the result.
func (o queryOptions) output() (term.Output, error) {
	if o.file == "" {
		return o.page(), nil
	}
	return o.createOutput(o.file, outfile.Rules{Force: o.force})
}

// createOutput creates a file of results, which must not be one of the database's files.
func (o queryOptions) createOutput(name string, rules outfile.Rules) (term.Output, error) {
	rules.Keep = dbfile.FilesOf(o.database)
	f, err := outfile.Create(name, rules)
	return fileOutput{f}, err
}

// fileOutput is an output file, which is complete or does not exist.
type fileOutput struct{ *outfile.File }

func (f fileOutput) End(err error) error {
	if err != nil {
		return errors.Join(err, f.Abort())
	}
	_, err = f.Commit()
	return err
}

func (fileOutput) Reading() bool { return false }

func readQueryOptions(t term.IO, c *cli.Context) (opts queryOptions, err error) {
	opts = queryOptions{
		io: t, database: c.String("db"), timezone: c.String("timezone"), timeout: c.Duration("timeout"), timing: c.Bool("timing"),
		force: c.Bool("force"), file: c.String("output"), page: func() term.Output { return resultOutput(t, c) },
	}
	if err := needs(c, "force", "output"); err != nil {
		return opts, err
	}
	if opts.file == "-" {
		if opts.file = ""; opts.force {
			return opts, usage("stdout cannot be replaced: omit --force")
		}
	}
	q := &opts.query
	if q.Params, err = parseParams(c.StringSlice("param")); err != nil {
		return opts, err
	}
	if q.Location, err = zoneNamed(opts.timezone); err != nil {
		return opts, err
	}
	if err = readStatements(t, c, q); err != nil {
		return opts, err
	}
	if opts.interactive() {
		// The shell writes to the terminal, and Ctrl-C stops its statements.
		for _, name := range []string{"output", "timeout"} {
			if c.IsSet(name) {
				return opts, usage("--%s needs SQL: give it as an argument or in --file", name)
			}
		}
	}
	if q.Format, err = resultFormat(t, c, opts.file); err != nil {
		return opts, usage("%w", err)
	}
	if q.FormulaSafe = c.Bool("csv-safe"); q.FormulaSafe && (c.IsSet("format") || opts.file != "") && q.Format != query.CSV && q.Format != query.TSV {
		return opts, usage("--csv-safe is for csv and tsv: omit it, or give --format csv")
	}
	if c.IsSet("max-rows") {
		if q.MaxRows = c.Int("max-rows"); q.MaxRows < 0 {
			return opts, usage("--max-rows %s is less than 0; write 100, or 0 for all", typed(c, "max-rows"))
		} else if q.MaxRows == 0 {
			q.MaxRows = -1
		}
	}
	if c.IsSet("timeout") && opts.timeout <= 0 {
		return opts, notMoreThanZero(c, "timeout", "30s")
	}
	if opts.file != "" {
		q.Results = new(int)
	} else {
		q.Terminal, q.Width = t.OutputIsTerminal(), t.Width()
		if style := t.Style(t.Stdout); style.Dim("x") != "x" && (c.Bool("no-pager") || t.PagerShowsColors()) {
			q.Dim = style.Dim
		}
	}
	return opts, nil
}

// resultFormat returns the format with that name, or the one that suits the output.
func resultFormat(t term.IO, c *cli.Context, file string) (query.Format, error) {
	switch {
	case c.IsSet("format"):
		f, err := query.ParseFormat(c.String("format"))
		if err != nil {
			return "", usage("--format %s: %w", typed(c, "format"), err)
		}
		if file != "" {
			err = f.Fits(file)
		}
		return f, err
	case file != "":
		f, err := query.FormatOfFile(file)
		if err != nil {
			return "", usage("--output %s: %w", human.Shown(file), err)
		}
		return f, nil
	case t.OutputIsTerminal():
		return query.Table, nil
	}
	return query.CSV, nil
}

// parseParams reads the values of --param.
func parseParams(list []string) (map[string]string, error) {
	values := map[string]string{}
	for _, text := range list {
		name, value, ok := strings.Cut(text, "=")
		name = strings.TrimPrefix(name, "$")
		if !ok || name == "" {
			return nil, usage("--param %s is not of the form NAME=VALUE; write limit=10", human.Shown(text))
		}
		if _, again := values[name]; again {
			return nil, usage("--param %s is given twice", name)
		}
		values[name] = value
	}
	return values, nil
}

// readStatements sets the SQL from the command line or the named query. For the shell it stays empty.
func readStatements(t term.IO, c *cli.Context, q *query.Options) (err error) {
	switch {
	case !c.IsSet("named"):
		q.SQL, err = readSQL(t, c)
		return err
	case c.String("file") != "":
		return usage("--named %s contradicts --file %s: omit one of them", typed(c, "named"), typed(c, "file"))
	case c.Args().Present():
		return besideNamed(c)
	case listsNamed(c):
		q.SQL = "list" // it is not run
		return nil
	}
	return bindNamed(c.String("named"), q)
}

// readSQL returns the SQL of the command line, or "" for the shell.
func readSQL(t term.IO, c *cli.Context) (string, error) {
	file, args := c.String("file"), c.Args()
	switch {
	case file != "" && args.Present():
		return "", usage("--file %s contradicts the SQL %s: omit one of them", typed(c, "file"), human.Shown(args.First()))
	case args.Len() > 1 && isNamed(args.First()) && valuesOf(args.Tail()) != "":
		return "", usage("%s is not SQL; to run the named query use --named %s%s", args.First(), args.First(), valuesOf(args.Tail()))
	case args.Len() > 1:
		return "", usage("query takes one argument, but got %s as well; put the SQL in quotes", human.Shown(args.Get(1)))
	case file != "":
		return readSQLFile(t, file)
	case args.First() == "-", !args.Present() && !t.InputIsTerminal():
		text, err := readSQLFile(t, "-")
		if errors.Is(err, query.ErrEmpty) && !args.Present() {
			return "", usage(noSQL)
		}
		return text, err
	case !args.Present() && t.Interactive():
		return "", nil
	case !args.Present():
		return "", usage(noSQL)
	case strings.TrimSpace(args.First()) == "":
		return "", query.ErrEmpty
	}
	return args.First(), otherOption(args.First())
}

// noSQL says how to give the SQL.
const noSQL = `no SQL: give it as an argument, as in datasync query "SELECT count(*) FROM events", or on stdin`

// isNamed reports whether there is a named query of that name.
func isNamed(name string) bool {
	_, err := query.FindNamed(name)
	return err == nil
}

// oneValue matches a value of a parameter, which is no SQL.
var oneValue = regexp.MustCompile(`^\$?[a-z_]+=`)

// valuesOf returns arguments such as steps=a as options, or "" if one of them is no value of a parameter.
func valuesOf(args []string) (options string) {
	for _, arg := range args {
		if !oneValue.MatchString(arg) {
			return ""
		}
		if strings.ContainsAny(arg, " \t\n'\"$\\;&|<>()*?") {
			arg = "'" + strings.ReplaceAll(arg, "'", `'\''`) + "'" // as a POSIX shell needs it
		}
		options += " --param " + arg
	}
	return options
}

// otherOption fails for an argument that is not SQL but the value of an option.
func otherOption(arg string) error {
	if isNamed(arg) {
		return usage("%s is not SQL; to run the named query use --named %s", arg, arg)
	}
	if strings.EqualFold(filepath.Ext(arg), ".sql") && !strings.ContainsAny(arg, "\"'\n") {
		if _, err := os.Stat(arg); err == nil {
			return usage("%q is not SQL; to read the SQL from that file use --file", arg)
		}
	}
	return nil
}

// readSQLFile reads the SQL from a file, or from stdin if that is "-".
func readSQLFile(t term.IO, file string) (string, error) {
	in := t.Stdin
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return "", usage("--file %s: %w; name a file with SQL", human.Shown(file), withoutPath(err))
		}
		defer func() { _ = f.Close() }()
		in = f
	}
	b, err := io.ReadAll(io.LimitReader(in, maxSQL+1))
	text := strings.TrimPrefix(string(b), "\ufeff")
	switch {
	case err != nil:
		return "", usage("read the SQL: %v", err)
	case len(b) > maxSQL:
		return "", usage("the SQL is longer than %d MiB", maxSQL>>20)
	case strings.TrimSpace(text) == "":
		return "", query.ErrEmpty
	}
	return text, nil
}
