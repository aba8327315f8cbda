// Package position says how far an Iceberg table has the events of a file, and whether the two agree. It
// is pure: it reads no table and no file.
package position
