// Package contest lets programs do the same job in turns, so that what disturbs the machine
// disturbs all of them, and compares them turn by turn.
package contest
