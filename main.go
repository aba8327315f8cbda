// Command datasync pulls the events of the DataSync API into a DuckDB file.
package main

import (
	"fmt"
	"os"

	"datasync/internal/app"
	"datasync/internal/streams"
)

func main() { os.Exit(run()) }

// run runs the program and returns the exit code.
func run() int {
	s, err := streams.Take()
	if err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "datasync:", err)
		return 1
	}
	return app.Main(os.Args, os.Getenv, s.Stdin, s.Stdout, s.Stderr)
}
