// Package term reads from and writes to a person's terminal: its size, messages, colours, the pager
// and progress bars.
//
// It promises that data go to stdout and messages to stderr, and that no text that it shows
// can move the cursor. It imports nothing of this program and does not know what the texts say.
package term
