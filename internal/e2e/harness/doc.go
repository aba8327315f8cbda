// Package harness runs the built program for the tests of internal/e2e and internal/faults: it
// builds the program once, serves it an API, gives it a terminal, kills it, and compares the
// file that is left with the API.
//
// It knows no command's output and no fault: what a run must print, and what must go wrong
// before it, is in the tests.
//
//	main.go      [Main], and where the project's root is
//	build.go     [Program] and [FailpointProgram]
//	cases.go     which cases a test tries: a few, or all with -all
//	running.go   [Running]: a run of a program, and its [Result]
//	api.go       the mock server on a port of this process, or as a process of its own
//	terminal.go  [Terminal]: a program on a pseudo-terminal
//	file.go      the database file: compared, verified, changed, held by another process
//	secret.go    looks for keys and tokens in outputs and files
package harness
