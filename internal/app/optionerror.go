package app

import (
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/urfave/cli/v2"
)

// The errors of package flag about a command line.
var (
	unknownOption = regexp.MustCompile(`(?s)^flag provided but not defined: -(.*)$`)
	withoutValue  = regexp.MustCompile(`(?s)^flag needs an argument: -(.*)$`)
	wrongValue    = regexp.MustCompile(`(?s)^invalid (?:boolean )?value ("(?:[^"\\]|\\.)*") for (?:flag )?-([^:]+): (.*)$`)
	wrongSyntax   = regexp.MustCompile(`(?s)^bad flag syntax: (.*)$`)
)

// ofProgram is an error about an option of the program, not of its command.
type ofProgram struct{ error }

// Unwrap returns the error itself.
func (e ofProgram) Unwrap() error { return e.error }

// optionError rewords an error of the library about the options of a command. The new one names the
// option as --help does, and says what to do.
func optionError(c *cli.Context, err error) error {
	command := c.App.Command(c.Command.Name)
	if err = optionErrorOf(c, command, err); command == nil {
		return ofProgram{err}
	}
	return err
}

// optionErrorOf is optionError for a command, or for the program if that is nil.
func optionErrorOf(c *cli.Context, command *cli.Command, err error) error {
	text := err.Error()
	help := "see datasync --help"
	if command != nil {
		help = "see datasync " + command.Name + " --help"
	}
	if m := unknownOption.FindStringSubmatch(text); m != nil {
		return unknownOptionError(c.App, command, m[1], following(c.App, m[1]))
	}
	if m := withoutValue.FindStringSubmatch(text); m != nil {
		return usage("%s needs a value; %s", dashed(m[1]), help)
	}
	if m := wrongValue.FindStringSubmatch(text); m != nil {
		f := optionNamed(c.Command.Flags, m[2])
		if saysWhy(f) {
			return usage("%s %s", dashed(m[2]), m[3])
		}
		return usage("%s %s: %s", dashed(m[2]), m[1], wanted(f))
	}
	if m := wrongSyntax.FindStringSubmatch(text); m != nil {
		return usage("option %q is not of the form --NAME or --NAME=VALUE; %s", m[1], help)
	}
	if forms, ok := strings.CutPrefix(text, "Cannot use two forms of the same flag: "); ok {
		first, second, _ := strings.Cut(forms, " ")
		return usage("%s and %s are the same option: give one of them", dashed(first), dashed(second))
	}
	return usage("%w", err)
}

// noSuchHelp turns the library's error about --help for an unknown command into one of wrong
// usage.
func noSuchHelp(program *cli.App, err error) error {
	if err == nil {
		return nil
	}
	if name, ok := strings.CutPrefix(err.Error(), "No help topic for '"); ok {
		return unknownCommand(program, strings.TrimSuffix(name, "'"))
	}
	return err
}

// dashed returns the name of an option as it is written on a command line.
func dashed(name string) string {
	if utf8.RuneCountInString(name) == 1 {
		return "-" + name
	}
	return "--" + name
}

// asTypedArgs is the key of the command line, as typed, in the program's metadata: the library does not keep what
// follows an option that it does not know.
const asTypedArgs = "args"

// following returns the value that follows an unknown option on the command line, or "".
func following(program *cli.App, option string) string {
	args, _ := program.Metadata[asTypedArgs].([]string)
	for i, arg := range args {
		name, value, hasValue := strings.Cut(strings.TrimLeft(arg, "-"), "=")
		switch {
		case name != option || !strings.HasPrefix(arg, "-"):
		case hasValue:
			return value
		case i+1 < len(args):
			return args[i+1]
		}
	}
	return ""
}

// commandsWith returns the names of the commands that have an option.
func commandsWith(program *cli.App, option string) (names []string) {
	for _, command := range program.Commands {
		if optionNamed(command.Flags, option) != nil {
			names = append(names, command.Name)
		}
	}
	return names
}

// optionNamed returns the option of that name, or nil.
func optionNamed(flags []cli.Flag, name string) cli.Flag {
	for _, f := range flags {
		if slices.Contains(f.Names(), name) {
			return f
		}
	}
	return nil
}

// wanted says which values an option takes.
func wanted(f cli.Flag) string {
	switch f.(type) {
	case *cli.BoolFlag:
		return "the option takes no value"
	case *cli.GenericFlag:
		return "want auto, always or never" // --color is the only one
	}
	return "the option does not take this value"
}
