package app

import (
	"io"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode"

	"github.com/urfave/cli/v2"
)

func argsApp() *cli.App {
	return &cli.App{
		Flags: []cli.Flag{&cli.StringFlag{Name: "db"}},
		Commands: []*cli.Command{{Name: "query", Flags: []cli.Flag{
			&cli.StringFlag{Name: "format", Aliases: []string{"o"}}, &cli.BoolFlag{Name: "quiet", Aliases: []string{"q"}},
		}}},
	}
}

func TestPermute(t *testing.T) {
	for _, tc := range []struct{ name, in, want string }{
		{"nothing", "ds", "ds"},
		{"in order", "ds|--db|a|query|--format|csv|SELECT 1", "ds|--db|a|query|--format|csv|SELECT 1"},
		{"options after arguments", "ds|query|SELECT 1|--format|csv|-q", "ds|query|--format|csv|-q|SELECT 1"},
		{"with an equals sign", "ds|query|SELECT 1|--format=csv", "ds|query|--format=csv|SELECT 1"},
		{"an option of the program after arguments", "ds|query|SELECT 1|--db|a", "ds|--db|a|query|SELECT 1"},
		{"an option of the program after the command", "ds|query|--db=a|SELECT 1", "ds|--db=a|query|SELECT 1"},
		{"a bool takes no value", "ds|query|--quiet|SELECT 1", "ds|query|--quiet|SELECT 1"},
		{"a value with a space in it", "ds|query|--format=a b|SELECT 1|--db=my file", "ds|--db=my file|query|--format=a b|SELECT 1"},
		{"SQL that looks like an option with a value", "ds|query|--nope=1\nSELECT 1", "ds|query|--|--nope=1\nSELECT 1"},
		{"two dashes after an argument", "ds|query|SELECT 1|--|-q", "ds|query|--|SELECT 1|-q"},
		{"a value that looks like an option", "ds|query|SELECT 1|--format|-q", "ds|query|--format|-q|SELECT 1"},
		{"no options after two dashes", "ds|query|--|--format", "ds|query|--|--format"},
		{"a dash is no option", "ds|query|-|--format|csv", "ds|query|--format|csv|-"},
		{"SQL that begins with a comment", "ds|query|-- note\nSELECT 1|--format|csv", "ds|query|--format|csv|--|-- note\nSELECT 1"},
		{"the library reports unknown options", "ds|query|SELECT 1|--nope", "ds|query|--nope|SELECT 1"},
		{"a missing value", "ds|query|SELECT 1|--format", "ds|query|--format"},
		{"a missing value of an option of the program", "ds|query|SELECT 1|--db", "ds|--db"},
		{"bundled short options", "ds|query|SELECT 1|-qh|--format|csv", "ds|query|-q|-h|--format|csv|SELECT 1"},
		{"bundled short options with a value", "ds|query|SELECT 1|-qo|csv", "ds|query|-q|-o|csv|SELECT 1"},
		{"a bundle with a value in its midst", "ds|query|SELECT 1|-oq|csv", "ds|query|-oq|SELECT 1|csv"},
		{"a bundle with an unknown letter", "ds|query|SELECT 1|-qx", "ds|query|-qx|SELECT 1"},
		{"a bundle after two dashes", "ds|query|--|-qh", "ds|query|--|-qh"},
		{"an unknown command", "ds|nope|--db|a", "ds|--db|a|nope"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := strings.Join(permute(strings.Split(tc.in, "|"), argsApp()), "|"); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

// parsed is the meaning of a command line: of the program, and of query if that is given.
type parsed struct {
	command, db, format string
	quiet               bool
	args                []string
}

// FuzzPermute: the library parses the permuted arguments to what they mean in any order.
func FuzzPermute(f *testing.F) {
	f.Add("ds|query|SELECT 1|--format|csv|--db=a|--|-q")
	f.Add("ds|query|-- a comment")
	f.Fuzz(func(t *testing.T, line string) {
		in := strings.Split(line, "|")
		want, wantErr, clear := refParse(in[1:])
		var got parsed
		root := argsApp()
		root.Writer, root.ErrWriter, root.HideHelpCommand = io.Discard, io.Discard, true
		root.ExitErrHandler = func(*cli.Context, error) {}
		root.Action = func(c *cli.Context) error {
			if c.Args().Present() {
				return usage("no such command")
			}
			got = parsed{db: c.String("db")}
			return nil
		}
		root.Commands[0].Action = func(c *cli.Context) error {
			got = parsed{"query", c.String("db"), c.String("format"), c.Bool("quiet"), c.Args().Slice()}
			return nil
		}
		out := permute(slices.Clone(in), root)
		err := root.Run(out)
		if !clear {
			return
		}
		if (err != nil) != wantErr {
			t.Fatalf("%q became %q: %v", in, out, err)
		}
		if err == nil && (got.command != want.command || got.db != want.db || got.format != want.format || got.quiet != want.quiet || !slices.Equal(got.args, want.args)) {
			t.Errorf("%q became %q, which says %+v, want %+v", in, out, got, want)
		}
	})
}

// refParse parses arguments from left to right, with options anywhere. clear is false for help
// and for two dashes in place of a command, which it does not model.
func refParse(args []string) (p parsed, wrong, clear bool) {
	quietBy := map[string]bool{}
	for len(args) > 0 {
		arg := args[0]
		args = args[1:]
		if arg == "--" {
			p.args = append(p.args, args...)
			return p, wrong, p.command != ""
		}
		dashes := len(arg) - len(strings.TrimLeft(arg, "-"))
		name, value, hasValue := strings.Cut(arg[dashes:], "=")
		to := map[string]*string{"db": &p.db}[name]
		isQuiet := false
		if p.command != "" {
			isQuiet = name == "quiet" || name == "q"
			if name == "format" || name == "o" {
				to = &p.format
			}
		}
		if short := arg[dashes:]; dashes == 1 && p.command != "" && len(short) > 1 && strings.Trim(short, "qohv") == "" {
			if at := strings.IndexByte(short, 'o'); at >= 0 && at < len(short)-1 {
				wrong = true
				continue
			}
			var each []string
			for _, letter := range short {
				each = append(each, "-"+string(letter))
			}
			args = append(each, args...)
			continue
		}
		isHelp := name == "help" || name == "h" || name == "version" || name == "v"
		isKnown := to != nil || isQuiet
		switch {
		case dashes == 0, arg == "-", strings.ContainsFunc(arg, unicode.IsSpace) && (!hasValue || !isKnown && !isHelp):
			if p.command == "" && !wrong && arg != "query" {
				wrong = true
			} else if p.command == "" {
				p.command = arg
			} else {
				p.args = append(p.args, arg)
			}
			continue
		case isHelp:
			return p, wrong, false
		case !isKnown:
			wrong = true
			continue
		}
		wrong = wrong || dashes > 2
		switch {
		case isQuiet && hasValue:
			on, err := strconv.ParseBool(value)
			p.quiet, wrong = on, wrong || err != nil
		case isQuiet:
			p.quiet = true
		case hasValue:
			*to = value
		case len(args) == 0:
			wrong = true
		default:
			*to, args = args[0], args[1:]
		}
		if isQuiet {
			quietBy[name] = true
			wrong = wrong || len(quietBy) > 1 // the library refuses that
		}
	}
	return p, wrong, true
}
