// Package app is the command line: the only room that knows urfave/cli, prints,
// and turns errors into exit codes.
//
// It promises that data go to stdout and talk to stderr, that an error is one line
// which says what to do, and that each kind of error has its exit code.
package app
