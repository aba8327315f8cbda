package app

import (
	"slices"
	"strings"
	"unicode"

	"github.com/urfave/cli/v2"
)

// commandLine is a command line in the library's order, and as typed.
type commandLine struct {
	args []string
	// command is the name of the command, "" without one.
	command string
	// typed maps each name of an option to its spelling in the command line; "" if the option was
	// spelled in two ways.
	typed map[string]string
}

// arrange moves options in front of the other arguments: urfave/cli takes everything after the
// first argument for arguments. Options of the program may follow the command's name; arrange
// moves them before it. After "--" there are no options. An argument with white space in its
// name, such as SQL, is not an option. If the last option lacks its value, only that option is kept,
// and the parser reports it.
func arrange(args []string, root *cli.App) commandLine {
	if len(args) == 0 {
		return commandLine{args: args}
	}
	p := &permutation{root: root, global: takesValue(root.Flags), typed: map[string]string{}}
	out := p.all(args)
	line := commandLine{args: out, typed: p.typed}
	if p.command != nil {
		line.command = p.command.Name
	}
	return line
}

// permute returns the arguments in the order of the library.
func permute(args []string, root *cli.App) []string { return arrange(args, root).args }

// all takes all arguments and returns them in the order of the library.
func (p *permutation) all(args []string) []string {
	for i := 1; i < len(args); i++ {
		if args[i] == "--" {
			p.rest = append(p.rest, p.literal(args[i:])...)
			break
		}
		args = slices.Concat(args[:i], p.split(args[i]), args[i+1:])
		n := p.add(args[i:])
		if n > len(args)-i {
			return append(args[:1:1], p.alone(args[i])...)
		}
		i += n - 1
	}
	return append(args[:1:1], p.ordered()...)
}

// permutation is a command line under way.
type permutation struct {
	root    *cli.App
	global  map[string]bool // the program's options, and whether a value follows them
	command *cli.Command    // nil before its name
	own     map[string]bool // the command's options
	front   []string        // options of the program
	options []string        // options of the command
	rest    []string        // arguments
	dashes  bool            // "--" was seen behind the command's name
	typed   map[string]string
}

// spell records how an option is spelled, under all its names.
func (p *permutation) spell(name, spelling string) {
	names := []string{name}
	if f := optionNamed(p.root.Flags, name); f != nil {
		names = f.Names()
	}
	if p.command != nil {
		if f := optionNamed(p.command.Flags, name); f != nil {
			names = f.Names()
		}
	}
	for _, name := range names {
		if before, ok := p.typed[name]; ok && before != spelling {
			spelling = ""
		}
	}
	for _, name := range names {
		p.typed[name] = spelling
	}
}

// literal returns what "--" leaves of the arguments that begin with it.
func (p *permutation) literal(args []string) []string {
	if p.command == nil {
		return args
	}
	p.dashes = true
	return args[1:]
}

// split returns the options of one letter that an argument bundles, as -qv does, or the argument alone. Only
// the last of them may take a value, which follows. urfave/cli would split them only in its own order.
func (p *permutation) split(arg string) []string {
	letters, isShort := strings.CutPrefix(arg, "-")
	_, isGlobal := p.global[letters]
	if _, isOwn := p.own[letters]; !isShort || len(letters) < 2 || isGlobal || isOwn {
		return []string{arg}
	}
	var options []string
	for i, letter := range letters {
		valued, isOwn := p.own[string(letter)]
		if !isOwn || valued && i < len(letters)-1 {
			return []string{arg}
		}
		options = append(options, "-"+string(letter))
	}
	return options
}

// add takes the first of the arguments, with its value if it is an option that has one, and
// returns how many it has taken; more than there are if the value is missing.
func (p *permutation) add(args []string) int {
	spelling, _, hasValue := strings.Cut(args[0], "=")
	name := strings.TrimLeft(spelling, "-")
	valued, isGlobal := p.global[name]
	ownValued, isOwn := p.own[name]
	if !isOption(args[0], hasValue && (isGlobal || isOwn)) {
		p.argument(args[0])
		return 1
	}
	if len(spelling)-len(name) <= 2 {
		p.spell(name, spelling)
	}
	if isOwn {
		valued, isGlobal = ownValued, false
	}
	n := 1
	if valued && !hasValue {
		n = 2
	}
	if n > len(args) {
		return n
	}
	if isGlobal || p.command == nil {
		p.front = append(p.front, args[:n]...)
	} else {
		p.options = append(p.options, args[:n]...)
	}
	return n
}

// argument takes the command's name or one of its arguments.
func (p *permutation) argument(arg string) {
	if p.command == nil && len(p.rest) == 0 {
		if p.command = p.root.Command(arg); p.command != nil {
			p.own = takesValue(p.command.Flags)
			return
		}
	}
	p.rest = append(p.rest, arg)
}

// alone returns the command line that has this option only.
func (p *permutation) alone(option string) []string {
	name := strings.TrimLeft(option, "-")
	_, isGlobal := p.global[name]
	if _, isOwn := p.own[name]; p.command == nil || isGlobal && !isOwn {
		return []string{option}
	}
	return []string{p.command.Name, option}
}

// ordered returns the command line in the order of urfave/cli.
func (p *permutation) ordered() []string {
	out := p.front
	if p.command != nil {
		out = append(append(out, p.command.Name), p.options...)
		if p.dashes || slices.ContainsFunc(p.rest, func(arg string) bool { return len(arg) > 1 && arg[0] == '-' }) {
			out = append(out, "--") // SQL may begin with a comment
		}
	}
	return append(out, p.rest...)
}

// isOption reports whether an argument is an option. known says that it has the name of an
// option and a value, which may contain white space.
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
