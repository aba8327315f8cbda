package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"datasync/internal/bench/measure"
	"datasync/internal/bench/pages"
	"datasync/internal/bench/rivals"
)

// place is where a command finds the project and puts its files.
type place struct {
	root, work string
	write      bool
	scratch    string // goes away at the end
}

// placeFlags adds the options that all commands have.
func placeFlags(flags *flag.FlagSet) *place {
	p := &place{}
	flags.StringVar(&p.root, "root", "../..", "the project's `folder`")
	flags.StringVar(&p.work, "work", "", "`folder` for pages and databases; 3 GB, more for the large runs (default: datasync-bench in the user's cache)")
	flags.BoolVar(&p.write, "write", false, "put the results into docs/performance.md")
	return p
}

// open makes the folders. The function that it returns removes temporary ones.
func (p *place) open() (done func() error, err error) {
	if p.work == "" {
		cache, err := os.UserCacheDir()
		if err != nil {
			return nil, fmt.Errorf("%w: give a folder with --work", err)
		}
		p.work = filepath.Join(cache, "datasync-bench")
	}
	if p.work, err = filepath.Abs(p.work); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(p.work, 0o755); err != nil {
		return nil, err
	}
	p.scratch, err = os.MkdirTemp(p.work, "scratch-")
	return func() error { return os.RemoveAll(p.scratch) }, err
}

// build builds datasync and returns the program's path.
func (p *place) build(ctx context.Context) (string, error) {
	say("building datasync")
	binary := filepath.Join(p.scratch, "datasync")
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", binary, ".")
	cmd.Dir = p.root
	cmd.Stderr = os.Stderr
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("build datasync: %w", err)
	}
	return binary, nil
}

// pages returns the Set of so many events, rendered now if need be.
func (p *place) pages(ctx context.Context, events int) (*pages.Set, error) {
	folder, there, err := pages.Cache{Folder: p.work, Root: p.root}.Find(events)
	if err != nil {
		return nil, err
	}
	if !there {
		say("rendering %s events into %s", thousands(events), folder)
		cmd := rivals.Self(ctx, "render", "--folder", folder, "--events", fmt.Sprint(events))
		if _, _, err := measure.Command(cmd); err != nil {
			return nil, err
		}
	}
	return pages.Open(folder)
}

// lines sees to the JSON lines of a Set.
func (p *place) lines(ctx context.Context, set *pages.Set) error {
	if set.HasLines() {
		return nil
	}
	if err := (pages.Cache{Folder: p.work, Root: p.root}).Room(set.Events); err != nil {
		return err
	}
	say("rendering %s events as JSON lines", thousands(set.Events))
	_, _, err := measure.Command(rivals.Self(ctx, "render-lines", "--folder", set.Folder()))
	return err
}

// startServer serves a Set from a process of its own until stop is called.
func startServer(ctx context.Context, set *pages.Set) (url string, stop func(), err error) {
	cmd := rivals.Self(ctx, "serve", "--folder", set.Folder())
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return "", nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return "", nil, err
	}
	if err := cmd.Start(); err != nil {
		return "", nil, err
	}
	stop = func() {
		_ = stdin.Close()
		_ = cmd.Wait()
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		stop()
		return "", nil, errors.New("the page server did not start")
	}
	return strings.TrimSpace(line), stop, nil
}

// say tells a person how far it is.
func say(format string, args ...any) { fmt.Fprintf(os.Stderr, "bench: "+format+"\n", args...) }

// thousands writes 3000000 as 3,000,000.
func thousands[T int | int64](n T) string {
	text := fmt.Sprint(n)
	for i := len(text) - 3; i > 0; i -= 3 {
		text = text[:i] + "," + text[i:]
	}
	return text
}
