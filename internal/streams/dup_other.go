//go:build !linux

package streams

// dup2 duplicates a descriptor onto another.
func dup2(from, to int) error { return unix.Dup2(from, to) }
