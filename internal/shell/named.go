package shell

import (
	"context"
	"fmt"
	"strings"
	"time"

	"datasync/query"
)

// named lists the named queries, or runs one. Values of its parameters come from the command, then
// from .param, then from the query.
func (s *shell) named(ctx context.Context, argument string) error {
	args := arguments(argument)
	if len(args) == 0 || len(args) == 1 && strings.EqualFold(args[0], "list") { // as --named list
		s.listNamed()
		return nil
	}
	n, err := query.FindNamed(args[0])
	if err != nil {
		s.complain(err.Error())
		return nil
	}
	given := map[string]string{}
	for _, p := range n.Params {
		if value, ok := s.Query.Params[p.Name]; ok {
			given[p.Name] = value
		}
	}
	for _, arg := range args[1:] {
		name, value, ok := strings.Cut(arg, "=")
		if !ok {
			s.complain(fmt.Sprintf(".named %s: %q is not of the form NAME=VALUE", n.Name, arg))
			return nil
		}
		given[strings.TrimPrefix(name, "$")] = value
	}
	bound, err := n.Bind(given, time.Now(), s.Query.Location)
	if err != nil {
		s.complain(err.Error())
		return nil
	}
	s.run(ctx, request{bound.SQL, &bound})
	return nil
}

// listNamed lists the named queries with their parameters.
func (s *shell) listNamed() {
	text, err := query.ListNamed(s.IO.Width())
	if err != nil {
		s.complain(err.Error())
		return
	}
	s.print(strings.TrimSuffix(text, "\n"))
}

// arguments splits a command's argument at white space. Quotes keep a part together, as in
// within='7 days'.
func arguments(text string) []string {
	var args []string
	var arg strings.Builder
	quote, inside := rune(0), false
	for _, r := range text {
		switch {
		case quote != 0 && r == quote:
			quote = 0
		case quote != 0:
			arg.WriteRune(r)
		case r == '\'' || r == '"':
			quote, inside = r, true
		case r == ' ' || r == '\t':
			if inside {
				args = append(args, arg.String())
			}
			arg.Reset()
			inside = false
		default:
			arg.WriteRune(r)
			inside = true
		}
	}
	if inside {
		args = append(args, arg.String())
	}
	return args
}

// again runs the last statement again, with all of its rows: in another format, or into a file.
func (s *shell) again(ctx context.Context, _ string) error {
	if s.last.text == "" {
		s.complain("there was no statement yet")
		return nil
	}
	opts := s.Query
	opts.MaxRows = -1
	s.runWith(ctx, s.last, opts)
	return nil
}
