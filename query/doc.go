// Package query runs SQL on a datasync file and writes the results as tables, CSV, JSON or other
// text.
//
// It promises to change nothing: the database is opened read-only and cannot reach another file,
// an extension, the network or a setting. CSV and JSON are written row by row in constant memory.
//
// It does not know the pull or the command line.
package query
