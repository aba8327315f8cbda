package app

import (
	"os"

	"golang.org/x/term"
)

// terminal returns stdout if it is a terminal.
func (p *program) terminal() (*os.File, bool) {
	f, ok := p.stdout.(*os.File)
	return f, ok && term.IsTerminal(int(f.Fd()))
}

// screen returns the size of the terminal that stdout is.
func (p *program) screen() (width, height int, ok bool) {
	f, ok := p.terminal()
	if !ok {
		return 0, 0, false
	}
	width, height, err := term.GetSize(int(f.Fd()))
	return width, height, err == nil && width > 0 && height > 0
}

// size is screen, with 0 for what is not known.
func (p *program) size() (width, height int) {
	width, height, _ = p.screen()
	return width, height
}

// interactive says that a person sits at both ends.
func (p *program) interactive() bool {
	in, ok := p.stdin.(*os.File)
	_, out := p.terminal()
	return ok && out && term.IsTerminal(int(in.Fd()))
}
