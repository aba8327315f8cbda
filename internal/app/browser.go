package app

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"runtime"

	"datasync/internal/term"
)

// openInBrowser opens a file in the browser. That it cannot be opened is a message, not an error: the file is there.
func openInBrowser(ctx context.Context, t term.IO, file string) error {
	path, err := filepath.Abs(file)
	if err != nil {
		return err
	}
	program := "xdg-open"
	if runtime.GOOS == "darwin" {
		program = "open"
	}
	if browser := t.Getenv("BROWSER"); browser != "" {
		program = browser
	}
	c := exec.Command(program, path) //nolint:gosec // the user names the browser
	if err := c.Start(); err != nil {
		t.Say(fmt.Sprintf("cannot open a browser (%s); open %s yourself", program, path))
		return nil
	}
	_ = ctx
	go func() { _ = c.Wait() }()
	return nil
}
