// Package shell is the interactive shell of datasync query: it reads statements and commands
// from a terminal, completes them and keeps a history.
//
// It promises that Ctrl-C ends a statement and never the shell, and that the history goes into
// a file that only this user can write. It keeps no lock on the database between statements. If its
// session has state to lose, it says so, and keeps the file open until .close, or until a pull asks
// for it. It does not know how a result is written.
package shell
