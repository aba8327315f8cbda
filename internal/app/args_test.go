package app

import (
	"slices"
	"strings"
	"testing"

	"github.com/urfave/cli/v2"
)

func argsApp() *cli.App {
	return &cli.App{
		Flags: []cli.Flag{&cli.StringFlag{Name: "db"}},
		Commands: []*cli.Command{{Name: "query", Flags: []cli.Flag{
			&cli.StringFlag{Name: "format"}, &cli.BoolFlag{Name: "quiet", Aliases: []string{"q"}},
		}}},
	}
}

func TestPermute(t *testing.T) {
	for _, tc := range []struct{ name, in, want string }{
		{"nothing", "ds", "ds"},
		{"in order", "ds|--db|a|query|--format|csv|SELECT 1", "ds|--db|a|query|--format|csv|SELECT 1"},
		{"options behind", "ds|query|SELECT 1|--format|csv|-q", "ds|query|--format|csv|-q|SELECT 1"},
		{"with an equals sign", "ds|query|SELECT 1|--format=csv", "ds|query|--format=csv|SELECT 1"},
		{"the program's option behind", "ds|query|SELECT 1|--db|a", "ds|--db|a|query|SELECT 1"},
		{"the program's option between", "ds|query|--db=a|SELECT 1", "ds|--db=a|query|SELECT 1"},
		{"a bool takes no value", "ds|query|--quiet|SELECT 1", "ds|query|--quiet|SELECT 1"},
		{"a value that looks like an option", "ds|query|SELECT 1|--format|-q", "ds|query|--format|-q|SELECT 1"},
		{"behind two dashes nothing is one", "ds|query|--|--format", "ds|query|--|--format"},
		{"a dash is none", "ds|query|-|--format|csv", "ds|query|--format|csv|-"},
		{"SQL that begins with a comment", "ds|query|-- note\nSELECT 1|--format|csv", "ds|query|--format|csv|--|-- note\nSELECT 1"},
		{"unknown ones stay for the library", "ds|query|SELECT 1|--nope", "ds|query|--nope|SELECT 1"},
		{"no value left", "ds|query|SELECT 1|--format", "ds|query|--format"},
		{"no value left for the program's", "ds|query|SELECT 1|--db", "ds|--db"},
		{"an unknown command", "ds|nope|--db|a", "ds|--db|a|nope"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			if got := strings.Join(permute(strings.Split(tc.in, "|"), argsApp()), "|"); got != tc.want {
				t.Errorf("got %q, want %q", got, tc.want)
			}
		})
	}
}

func FuzzPermute(f *testing.F) {
	f.Add("ds|query|SELECT 1|--format|csv|--db=a|--|-q")
	f.Add("ds|query|-- a comment")
	f.Fuzz(func(t *testing.T, line string) {
		in := strings.Split(line, "|")
		got := permute(slices.Clone(in), argsApp())
		if len(got) < len(in) {
			// An option without its value: that alone is left, for the error.
			if last := in[len(in)-1]; got[len(got)-1] != last || !isOption(last) {
				t.Errorf("%q became %q", in, got)
			}
			return
		}
		if at := slices.Index(got, "--"); len(got) == len(in)+1 && at > 0 {
			got = slices.Delete(got, at, at+1) // so that what follows is no option
		}
		slices.Sort(in)
		if slices.Sort(got); !slices.Equal(in, got) {
			t.Errorf("%q became %q", in, got)
		}
	})
}
