// Package app is the command line: one command a file, exit codes and signals. It is the only
// package that knows urfave/cli, and the only one that prints.
//
// It promises that data go to stdout and messages to stderr, that an error is one line which
// says what to do, and that each kind of error has its exit code. It does not know HTTP or the
// tables of the file.
package app
