package app

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"datasync/export"
	"datasync/internal/human"
	"datasync/internal/model"
	"datasync/internal/outfile"

	"github.com/urfave/cli/v2"
)

// usageError is an error in the command line.
type usageError struct{ error }

// Exit returns the exit code of wrong usage.
func (usageError) Exit() model.Exit { return model.Exit{Code: model.ExitUsage} }

// Unwrap returns the error itself.
func (e usageError) Unwrap() error { return e.error }

func usage(format string, args ...any) error { return usageError{fmt.Errorf(format, args...)} }

// reworded is an error with another text.
type reworded struct {
	error
	text string
}

func (r reworded) Error() string { return r.text }

// Unwrap returns the error as it was.
func (r reworded) Unwrap() error { return r.error }

var (
	// longOption matches an option in a message.
	longOption = regexp.MustCompile(`--[a-zA-Z][\w-]*`)
)

// named rewords an error in the command line: it begins with the command's name, and spells options as
// typed, such as -page-size, or -o for --output.
func (l commandLine) named(err error) error {
	if !errors.As(err, new(usageError)) && !errors.Is(err, export.ErrOptions) && !errors.Is(err, outfile.ErrTarget) {
		return err
	}
	text := longOption.ReplaceAllStringFunc(err.Error(), func(option string) string {
		if typed := l.typed[option[2:]]; typed != "" {
			return typed
		}
		return option
	})
	if l.command != "" && !errors.As(err, new(ofProgram)) && !namesCommand(text, l.command) {
		text = l.command + ": " + text
	}
	return reworded{err, text}
}

// namesCommand reports whether a message begins with the name of the command, or is about another one.
func namesCommand(text, command string) bool {
	rest, ok := strings.CutPrefix(text, command)
	return ok && strings.HasPrefix(strings.TrimLeft(rest, ":"), " ") || strings.HasPrefix(text, "unknown command ")
}

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
		return usage("%s takes no argument, but got %s; omit it, or see datasync %s --help", c.Command.Name, human.Shown(c.Args().First()), c.Command.Name)
	}
	return nil
}
