// Package live answers other processes while a pull has the database locked: over a Unix
// socket they get the pull's status, or a copy of the database.
//
// It promises that no client can delay or end the pull, whatever it sends, omits or leaves
// behind; that only the same user can ask; and that readers share copies, which are removed
// with their last reader.
//
// The protocol: a client sends one line, "status" or "snapshot". The server sends one line of JSON:
// the value, or {"error": TEXT, "exit": CODE, "topic": TOPIC}. An older pull omits "exit" and
// "topic", and an older client ignores them. While the server prepares the answer, it sends a space
// every second: a pull that is silent for ten seconds is suspended or hangs. The client of
// "snapshot" keeps its connection open for as long as it reads the copy.
//
// It does not know DuckDB, the pull or the command line.
package live
