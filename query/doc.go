// Package query runs SQL on a datasync file and writes the result as a table, as
// CSV or as JSON.
//
// It promises to change nothing: the database is opened read-only, cannot reach
// another file, an extension or the network, keeps nothing on disk, and takes no
// settings. CSV and JSON are written row by row in constant memory.
//
// It knows nothing of the pull or of the command line.
package query
