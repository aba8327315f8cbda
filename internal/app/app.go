package app

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/signal"
	"syscall"

	"datasync/query"

	"github.com/urfave/cli/v2"
)

// version is what the program says of itself.
const version = "0.2.0"

// program is one call of the command line.
type program struct {
	getenv         func(string) string
	stdin          io.Reader
	stdout, stderr io.Writer
}

// Main runs the command line and returns its exit code.
func Main(args []string, getenv func(string) string, stdin io.Reader, stdout, stderr io.Writer) int {
	// The memory of a crashed program would hold the key.
	_ = syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{})
	// A file that grows beyond ulimit -f is an error of the write.
	signal.Ignore(syscall.SIGXFSZ)
	p := &program{getenv, stdin, stdout, stderr}
	root := &cli.App{
		Name: "datasync", Usage: "get every event of the DataSync API into a DuckDB file", Version: version,
		Writer: stdout, ErrWriter: stderr, HideHelpCommand: true, DisableSliceFlagSeparator: true,
		Description: exitCodes,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "db", Usage: "the database `FILE` (DATASYNC_DB)", Value: p.or("DATASYNC_DB", "datasync.duckdb")},
			cli.HelpFlag, // which is left out where there is a command of the name
		},
		Commands:       []*cli.Command{p.pullCommand(), p.queryCommand(), p.exportCommand(), p.schemaCommand(), p.statusCommand(), p.verifyCommand(), p.explainCommand(), p.mockCommand(), p.helpCommand()},
		ExitErrHandler: func(*cli.Context, error) {},
		OnUsageError:   func(_ *cli.Context, err error, _ bool) error { return usage("%v", err) },
		Action: func(c *cli.Context) error {
			if c.Args().Present() {
				return usage("unknown command %q; see datasync --help", c.Args().First())
			}
			return cli.ShowAppHelp(c)
		},
	}
	for _, command := range root.Commands {
		command.OnUsageError = root.OnUsageError
	}
	if err := orUnread(root.Run(permute(args, root))); err != nil {
		p.say(errorLine(err))
		return exitCode(err)
	}
	return 0
}

// helpCommand is --help for those who write it as a command.
func (p *program) helpCommand() *cli.Command {
	return &cli.Command{
		Name: "help", Usage: "show this, or the options of a command", ArgsUsage: "[COMMAND]",
		Action: func(c *cli.Context) error {
			name := c.Args().First()
			switch {
			case c.Args().Len() > 1:
				return usage("help takes one command, but got %d", c.Args().Len())
			case name == "":
				return cli.ShowAppHelp(c)
			case c.App.Command(name) == nil:
				return usage("unknown command %q; see datasync --help", name)
			}
			return c.App.RunContext(c.Context, []string{c.App.Name, name, "--help"})
		},
	}
}

// orUnread returns err, or nil where it is that nobody reads stdout any more: whoever closed
// it had enough.
func orUnread(err error) error {
	var of *fs.PathError
	if errors.As(err, &of) && of.Path == os.Stdout.Name() && errors.Is(of, syscall.EPIPE) {
		return nil
	}
	return err
}

// say tells a person one line.
func (p *program) say(text string) { _, _ = fmt.Fprintln(p.stderr, "datasync:", query.Visible(text)) }

// or returns the environment's value of name, or fallback where it has none.
func (p *program) or(name, fallback string) string {
	if v := p.getenv(name); v != "" {
		return v
	}
	return fallback
}
