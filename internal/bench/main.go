// Command bench measures datasync against other ways to get the same events into a DuckDB file. It
// also measures pulls into a growing file, and pulls against an API's limits. See
// docs/performance.md, and CONTRIBUTING.md for how to run it.
//
// Each thing that is measured runs in a process of its own. For those that are part of
// this module it starts itself again in another role.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
)

// commands are what a person calls, and roles the parts that this program starts itself
// for.
func commands() map[string]func(ctx context.Context, args []string) error {
	return map[string]func(context.Context, []string) error{
		"api":     measureAPI,
		"compare": compare,
		"growth":  measureGrowth,
	}
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:])
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) > 0 {
		if command, ok := commands()[args[0]]; ok {
			return command(ctx, args[1:])
		}
		if role, ok := roles()[args[0]]; ok {
			return role(ctx, args[1:])
		}
	}
	var names []string
	for name := range commands() {
		names = append(names, name)
	}
	slices.Sort(names)
	return fmt.Errorf("say what to do: %s", strings.Join(names, " or "))
}
