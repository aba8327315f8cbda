// Package streams keeps stdout and stderr for the program's own output.
//
// A library in C may write to descriptors 1 and 2, and DuckDB does: logs, profiles and progress,
// which contain values of events. Take moves the streams of the process to other descriptors and
// puts /dev/null on these two. The program writes to the files that Take returns, and passes them
// to processes that must write there too.
//
// It does not know what the program writes.
package streams
