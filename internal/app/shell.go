package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"

	"github.com/ergochat/readline"
	"github.com/urfave/cli/v2"

	"datasync/internal/inspect"
	"datasync/query"
)

const (
	prompt     = "datasync> "
	promptMore = "     ...> "
)

// shell is the interactive query.
type shell struct {
	*program
	session *inspect.Session
	opts    query.Options
	timing  bool
	noPager bool
	line    *readline.Instance
	history *history
	// interrupts gets Ctrl-C while statements run; at the prompt it is a key.
	interrupts chan os.Signal
}

// shell reads statements from the terminal and runs them until .quit, Ctrl-D or a
// signal that ends the program.
func (p *program) shell(ctx context.Context, c *cli.Context, session *inspect.Session, opts query.Options) error {
	s := &shell{program: p, session: session, opts: opts, timing: c.Bool("timing"), noPager: c.Bool("no-pager")}
	var err error
	s.line, err = readline.NewFromConfig(&readline.Config{
		Prompt: prompt, HistoryLimit: historyLines, DisableAutoSaveHistory: true,
		AutoComplete: completer{ctx, s}, Stdin: p.stdin, Stdout: p.stdout, Stderr: p.stderr,
		// It would look at descriptors 1 and 2, which are not the terminal.
		FuncIsTerminal: p.interactive, FuncGetSize: p.size,
	})
	if err != nil {
		return err
	}
	defer func() { _ = s.line.Close() }()
	if s.history, err = openHistory(p.historyFolder()); err != nil {
		p.say(fmt.Sprintf("what is typed is not kept: %v", err))
	}
	defer s.history.close()
	for _, entry := range s.history.entries() {
		_ = s.line.SaveToHistory(entry)
	}
	s.interrupts = make(chan os.Signal, 1)
	signal.Notify(s.interrupts, os.Interrupt)
	defer signal.Stop(s.interrupts)
	defer context.AfterFunc(ctx, func() { _ = s.line.Close() })()
	_, _ = fmt.Fprintln(p.stdout, "datasync "+version+", reading "+query.Visible(c.String("db"))+". End a statement with ; and see .help.")
	s.read(ctx)
	return orStopped(ctx, context.Cause(ctx))
}

// read is the shell's loop.
func (s *shell) read(ctx context.Context) {
	var text strings.Builder
	for {
		line, err := s.line.ReadLine()
		switch {
		case errors.Is(err, readline.ErrInterrupt):
			text.Reset()
			s.line.SetPrompt(prompt)
			continue
		case err != nil: // Ctrl-D, or the end
			return
		}
		if text.Len() == 0 && strings.HasPrefix(strings.TrimSpace(line), ".") {
			s.remember(line)
			if !s.command(ctx, strings.Fields(line)) {
				return
			}
			continue
		}
		text.WriteString(line + "\n")
		statements, whole := query.Split(text.String())
		switch {
		case len(statements) == 0:
			text.Reset()
		case !whole:
			s.line.SetPrompt(promptMore)
			continue
		default:
			s.remember(oneEntry(text.String()))
			s.run(ctx, text.String())
			text.Reset()
		}
		s.line.SetPrompt(prompt)
	}
}

// remember keeps an entry for the keys that go back, now and in later shells.
func (s *shell) remember(entry string) {
	_ = s.line.SaveToHistory(entry)
	s.history.add(entry)
}

// oneEntry puts a statement on one line of the history.
func oneEntry(text string) string {
	if strings.Contains(text, "--") {
		// The rest of the statement would be a comment.
		lines := strings.Split(strings.TrimSpace(text), "\n")
		return lines[len(lines)-1]
	}
	return strings.ReplaceAll(strings.TrimSpace(text), "\n", " ")
}

// run runs statements; Ctrl-C stops them and not the shell.
func (s *shell) run(ctx context.Context, text string) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	select {
	case <-s.interrupts: // it came before there was anything to stop
	default:
	}
	go func() {
		select {
		case <-s.interrupts:
			cancel()
		case <-ctx.Done():
		}
	}()
	opts := s.opts
	opts.SQL, opts.Width = text, s.width()
	err := s.write(ctx, s.session, opts, s.timing, s.paged(s.noPager))
	switch {
	case err == nil:
	case ctx.Err() != nil:
		s.say("interrupted")
	default:
		s.say(errorLine(err))
	}
}

// completer completes what is typed by what DuckDB knows.
type completer struct {
	ctx   context.Context
	shell *shell
}

// Do is readline.AutoCompleter's: it returns what could follow, and how much of it is
// there already.
func (c completer) Do(line []rune, pos int) (endings [][]rune, typed int) {
	before := string(line[:pos])
	if strings.HasPrefix(before, ".") {
		for _, command := range shellCommands {
			if rest, ok := strings.CutPrefix(command.name, before); ok {
				endings = append(endings, []rune(rest))
			}
		}
		return endings, pos
	}
	words, begin, err := query.Complete(c.ctx, c.shell.session, before)
	if err != nil {
		return nil, 0
	}
	typed = len([]rune(before[begin:]))
	for _, word := range words {
		endings = append(endings, []rune(word)[typed:])
	}
	return endings, typed
}
