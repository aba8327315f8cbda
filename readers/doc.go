// Package readers is tests alone: what datasync exports is read back by implementations
// that share no code with the one that wrote it. They see the program from outside, from
// the API that it pulls from to the files that it leaves.
//
// The package is a module of its own, so that the readers are no dependencies of the
// program. readers/other has those that are not written in Go; make readers runs all.
package readers
