// Package query runs SQL on a datasync file and writes the results in nine formats, from a table
// to CSV and JSON.
//
// It promises to change nothing: the database is opened read-only, cannot reach another file, an
// extension or the network, writes nothing to the disk, and refuses settings. Results are written
// row by row in constant memory, but for Table and Box.
//
// Run splits the SQL into statements and prepares each with its parameters. It copies the rows of
// the result, as text, to the sink of the format.
//
// It knows nothing of the pull or of the command line.
package query
