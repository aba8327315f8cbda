// Package outfile makes files and folders that are there whole or not at all.
//
// What is written stands under no name or under a hidden one until it has reached the
// disk. Then it takes the target's name in one step, so that whoever looks sees what
// was there before or all that is new. An existing target is replaced only if that is
// asked for. Whatever a process that was killed has left, the next one that writes to
// the same folder removes: hidden names are locked for as long as they are in use.
//
// It knows nothing of what is written.
package outfile
