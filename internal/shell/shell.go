package shell

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"

	"datasync/internal/inspect"
	"datasync/internal/term"
	"datasync/query"

	"github.com/ergochat/readline"
)

const (
	prompt     = "datasync> "
	promptMore = "     ...> "
)

// Options describe a shell.
type Options struct {
	IO term.IO
	// Session runs the statements.
	Session *inspect.Session
	// Query is how results are written, and Timing whether the time of each statement is shown.
	// Commands change both.
	Query  query.Options
	Timing bool
	// Greeting is the first line.
	Greeting string
	// Run runs the statements and writes their results. It returns when ctx ends.
	Run func(ctx context.Context, opts query.Options, timing bool) error
	// Explain returns the line that tells a person of an error.
	Explain func(err error) string
}

// shell is a running shell.
type shell struct {
	Options
	line    *readline.Instance
	history *history
	// interrupts receives Ctrl-C while statements run. At the prompt Ctrl-C is a key.
	interrupts chan os.Signal
}

// Run reads statements from the terminal and runs them until .quit, Ctrl-D or the end of ctx.
func Run(ctx context.Context, opts Options) error {
	s := &shell{Options: opts}
	var err error
	s.line, err = readline.NewFromConfig(&readline.Config{
		Prompt: prompt, HistoryLimit: maxEntries, DisableAutoSaveHistory: true,
		AutoComplete: completer{ctx, s}, Stdin: s.IO.Stdin, Stdout: s.IO.Stdout, Stderr: s.IO.Stderr,
		// The defaults look at descriptors 1 and 2, which are not the terminal.
		FuncIsTerminal: s.IO.Interactive, FuncGetSize: s.IO.Size,
	})
	if err != nil {
		return err
	}
	defer func() { _ = s.line.Close() }()
	if s.history, err = openHistory(historyFolder(s.IO.Getenv)); err != nil {
		s.IO.Say(fmt.Sprintf("the history of this shell is not saved: %v", err))
	}
	defer s.history.close()
	for _, entry := range s.history.entries() {
		_ = s.line.SaveToHistory(entry)
	}
	s.interrupts = make(chan os.Signal, 1)
	signal.Notify(s.interrupts, os.Interrupt)
	defer signal.Stop(s.interrupts)
	defer context.AfterFunc(ctx, func() { _ = s.line.Close() })()
	s.print(s.Greeting)
	s.read(ctx)
	return nil
}

// print writes a line to stdout.
func (s *shell) print(text string) { _, _ = fmt.Fprintln(s.IO.Stdout, text) }

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
		case err != nil: // Ctrl-D, or the terminal is gone
			return
		}
		if text.Len() == 0 && strings.HasPrefix(strings.TrimSpace(line), ".") {
			s.save(line)
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
			s.save(oneEntry(text.String()))
			s.run(ctx, text.String())
			text.Reset()
		}
		s.line.SetPrompt(prompt)
	}
}

// save adds an entry to the history of this and of later shells.
func (s *shell) save(entry string) {
	_ = s.line.SaveToHistory(entry)
	s.history.add(entry)
}

// oneEntry puts a statement on one line. Of a statement with a comment only the last line
// remains, as the comment would hide what follows it.
func oneEntry(text string) string {
	if strings.Contains(text, "--") {
		lines := strings.Split(strings.TrimSpace(text), "\n")
		return lines[len(lines)-1]
	}
	return strings.ReplaceAll(strings.TrimSpace(text), "\n", " ")
}

// run runs statements until they end or Ctrl-C is pressed.
func (s *shell) run(ctx context.Context, text string) {
	ctx, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	// Without the wait, the goroutine could take the Ctrl-C of the next statement.
	defer func() { cancel(); <-ended }()
	select {
	case <-s.interrupts: // from before the statement
	default:
	}
	go func() {
		defer close(ended)
		select {
		case <-s.interrupts:
			cancel()
		case <-ctx.Done():
		}
	}()
	opts := s.Query
	opts.SQL, opts.Width = text, s.IO.Width()
	err := s.Run(ctx, opts, s.Timing)
	switch {
	case err == nil:
	case ctx.Err() != nil:
		s.IO.Say("interrupted")
	default:
		s.IO.Say(s.Explain(err))
		s.IO.Quote(query.Excerpt(err, s.IO.ErrorWidth()))
	}
}

// completer completes words from the names that DuckDB knows.
type completer struct {
	ctx   context.Context
	shell *shell
}

// Do returns what may follow the cursor, and how many characters of it are already typed. It
// implements readline.AutoCompleter.
func (c completer) Do(line []rune, pos int) (endings [][]rune, typed int) {
	before := string(line[:pos])
	if strings.HasPrefix(before, ".") {
		for _, command := range commands {
			if rest, ok := strings.CutPrefix(command.name, before); ok {
				endings = append(endings, []rune(rest))
			}
		}
		return endings, pos
	}
	words, begin, err := query.Complete(c.ctx, c.shell.Session, before)
	if err != nil {
		return nil, 0
	}
	typed = len([]rune(before[begin:]))
	for _, word := range words {
		endings = append(endings, []rune(word)[typed:])
	}
	return endings, typed
}
