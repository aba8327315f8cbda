// Package app is the command line: one command a file, exit codes and signals. It is the only
// package that knows urfave/cli, and the only one that prints.
//
// It promises that data go to stdout and messages to stderr. An error is one line that says what to
// do, and each kind of error has its exit code. It does not know HTTP or the tables of the file.
package app
