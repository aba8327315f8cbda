// Package readers reads the program's exports back with implementations that share no code with
// the one that wrote them. It has tests only, which see the program from outside: the API that it
// pulls from and the files that it leaves.
//
// The package is a module of its own, so that the readers are no dependencies of the program. The
// folder other has the readers that are not written in Go; make readers runs all of them.
package readers
