// Package store turns batches into rows, exactly once. It opens a file for a pull, brings its
// schema up to date and commits batches to it.
//
// It promises that a batch's events, rejects, page log and checkpoint become visible in one
// transaction or not at all. One process writes at a time. A file that is not a datasync database,
// is of another API origin or of a newer schema is refused and stays as it was.
//
// It knows nothing of HTTP, of pages as the API writes them, or of the command line.
//
// Locks are taken in this order: the file's lock (internal/dbfile), Store.concurrent, Store.gate. A
// batch holds the gate shared from the moment at which StartBatch returns until it has ended.
// Snapshot, Status, Finalize, OpenWindow, Split, Merge and Close hold it alone.
package store
