package shell

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"

	"datasync/internal/term"
	"datasync/query"

	"github.com/ergochat/readline"
)

const (
	prompt     = "datasync> "
	promptMore = "     ...> "
)

// Run reads statements from the terminal and runs them until .quit, Ctrl-D or the end of ctx. It
// fails with the error of Options.Open if the file cannot be opened at first.
func Run(ctx context.Context, opts Options) error {
	s := &shell{Options: opts, stderr: opts.IO.Stderr}
	s.interrupts = make(chan os.Signal, 1)
	signal.Notify(s.interrupts, os.Interrupt)
	defer signal.Stop(s.interrupts)
	defer s.close(ctx)
	if err := s.begin(ctx); err != nil {
		return err
	}
	var err error
	s.line, err = readline.NewFromConfig(&readline.Config{
		Prompt: prompt, HistoryLimit: maxEntries, DisableAutoSaveHistory: true,
		AutoComplete: completer{ctx, s}, Stdin: &leavesList{from: s.IO.Stdin}, Stdout: s.IO.Stdout, Stderr: s.IO.Stderr,
		// The defaults look at descriptors 1 and 2, which are not the terminal.
		FuncIsTerminal: s.IO.Interactive, FuncGetSize: s.IO.Size,
	})
	if err != nil {
		return err
	}
	defer func() { _ = s.line.Close() }()
	s.stderr = s.line.Stderr()
	if s.history, err = openHistory(historyFolder(s.IO.Getenv)); err != nil {
		s.say(fmt.Sprintf("the history of this shell is not saved: %v", err))
	}
	defer s.history.close()
	for _, entry := range s.history.entries() {
		_ = s.line.SaveToHistory(entry)
	}
	defer context.AfterFunc(ctx, func() { _ = s.line.Close() })()
	s.read(ctx)
	return nil
}

// begin opens the file for the first time, and greets.
func (s *shell) begin(ctx context.Context) error {
	ctx, stop := s.interruptible(ctx)
	defer stop()
	return s.use(ctx, func(f *File) error {
		s.print(term.Wrap(s.Greeting(ctx, f), s.IO.Width(), 2))
		s.print(term.Wrap("End SQL with ;  .help lists commands  Ctrl-D leaves", s.IO.Width(), 2))
		return nil
	})
}

// close closes the file and the outputs when the shell ends.
func (s *shell) close(ctx context.Context) {
	s.endOutput()
	s.file.mu.Lock()
	defer s.file.mu.Unlock()
	s.shut()
	if s.names != nil {
		_ = s.names.Close()
	}
}

// read is the shell's loop.
func (s *shell) read(ctx context.Context) {
	for {
		line, err := s.line.ReadLine()
		switch {
		case errors.Is(err, readline.ErrInterrupt):
			s.pending.Reset()
			s.line.SetPrompt(prompt)
			continue
		case err != nil: // Ctrl-D, or the terminal is gone
			return
		}
		s.remember(line)
		if s.enter(ctx, line) != nil {
			return
		}
		if s.pending.Len() > 0 {
			s.line.SetPrompt(promptMore)
		} else {
			s.line.SetPrompt(prompt)
		}
	}
}

// enter takes one line: a command, or part of a statement, which it runs once it is complete. It
// fails with errQuit.
func (s *shell) enter(ctx context.Context, line string) error {
	s.failed = false
	word := strings.ToLower(strings.TrimRight(strings.TrimSpace(line), "; \t"))
	if s.pending.Len() == 0 {
		if _, isWord := words[word]; strings.HasPrefix(word, ".") || strings.HasPrefix(word, `\`) && !isWord {
			return s.interrupted(ctx, func(ctx context.Context) error { return s.command(ctx, strings.TrimSpace(line)) })
		}
		if name, ok := words[word]; ok {
			return s.command(ctx, name)
		}
	} else if _, ok := words[word]; ok && !strings.Contains(line, ";") {
		s.say(fmt.Sprintf("%q is a part of the statement here; Ctrl-C drops the statement", word))
	}
	s.pending.WriteString(line + "\n")
	text := s.pending.String()
	statements, whole := query.Split(text)
	switch {
	case len(statements) == 0 && whole:
		s.pending.Reset()
	case whole:
		s.pending.Reset()
		s.run(ctx, request{text: text})
	}
	return nil
}

// words are commands that need no dot.
var words = map[string]string{"exit": ".quit", "quit": ".quit", `\q`: ".quit", "help": ".help", "?": ".help", `\?`: ".help"}

// remember adds a command, or a complete statement as one entry, to the history of this and of later
// shells.
func (s *shell) remember(line string) {
	entry := strings.TrimSpace(line)
	if _, isWord := words[strings.ToLower(strings.TrimRight(entry, "; \t"))]; s.pending.Len() > 0 || !isWord && !strings.HasPrefix(entry, ".") {
		text := s.pending.String() + line
		statements, whole := query.Split(text)
		if !whole || len(statements) == 0 {
			return
		}
		entry = oneEntry(text)
	}
	_ = s.line.SaveToHistory(entry)
	s.history.add(entry)
}

// oneEntry puts a statement on one line. If it has a comment, only its last line remains, because
// the comment would hide the text after it.
func oneEntry(text string) string {
	if strings.Contains(text, "--") {
		lines := strings.Split(strings.TrimSpace(text), "\n")
		return lines[len(lines)-1]
	}
	return strings.ReplaceAll(strings.TrimSpace(text), "\n", " ")
}

// leavesList is the keyboard. It puts Ctrl-G before each Ctrl-C. Ctrl-G leaves a list of completions
// or a search; Ctrl-C alone would do only that, and keep the line.
type leavesList struct{ from io.Reader }

// Read reads keys into b, which must have more than one byte.
func (l *leavesList) Read(b []byte) (int, error) {
	n, err := l.from.Read(b[:(len(b)+1)/2])
	keys := slices.Clone(b[:n])
	n = 0
	for _, key := range keys {
		if key == readline.CharInterrupt {
			b[n] = readline.CharBell
			n++
		}
		b[n] = key
		n++
	}
	return n, err
}
