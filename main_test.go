package main

import (
	"os"
	"testing"

	"datasync/internal/app"

	"github.com/rogpeppe/go-internal/testscript"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"datasync": func() { os.Exit(app.Main(os.Args, os.Getenv, os.Stdin, os.Stdout, os.Stderr)) },
	})
}

// TestScripts runs what the README promises, with the program as a process of its own.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata/script"})
}
