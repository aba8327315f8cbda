// Package faults tests the built program against faults outside it: broken networks, wrong
// responses, full disks, limits, signals, clocks and damaged files. It is a module of its own, so
// the program does not depend on its dependencies.
//
// A test makes a [world]: an API, a folder for all files of the program, and a key to look for.
// It causes a fault and asks the oracle (oracle_test.go) to judge the result:
//
//	O1  the exit code is the documented one, and the error is one line that says what to do
//	O2  the file opens in a new process, and verify finds nothing
//	O3  each id is stored once, and as often as the page log says
//	O4  a pull without the fault resumes and ends with exactly the API's events
//	O5  neither the key nor a token is in any output or file
//	O6  no file is left beside the database
//	O7  the program ended in time
//	O8  no request came sooner than the API had asked for
//
// docs/faults.md lists the faults with their tests, and the package report runs the tests of that
// list (make faults). Without the flag -all, a test tries a few of its cases.
package faults
