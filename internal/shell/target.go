package shell

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"datasync/internal/term"
	"datasync/query"
)

// target is the file that results go to. Its zero value is the terminal.
type target struct {
	file   term.Output // nil for the terminal
	name   string
	format query.Format
	once   bool // it takes one result only
	// results is the number of results that the file has.
	results int
}

// kept is a target that takes more results.
type kept struct{ term.Output }

// End returns err, and leaves the file open.
func (kept) End(err error) error { return err }

// once writes the next result to a file.
func (s *shell) once(_ context.Context, argument string) error {
	if argument == "" {
		s.complain(".once: name the file")
		return nil
	}
	s.begunOutput(argument)
	s.target.once = s.target.file != nil
	return nil
}

// setOutput writes results to a file, or to the terminal again.
func (s *shell) setOutput(_ context.Context, argument string) error {
	if argument == "" {
		s.endOutput()
		return nil
	}
	s.begunOutput(argument)
	return nil
}

// begunOutput begins the file of results that an argument names.
func (s *shell) begunOutput(argument string) {
	s.endOutput()
	name, force := strings.CutPrefix(argument, "--force ")
	name = s.path(name)
	format, err := s.formatOf(name)
	if err != nil {
		s.complain(err.Error())
		return
	}
	create := s.Create
	if force {
		create = s.Replace
	}
	f, err := create(name)
	if err != nil {
		s.complain(s.Explain(err))
		return
	}
	s.target = target{file: f, name: name, format: format}
}

// formatOf returns the format of a file's ending, or that of .mode if the file has none.
func (s *shell) formatOf(name string) (query.Format, error) {
	if filepath.Ext(name) == "" {
		return s.Query.Format, nil
	}
	return query.FormatOfFile(name)
}

// path returns the path that an argument names.
func (s *shell) path(argument string) string {
	name := unquoted(strings.TrimSpace(argument))
	if rest, ok := strings.CutPrefix(name, "~/"); ok && s.IO.Getenv("HOME") != "" {
		return filepath.Join(s.IO.Getenv("HOME"), rest)
	}
	return name
}

// output returns the destination of the next result, and changes the options to suit it.
func (s *shell) output(opts *query.Options) term.Output {
	if s.target.file == nil {
		opts.Width = s.IO.Width()
		return s.Page()
	}
	opts.Format, opts.Width, opts.Terminal, opts.Dim, opts.Results = s.target.format, 0, false, nil, &s.target.results
	if !s.target.once {
		return kept{s.target.file}
	}
	t := s.target
	s.target, opts.Results = target{}, &t.results
	return written{t.file, func(err error) {
		if err == nil {
			s.say("wrote " + t.name)
		} else {
			s.say(t.name + " is not written")
		}
	}}
}

// written is an output that reports on its end.
type written struct {
	term.Output
	report func(err error)
}

// End ends the output, and reports.
func (w written) End(err error) error {
	err = w.Output.End(err)
	w.report(err)
	return err
}

// endOutput gives the file of results its name, unless .once had no result for it.
func (s *shell) endOutput() {
	t := s.target
	s.target = target{}
	switch {
	case t.file == nil:
	case t.once:
		_ = t.file.End(errNoResult)
		s.say(t.name + " is not written: there was no result")
	default:
		if err := t.file.End(nil); err != nil {
			s.complain(s.Explain(err))
			return
		}
		s.say("wrote " + t.name)
	}
}

var errNoResult = errors.New("no result")

// own reports whether a file is the database or belongs to it.
func (s *shell) own(name string) bool {
	info, err := os.Stat(name)
	return err == nil && slices.ContainsFunc(s.Own, func(own string) bool {
		of, err := os.Stat(own)
		return err == nil && os.SameFile(info, of)
	})
}

// unquoted removes the quotes around a text.
func unquoted(text string) string {
	for _, quote := range []string{"'", `"`} {
		if len(text) >= 2 && strings.HasPrefix(text, quote) && strings.HasSuffix(text, quote) {
			return text[1 : len(text)-1]
		}
	}
	return text
}
