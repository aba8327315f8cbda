//go:build race

package streams

// replaced are the descriptors whose writes are discarded after Take. The race detector reports
// on descriptor 2.
var replaced = []int{1}
