package main

import (
	"context"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"datasync/internal/bench/measure"
	"datasync/internal/bench/rivals"
)

// head says on which machine, when and from which commit a result is.
type head struct {
	machine measure.Machine
	duckdb  string
	commit  string
	began   time.Time
}

func newHead(ctx context.Context, root string) head {
	h := head{machine: measure.ThisMachine(), commit: commit(ctx, root), began: time.Now().UTC()}
	// The version is asked for in a process of its own to keep this one small.
	if _, stdout, err := measure.Command(rivals.Self(ctx, "duckdb-version")); err == nil {
		h.duckdb = strings.TrimSpace(string(stdout))
	}
	return h
}

func (h head) String() string {
	return fmt.Sprintf("%s, commit %s.\n%s, DuckDB %s.", h.began.Format("2006-01-02 15:04 UTC"), h.commit, h.machine, h.duckdb)
}

// commit names the commit that the project's folder is at.
func commit(ctx context.Context, root string) string {
	git := func(args ...string) (string, error) {
		out, err := exec.CommandContext(ctx, "git", append([]string{"-C", root}, args...)...).Output()
		return strings.TrimSpace(string(out)), err
	}
	name, err := git("rev-parse", "--short", "HEAD")
	if err != nil {
		return "unknown"
	}
	if changes, err := git("status", "--porcelain"); err != nil || changes != "" {
		name += " with uncommitted changes"
	}
	return name
}
