package shell

import (
	"context"
	"errors"
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
	var words []string
	var begin int
	if c.shell.pending.Len() == 0 && strings.HasPrefix(before, ".") {
		words, begin = c.shell.commandWords(c.ctx, before)
	} else {
		before = c.shell.pending.String() + before
		words, begin = c.shell.complete(c.ctx, before, after)
	}
	typed = len([]rune(before[begin:]))
	for _, word := range words {
		endings = append(endings, []rune(word)[typed:])
	}
	return endings, typed
}

// complete returns completions of SQL, and where the word begins.
func (s *shell) complete(ctx context.Context, before, after string) (words []string, begin int) {
	begin = len(before)
	_ = s.withNames(func(session *inspect.Session) (err error) {
		words, begin, err = query.Complete(ctx, session, before, after)
		return err
	})
	return words, begin
}

// withNames calls do with the open session, which knows its temporary tables; if there is none or do
// fails, with the names that the shell has read. It opens no file.
func (s *shell) withNames(do func(*inspect.Session) error) error {
	if s.file.mu.TryLock() {
		defer s.file.mu.Unlock()
		if s.file.open != nil && do(s.file.open.Session) == nil {
			return nil
		}
	}
	if s.names == nil {
		return errors.New("no names are known")
	}
	return do(s.names)
}
