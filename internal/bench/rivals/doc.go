// Package rivals holds the programs that datasync is measured against. Those in Go run in
// processes of their own all the same; main starts itself again for them.
package rivals
