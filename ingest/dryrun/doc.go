// Package dryrun finds out what a pull would meet and what it would take, in ten requests. It sends them
// with the limits, waits and proof of a pull, but one after the other and without waiting.
//
// It does not know how events are stored: it stores nothing but waits.
package dryrun
