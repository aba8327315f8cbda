package app

import (
	"io"
	"os/signal"
	"syscall"

	"datasync/internal/human"
	"datasync/internal/term"
	"datasync/query"

	"github.com/urfave/cli/v2"
)

// Main runs the command line and returns the exit code.
func Main(args []string, getenv func(string) string, stdin io.Reader, stdout, stderr io.Writer) int {
	// A core file would contain the key.
	_ = syscall.Setrlimit(syscall.RLIMIT_CORE, &syscall.Rlimit{})
	// Without SIGXFSZ, a write beyond ulimit -f fails with an error.
	signal.Ignore(syscall.SIGXFSZ)
	t := term.IO{Getenv: getenv, Stdin: stdin, Stdout: stdout, Stderr: stderr, Color: &term.Color{}}
	root := newApp(t)
	line := arrange(args, root)
	root.Metadata = map[string]any{asTypedArgs: args}
	if err := unlessUnread(line.named(noSuchHelp(root, root.Run(line.args)))); err != nil {
		t.SayError(errorLine(err))
		t.Quote(query.Excerpt(err, t.ErrorWidth()))
		return exitOf(err).Code
	}
	return 0
}

// init takes the short form from --version: -v is --verbose of pull and status.
func init() { //nolint:gochecknoinits // the library has this flag as a variable
	cli.VersionFlag = &cli.BoolFlag{Name: "version", Usage: "print the version", DisableDefaultText: true}
}

// newApp returns the program with its commands.
func newApp(t term.IO) *cli.App {
	root := &cli.App{
		Name: "datasync", Usage: "get every event of the DataSync API into a DuckDB file; query and export it", Version: version,
		Writer: t.Stdout, ErrWriter: t.Stderr, HideHelpCommand: true, DisableSliceFlagSeparator: true,
		Flags: []cli.Flag{
			&cli.StringFlag{Name: "db", Usage: "the database `FILE` (DATASYNC_DB)", Value: t.Env("DATASYNC_DB", "datasync.duckdb")},
			&cli.GenericFlag{Name: "color", Usage: "colours in the output, `WHEN`: auto, always or never (NO_COLOR)", Value: t.Color, DefaultText: "auto"},
			cli.HelpFlag, // urfave/cli omits it where there is a command "help"
		},
		Commands: []*cli.Command{
			pullCommand(t, runPull), queryCommand(t, runQuery), exportCommand(t, runExport),
			statsCommand(t, runStats), reportCommand(t, runReport), serveCommand(t, runServe), schemaCommand(t), statusCommand(t, runStatus), verifyCommand(t), explainCommand(t), mockCommand(t, runMock), versionCommand(t), helpCommand(),
		},
		ExitErrHandler: func(*cli.Context, error) {},
		OnUsageError:   func(c *cli.Context, err error, _ bool) error { return optionError(c, err) },
	}
	for _, command := range root.Commands {
		command.OnUsageError, command.Action = root.OnUsageError, withoutEmpty(command.Action)
		for i, f := range command.Flags {
			command.Flags[i] = understanding(f)
		}
	}
	setHelp(root, t.Width())
	return root
}

// helpCommand is --help for those who write it as a command.
func helpCommand() *cli.Command {
	return &cli.Command{
		Name: "help", Usage: "show this help, or the options of a command", ArgsUsage: "[COMMAND]",
		Action: func(c *cli.Context) error {
			name := c.Args().First()
			switch {
			case c.Args().Len() > 1:
				return usage("help takes one command, but got %s as well; see datasync --help", human.Shown(c.Args().Get(1)))
			case name == "":
				return cli.ShowAppHelp(c)
			case c.App.Command(name) == nil:
				return unknownCommand(c.App, name)
			}
			return c.App.RunContext(c.Context, []string{c.App.Name, name, "--help"})
		},
	}
}
