// Package storetest holds the contract of a pull's store as a test suite. It also has a store in memory
// that passes it, for tests of the pull. It does not link DuckDB.
package storetest
