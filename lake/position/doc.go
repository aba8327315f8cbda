// Package position says which batches of a file an Iceberg table has, and whether file and table agree. It
// is pure: it reads no table and no file.
package position
