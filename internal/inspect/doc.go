// Package inspect says what a file says of itself, read-only: its schema, its status, whether
// it is sound, and the answers to any SQL.
//
// A file is opened in a sandbox in which statements change nothing, reach no other file and no
// network. A file of an older schema can be opened and queried; reports need the current schema.
// The package does not know who writes the file, and never writes to it.
package inspect
