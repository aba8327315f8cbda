package app

import (
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"syscall"
)

// output is where a result goes.
type output interface {
	io.Writer
	// end is called once, with the error that ended the writing, and returns what is to
	// be said of both.
	end(err error) error
}

// plainOutput is an output that needs no end.
type plainOutput struct{ io.Writer }

func (plainOutput) end(err error) error { return err }

// paged returns stdout, through a pager where it is a terminal and one is wanted.
func (p *program) paged(noPager bool) output {
	command := p.or("DATASYNC_PAGER", p.or("PAGER", "less"))
	_, height, ok := p.screen()
	if noPager || !ok || command == "cat" {
		return plainOutput{p.stdout}
	}
	return &pager{command: command, lines: height - 1, screen: p.stdout, stderr: p.stderr, env: p.pagerEnvironment()}
}

// pagerEnvironment makes less end where the text fits the screen, cut long lines and
// leave the text on the screen, unless LESS says otherwise.
func (p *program) pagerEnvironment() []string {
	env := os.Environ()
	if p.getenv("LESS") == "" {
		env = append(env, "LESS=FSX")
	}
	return env
}

// heldMost is from how many bytes on a pager is started, however few lines they are.
const heldMost = 1 << 20

// pager is an output that holds back a screenful and starts the pager when more comes.
type pager struct {
	command string
	lines   int
	screen  io.Writer
	stderr  io.Writer
	env     []string

	held    bytes.Buffer
	running atomic.Bool // process is there
	process *exec.Cmd
	pipe    io.WriteCloser
	direct  bool // there is no pager: write to the screen
}

func (g *pager) Write(b []byte) (int, error) {
	switch {
	case g.direct:
		return g.screen.Write(b)
	case g.pipe != nil:
		return g.pipe.Write(b)
	}
	g.held.Write(b)
	if g.held.Len() < heldMost && bytes.Count(g.held.Bytes(), []byte("\n")) <= g.lines {
		return len(b), nil
	}
	return len(b), g.start()
}

// start starts the pager and gives it what was held back.
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
	_, err = g.held.WriteTo(g.pipe)
	return err
}

// startable fails where there is no program of the command's name: the shell that is to
// run it would say so, and what is to be shown would be lost.
func startable(command string) error {
	words := strings.Fields(command)
	if len(words) == 0 || strings.ContainsAny(words[0], `=$"'(;&|`) {
		return nil // more than a name: the shell knows
	}
	_, err := exec.LookPath(words[0])
	return err
}

func (g *pager) flush() error {
	_, err := g.held.WriteTo(g.screen)
	return err
}

// end waits until the person leaves the pager; one that left early is no error.
func (g *pager) end(err error) error {
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
