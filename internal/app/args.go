package app

import (
	"slices"
	"strings"
	"unicode"

	"github.com/urfave/cli/v2"
)

// permute moves options before the other arguments, as urfave/cli takes what
// follows the first of those for more of them. Options of the program itself may
// stand behind the command's name and go in front of it. What comes after "--" is no
// option, nor is an argument with white space in its name, such as SQL. Where
// the last option lacks its value, that option alone is left, for the parser to say so.
func permute(args []string, root *cli.App) []string {
	if len(args) == 0 {
		return args
	}
	global := takesValue(root.Flags)
	var command *cli.Command
	var own map[string]bool
	var front, options, rest []string
	dashes := false // what follows is no option, whatever it looks like
	for i := 1; i < len(args); i++ {
		arg := args[i]
		if arg == "--" {
			if command == nil {
				rest = append(rest, args[i:]...)
				break
			}
			rest, dashes = append(rest, args[i+1:]...), true
			break
		}
		name, _, hasValue := strings.Cut(strings.TrimLeft(arg, "-"), "=")
		valued, isGlobal := global[name]
		ownValued, isOwn := own[name]
		if !isOption(arg, hasValue && (isGlobal || isOwn)) {
			if command == nil && len(rest) == 0 {
				if command = root.Command(arg); command != nil {
					own = takesValue(command.Flags)
					continue
				}
			}
			rest = append(rest, arg)
			continue
		}
		if isOwn {
			valued, isGlobal = ownValued, false
		}
		group := []string{arg}
		if valued && !hasValue {
			if i++; i == len(args) {
				if isGlobal || command == nil {
					return []string{args[0], arg}
				}
				return []string{args[0], command.Name, arg}
			}
			group = append(group, args[i])
		}
		if isGlobal || command == nil {
			front = append(front, group...)
		} else {
			options = append(options, group...)
		}
	}
	out := append([]string{args[0]}, front...)
	if command != nil {
		out = append(append(out, command.Name), options...)
		if dashes || slices.ContainsFunc(rest, func(arg string) bool { return len(arg) > 1 && arg[0] == '-' }) {
			out = append(out, "--") // so that SQL may begin with a comment
		}
	}
	return append(out, rest...)
}

// isOption reports whether an argument is one. What has white space in it is none, unless
// that is the value of one that is known.
func isOption(arg string, known bool) bool {
	return len(arg) > 1 && arg[0] == '-' && (known || !strings.ContainsFunc(arg, unicode.IsSpace))
}

// takesValue maps the names of options to whether a value follows them.
func takesValue(flags []cli.Flag) map[string]bool {
	names := map[string]bool{"help": false, "h": false, "version": false, "v": false}
	for _, f := range flags {
		_, isBool := f.(*cli.BoolFlag)
		for _, name := range f.Names() {
			names[name] = !isBool
		}
	}
	return names
}

// noArguments refuses arguments of a command that takes none.
func noArguments(c *cli.Context) error {
	if c.Args().Present() {
		return usage("%s takes no argument, but got %q", c.Command.Name, c.Args().First())
	}
	return nil
}
