package app

import (
	"fmt"

	"datasync/internal/model"

	"github.com/urfave/cli/v2"
)

// usageError is an error in the command line.
type usageError struct{ error }

// Exit returns the exit code of wrong usage.
func (usageError) Exit() model.Exit { return model.Exit{Code: model.ExitUsage} }

// Unwrap returns the error itself.
func (e usageError) Unwrap() error { return e.error }

func usage(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// needs refuses an option that has no effect without another one.
func needs(c *cli.Context, option, other string) error {
	if c.IsSet(option) && !c.IsSet(other) {
		return usage("--%s needs --%s", option, other)
	}
	return nil
}

// noArguments refuses the arguments of a command that takes none.
func noArguments(c *cli.Context) error {
	if c.Args().Present() {
		return usage("%s takes no argument, but got %q", c.Command.Name, c.Args().First())
	}
	return nil
}
