// Package store owns the DuckDB file: it opens and locks it, brings its schema
// up to date and commits batches to it.
//
// It promises that a batch's events, rejects, page log and checkpoint become
// visible in one transaction or not at all, that one process writes at a time,
// and that a file that is not a datasync database, is of another API origin or
// of a newer schema is refused and left as it was.
//
// It knows nothing of HTTP, of pages as the API writes them, or of the command
// line.
package store
