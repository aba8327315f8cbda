package term

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
)

// Output takes the result of a command.
type Output interface {
	io.Writer
	// End must be called once, after the last write, with the error that ended the writing
	// or nil. It returns the error to report: err, joined with what fails at the end.
	End(err error) error
	// Reading reports whether a person is reading the result in a pager. It may be called
	// from another goroutine than Write.
	Reading() bool
}

// Plain is an Output that writes to a stream and leaves it open.
type Plain struct{ io.Writer }

// End returns err.
func (Plain) End(err error) error { return err }

// Reading returns false.
func (Plain) Reading() bool { return false }

// Paged returns stdout, through the pager of DATASYNC_PAGER or PAGER where stdout is a
// terminal. The pager "cat" means none.
func (t IO) Paged() Output {
	command := t.pagerCommand()
	_, height := t.Size()
	if height == 0 || command == "cat" {
		return Plain{t.Stdout}
	}
	return &pager{command: command, lines: height - 1, screen: t.Stdout, stderr: t.Stderr, env: t.pagerEnvironment()}
}

// pagerEnvironment sets LESS, unless the user has: less then quits if the text fits the
// screen, shows colours, cuts long lines and leaves the text on the screen.
func (t IO) pagerEnvironment() []string {
	env := os.Environ()
	if t.Getenv("LESS") == "" {
		env = append(env, "LESS=FRSX")
	}
	return env
}

// PagerShowsColors reports whether the pager is known to show colours, and not their escape sequences.
func (t IO) PagerShowsColors() bool {
	words := strings.Fields(t.pagerCommand())
	if _, height := t.Size(); height == 0 || len(words) == 0 || words[0] == "cat" {
		return true // there is no pager
	}
	options := t.Env("LESS", "R") + strings.Join(words[1:], " ")
	return filepath.Base(words[0]) == "less" && strings.ContainsAny(options, "Rr")
}

// pagerCommand returns the user's pager.
func (t IO) pagerCommand() string { return t.Env("DATASYNC_PAGER", t.Env("PAGER", "less")) }

// maxBuffered is the number of bytes from which the pager starts, however few lines they are.
const maxBuffered = 1 << 20

// pager buffers a screenful and starts the pager only when more arrives.
type pager struct {
	command string
	lines   int
	screen  io.Writer
	stderr  io.Writer
	env     []string

	buffer  bytes.Buffer
	running atomic.Bool // process is set
	process *exec.Cmd
	pipe    io.WriteCloser
	direct  bool // the pager could not start: write to the screen
}

func (g *pager) Write(b []byte) (int, error) {
	switch {
	case g.direct:
		return g.screen.Write(b)
	case g.pipe != nil:
		return g.pipe.Write(b)
	}
	g.buffer.Write(b)
	if g.buffer.Len() < maxBuffered && bytes.Count(g.buffer.Bytes(), []byte("\n")) <= g.lines {
		return len(b), nil
	}
	return len(b), g.start()
}

// start starts the pager and sends it the buffer.
func (g *pager) start() error {
	cmd := exec.Command("sh", "-c", g.command)
	cmd.Stdout, cmd.Stderr, cmd.Env = g.screen, g.stderr, g.env
	pipe, err := cmd.StdinPipe()
	if err == nil {
		err = startable(g.command)
	}
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		g.direct = true
		return g.flush()
	}
	g.process, g.pipe = cmd, pipe
	g.running.Store(true)
	_, err = g.buffer.WriteTo(g.pipe)
	return err
}

// startable fails where no program has the command's name. The shell would start anyway, and
// the text sent to it would be lost.
func startable(command string) error {
	words := strings.Fields(command)
	if len(words) == 0 || strings.ContainsAny(words[0], `=$"'(;&|`) {
		return nil // only the shell can tell
	}
	_, err := exec.LookPath(words[0])
	return err
}

func (g *pager) flush() error {
	_, err := g.buffer.WriteTo(g.screen)
	return err
}

// End waits until the person leaves the pager. Leaving before the end of the text is not an error.
func (g *pager) End(err error) error {
	if g.process == nil {
		return errors.Join(err, g.flush())
	}
	if errors.Is(err, syscall.EPIPE) {
		err = nil
	}
	_ = g.pipe.Close()
	var exit *exec.ExitError
	if errWait := g.process.Wait(); errWait != nil && !errors.As(errWait, &exit) {
		err = errors.Join(err, errWait)
	}
	return err
}

// Reading reports whether the pager was started.
func (g *pager) Reading() bool { return g.running.Load() }
