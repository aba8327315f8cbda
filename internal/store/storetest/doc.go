// Package storetest holds the contract of a pull's store as a test suite, and a store in memory
// that passes it, for tests of the pull. It does not link DuckDB.
package storetest
