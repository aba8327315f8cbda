package app

import "syscall"

// privateFiles makes files and folders that are created from now on accessible to this user
// alone, until restore is called. DuckDB creates files beside the database and beside an export.
func privateFiles() (restore func()) {
	before := syscall.Umask(0o077)
	return func() { syscall.Umask(before) }
}
