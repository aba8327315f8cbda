// Package live lets others ask a running pull, which keeps them out of its database,
// over a Unix socket: how it stands, and for a copy of the database.
//
// It promises that no client can hold up or end the pull, whatever it sends, leaves out
// or leaves behind; that only the same user can ask; that copies are shared, and gone
// when nobody reads them any more.
//
// A client sends one line, "status" or "snapshot", and gets one line of JSON:
// {"error": ...}, or what it asked for. As long as that is being made, a space comes every
// second in front of it: a pull that is silent for ten seconds was stopped, or hangs. The
// connection of "snapshot" stays open as long as the client reads the copy.
//
// It knows nothing of DuckDB, of the pull, or of the command line.
package live
