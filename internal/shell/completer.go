package shell

import (
	"context"
	"slices"
	"strings"

	"datasync/internal/inspect"
	"datasync/query"
)

// completer completes words from the names that the shell knows.
type completer struct {
	ctx   context.Context
	shell *shell
}

// Do returns what may follow the cursor, and how many characters of it are already typed. It
// implements readline.AutoCompleter.
func (c completer) Do(line []rune, pos int) (endings [][]rune, typed int) {
	before, after := string(line[:pos]), string(line[pos:])
	if c.shell.pending.Len() == 0 && strings.HasPrefix(before, ".") {
		return commandEndings(before), pos
	}
	before = c.shell.pending.String() + before
	words, begin := c.shell.complete(c.ctx, before, after)
	typed = len([]rune(before[begin:]))
	for _, word := range words {
		endings = append(endings, []rune(word)[typed:])
	}
	return endings, typed
}

// complete returns completions from the open session, which knows its temporary tables, or
// otherwise from the names that the shell has read.
func (s *shell) complete(ctx context.Context, before, after string) (words []string, begin int) {
	sessions := []*inspect.Session{s.names}
	if s.file.mu.TryLock() {
		defer s.file.mu.Unlock()
		if s.file.open != nil {
			sessions = slices.Insert(sessions, 0, s.file.open.Session)
		}
	}
	for _, session := range sessions {
		if session == nil {
			continue
		}
		words, begin, err := query.Complete(ctx, session, before, after)
		if err == nil {
			return words, begin
		}
	}
	return nil, len(before)
}

// values are the arguments that may follow a command.
func values(name string) []string {
	switch name {
	case ".mode":
		return strings.Split(query.Formats(), ", ")
	case ".timer":
		return []string{"on", "off"}
	case ".named":
		all, _ := query.NamedQueries()
		names := make([]string, len(all))
		for i, n := range all {
			names[i] = n.Name
		}
		return names
	}
	return nil
}

// commandEndings completes a command or its argument.
func commandEndings(before string) (endings [][]rune) {
	name, argument, hasArgument := strings.Cut(before, " ")
	candidates := values(name)
	if !hasArgument {
		candidates, argument = nil, name
		for _, c := range commands() {
			if c.argument != "" {
				c.name += " "
			}
			candidates = append(candidates, c.name)
		}
	}
	for _, candidate := range candidates {
		if rest, ok := strings.CutPrefix(candidate, argument); ok {
			endings = append(endings, []rune(rest))
		}
	}
	return endings
}
