// Package outfile makes files and folders that are there whole or not at all.
//
// What is written stands under no name or under a hidden one until it has reached the
// disk. Then it takes the target's name in one step, so that whoever looks sees what
// was there before or all that is new. An existing target is replaced only if that is
// asked for. A file has no name until then where the system allows that, and a folder has
// a janitor, so that nothing is left of them when the process is killed; what is left all
// the same, the next one that writes to the same folder removes: hidden names are locked
// for as long as they are in use.
//
// It knows nothing of what is written.
package outfile
