package term

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
	"golang.org/x/term"
)

// IO is where a command reads and writes, and the environment in which it runs.
type IO struct {
	// Getenv returns the value of an environment variable, as os.Getenv does.
	Getenv func(string) string
	Stdin  io.Reader
	// Stdout takes data, Stderr messages.
	Stdout, Stderr io.Writer
	// Color says when output has colours; nil means on terminals.
	Color *Color
}

// Say writes a message to stderr, under the program's name and with control characters escaped: one line, which
// is wrapped at words on a terminal.
func (t IO) Say(text string) { t.sayIn(Style{}.Bad, text) }

// SayError is Say for the error that ends a command: the program's name is red.
func (t IO) SayError(text string) { t.sayIn(t.Style(t.Stderr).Bad, text) }

// SayWarning is Say for a warning: the program's name is amber.
func (t IO) SayWarning(text string) { t.sayIn(t.Style(t.Stderr).Caution, text) }

func (t IO) sayIn(paint func(string) string, text string) {
	line, _ := strings.CutPrefix(said(text, t.ErrorWidth()), name)
	_, _ = io.WriteString(t.Stderr, paint(name)+line)
}

// SayAtOnce is Say for a process that is about to end. On a terminal it first erases the cursor's line, which
// shows ^C. It waits for at most a second, because stderr may be blocked.
func (t IO) SayAtOnce(text string) {
	text = said(text, t.ErrorWidth())
	if t.obeys(t.Stderr) {
		text = clear + text
	}
	written := make(chan struct{})
	go func() {
		defer close(written)
		_, _ = io.WriteString(t.Stderr, text)
	}()
	select {
	case <-written:
	case <-time.After(time.Second):
	}
}

// name begins each message.
const name = "datasync:"

// said returns a message with its name, wrapped at this many columns.
func said(text string, columns int) string {
	return Wrap(name+" "+Visible(text), columns, 2) + "\n"
}

// Quote writes lines to stderr unchanged, except that it escapes control characters.
func (t IO) Quote(lines string) {
	for line := range strings.Lines(lines) {
		_, _ = fmt.Fprintln(t.Stderr, Visible(strings.TrimSuffix(line, "\n")))
	}
}

// Env returns the value of the environment variable, or fallback where it is unset or empty.
func (t IO) Env(name, fallback string) string {
	if v := t.Getenv(name); v != "" {
		return v
	}
	return fallback
}

// OutputIsTerminal reports whether stdout is a terminal.
func (t IO) OutputIsTerminal() bool { _, ok := terminal(t.Stdout); return ok }

// InputIsTerminal reports whether stdin is a terminal.
func (t IO) InputIsTerminal() bool { _, ok := terminal(t.Stdin); return ok }

// Interactive reports whether both stdin and stdout are terminals.
func (t IO) Interactive() bool {
	_, in := terminal(t.Stdin)
	return in && t.OutputIsTerminal()
}

// Typed reports whether a SIGINT may be a Ctrl-C: whether stdin is a terminal, and this process is in its
// foreground process group. The command timeout, for example, moves its command into another group.
func (t IO) Typed() bool {
	f, ok := terminal(t.Stdin)
	if !ok {
		return false
	}
	group, err := unix.IoctlGetInt(int(f.Fd()), unix.TIOCGPGRP)
	return err != nil || group == unix.Getpgrp()
}

// ErrorsAreSeen reports whether stderr is a terminal.
func (t IO) ErrorsAreSeen() bool { _, ok := terminal(t.Stderr); return ok }

// Size returns the columns and rows of the terminal on stdout; both are 0 where stdout is none.
func (t IO) Size() (width, height int) {
	f, ok := terminal(t.Stdout)
	if !ok {
		return 0, 0
	}
	width, height, err := term.GetSize(int(f.Fd()))
	if err != nil || width <= 0 || height <= 0 {
		return 0, 0
	}
	return width, height
}

// Width returns the columns of the terminal on stdout, else the value of COLUMNS; 0 means no
// limit.
func (t IO) Width() int {
	if width, _ := t.Size(); width > 0 {
		return width
	}
	width, _ := strconv.Atoi(t.Getenv("COLUMNS"))
	return max(0, width)
}

// terminal returns the file behind a stream if that is a terminal.
func terminal(stream any) (*os.File, bool) {
	f, ok := stream.(*os.File)
	return f, ok && term.IsTerminal(int(f.Fd()))
}
