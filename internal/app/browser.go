package app

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"datasync/internal/term"
)

// terminalBrowsers draw in the terminal, which is ours.
var terminalBrowsers = []string{"www-browser", "w3m", "lynx", "links", "links2", "elinks", "browsh", "carbonyl"}

// browserTime is how long a browser may take until it is taken to be open. A program that hands the page to a
// running browser ends sooner, and says by its exit code whether that worked.
const browserTime = 3 * time.Second

// openInBrowser opens a file in the browser: one of $BROWSER, or the desktop's. That it cannot be opened is a
// message, not an error: the file is there. It returns whether a browser has the file.
func openInBrowser(t term.IO, file string) (opened bool) {
	path := file
	if whole, err := filepath.Abs(file); err == nil {
		path = whole
	}
	commands, reason := browsers(t, path)
	for _, command := range commands {
		if slices.Contains(terminalBrowsers, filepath.Base(command[0])) {
			reason = command[0] + " is a browser for terminals"
			continue
		}
		if reason = startBrowser(command); reason == "" {
			return true
		}
	}
	t.Say(fmt.Sprintf("cannot open a browser: %s; open %s yourself, or name one in BROWSER", term.Visible(reason), term.Visible(path)))
	return false
}

// browsers are the command lines that may open a file, the best first, and why there is none.
func browsers(t term.IO, path string) (commands [][]string, reason string) {
	if list := t.Getenv("BROWSER"); list != "" {
		// As other programs read it: commands between colons, with %s for the page or with the page at their end.
		for command := range strings.SplitSeq(list, ":") {
			words := strings.Fields(command)
			if len(words) == 0 {
				continue
			}
			if !slices.ContainsFunc(words, func(w string) bool { return strings.Contains(w, "%s") }) {
				words = append(words, "%s")
			}
			for i := range words {
				words[i] = strings.ReplaceAll(words[i], "%s", path)
			}
			commands = append(commands, words)
		}
		return commands, "BROWSER names none"
	}
	switch {
	case runtime.GOOS == "darwin":
		return [][]string{{"open", path}}, ""
	case t.Getenv("DISPLAY") == "" && t.Getenv("WAYLAND_DISPLAY") == "":
		return nil, "there is no display"
	}
	return [][]string{{"xdg-open", path}}, ""
}

// startBrowser starts a command without the terminal, so that it can write nothing there. It returns why that
// did not work, and "" if it did.
func startBrowser(command []string) (reason string) {
	c := exec.Command(command[0], command[1:]...) //nolint:gosec // the user names the browser
	c.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return err.Error()
	}
	defer func() { _ = null.Close() }()
	c.Stdin, c.Stdout, c.Stderr = null, null, null
	if err := c.Start(); err != nil {
		return err.Error()
	}
	ended := make(chan error, 1) // so that the goroutine ends
	go func() { ended <- c.Wait() }()
	select {
	case err := <-ended:
		if err != nil {
			return fmt.Sprintf("%s: %v", command[0], err)
		}
	case <-time.After(browserTime):
	}
	return ""
}
