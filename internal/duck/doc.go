// Package duck is DuckDB's C API as Go: instances in a sandbox, connections, prepared
// statements, results that are read while they are made, and vectors to write into.
//
// It knows no event, no table of ours and nothing of the pull. Errors about the file are a
// *model.FileError of internal/dbfile's kinds; all others are DuckDB's own text on one line.
package duck
