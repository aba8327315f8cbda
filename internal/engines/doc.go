// Package engines reads an exported Iceberg table with the engines that people use for one: Spark, Trino,
// DuckDB, PyIceberg and ClickHouse (chdb). It sees the program from outside: its file, its export and what
// its queries print.
//
// All is in Python, as the engines are; make engines installs and runs them. The package is a module of
// its own beside the other readers, and has no code in Go.
package engines
