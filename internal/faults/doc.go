// Package faults holds the built program against what goes wrong outside of it: networks
// that break, APIs that lie, disks that are full, limits, signals, clocks and damaged files.
// It is a module of its own, so that what it needs stays out of the program's.
//
// A test makes a [world]: an API, a folder for all that the program writes, and a key to
// look for. It lets something go wrong and asks the oracle (oracle_test.go) what is left:
//
//	O1  the exit code is the documented one, the error one line with what to do
//	O2  the file opens in a new process, and verify finds nothing
//	O3  each id stands once, and as often as the page log says
//	O4  a pull without the fault goes on and ends with just the API's events
//	O5  neither the key nor a token stands in anything that was written
//	O6  nothing is left over beside the database
//	O7  the program ended in time
//	O8  no request came sooner than the API had asked for
//
// docs/faults.md says which test holds which fault; the package report runs them all from
// there (make faults). Without the flag -all, a test takes a few of its cases.
package faults
