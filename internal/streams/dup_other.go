//go:build !linux

package streams


// dup2 puts the file of one descriptor on another.
func dup2(from, to int) error { return unix.Dup2(from, to) }
