// Package engines reads an exported Iceberg table with Spark, Trino, DuckDB, PyIceberg and ClickHouse
// (chdb). It uses only the program's file, exports and printed queries.
//
// Its code is in Python, because the engines have Python clients. make engines installs and runs them. The
// package is a separate module without Go code.
package engines
