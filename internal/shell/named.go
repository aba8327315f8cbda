package shell

import (
	"context"
	"fmt"
	"strings"

	"datasync/query"
)

// named lists the named queries, or runs one. Values of its parameters come from the command, then
// from .param, then from the query.
func (s *shell) named(ctx context.Context, argument string) error {
	args := arguments(argument)
	if len(args) == 0 {
		s.listNamed()
		return nil
	}
	n, err := query.FindNamed(args[0])
	if err != nil {
		s.complain(err.Error())
		return nil
	}
	params := map[string]string{}
	for _, p := range n.Params {
		params[p.Name] = p.Default
		if value, ok := s.Query.Params[p.Name]; ok {
			params[p.Name] = value
		}
	}
	for _, arg := range args[1:] {
		name, value, ok := strings.Cut(arg, "=")
		name = strings.TrimPrefix(name, "$")
		if _, known := params[name]; !ok || !known {
			s.complain(fmt.Sprintf(".named %s: %q is no parameter; it has %s", n.Name, arg, parameters(n)))
			return nil
		}
		params[name] = value
	}
	s.run(ctx, request{n.SQL, params})
	return nil
}

// listNamed lists the named queries with their parameters.
func (s *shell) listNamed() {
	all, err := query.NamedQueries()
	if err != nil {
		s.complain(err.Error())
		return
	}
	for _, n := range all {
		s.print(fmt.Sprintf("%-20s %s", n.Name, n.Title))
		for _, line := range wrap(parameters(n), helpWidth-21) {
			s.print(fmt.Sprintf("%-20s %s", "", line))
		}
	}
}

// parameters lists the parameters of a named query with their defaults.
func parameters(n query.Named) string {
	texts := make([]string, len(n.Params))
	for i, p := range n.Params {
		texts[i] = p.Name + "=" + p.Default
	}
	return strings.Join(texts, " ")
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
