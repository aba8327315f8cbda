//go:build race

package streams

// replaced are the descriptors that lead nowhere after Take: the race detector reports on
// descriptor 2.
var replaced = []int{1}
