// Command datasync pulls the events of the DataSync API into a DuckDB file.
package main

import (
	"os"

	"datasync/internal/app"
)

func main() {
	os.Exit(app.Main(os.Args, os.Getenv, os.Stdin, os.Stdout, os.Stderr))
}
