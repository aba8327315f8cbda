package cli_test

import (
	"strings"

	"github.com/hinshun/vt10x"
)

// screen is what a terminal of 60 lines shows after the program has written text.
type screen struct{ vt10x.Terminal }

func newScreen(columns int) screen {
	return screen{vt10x.New(vt10x.WithSize(columns, 60))}
}

// show writes more text to the screen.
func (s screen) show(text string) screen {
	_, _ = s.Write([]byte(text))
	return s
}

// lines returns the lines, without the empty ones at the end.
func (s screen) lines() []string {
	var lines []string
	for line := range strings.SplitSeq(s.String(), "\n") {
		lines = append(lines, strings.TrimRight(line, " "))
	}
	for len(lines) > 0 && lines[len(lines)-1] == "" {
		lines = lines[:len(lines)-1]
	}
	return lines
}
