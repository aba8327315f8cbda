// Package shell is the interactive shell of datasync query: it reads statements and commands
// from a terminal, completes them and keeps a history.
//
// It promises that Ctrl-C ends a statement and never the shell, and that the history goes into
// a file that only this user can write. It keeps no lock on the database between statements,
// unless its session has something to lose; then it says so, and closes the file when a pull
// asks. It does not know how a result is written.
package shell
