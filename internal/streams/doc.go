// Package streams keeps stdout and stderr for what the program itself writes.
//
// A library in C may write to descriptors 1 and 2 whenever it likes, and DuckDB does: logs,
// profiles and progress, with the values of events in them. Take moves what the process was
// started with to other descriptors and leaves /dev/null on these two. The program writes to
// the files that Take returns, and hands them to a process that is to write there too.
//
// It knows nothing of what is written.
package streams
