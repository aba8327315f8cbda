package store

import (
	"math/bits"
)

// halves is an id as DuckDB stores it: the low half, then the high half with its highest bit flipped.
type halves = [2]uint64

// fingerprints writes a number for each id to out. Ids that agree in one half have different numbers.
// Other ids nearly always do, whether they are random or consecutive.
func fingerprints(ids []halves, out []uint64) {
	for i := range ids {
		h := ids[i][1] * 0x9e3779b97f4a7c15
		h = (h ^ h>>32) + ids[i][0]
		h = (h ^ h>>32) * 0xbf58476d1ce4e5b9
		h = (h ^ h>>29) * 0x94d049bb133111eb
		out[i] = h ^ h>>32
	}
}

// filter is a set of fingerprints that may report one too many, but misses none. It is a blocked Bloom
// filter, with four bits in one word for each fingerprint, so that a lookup reads memory once. With
// 16 bits for each fingerprint it errs once in 300 lookups, with 8 bits once in 30.
type filter []uint64

func (f filter) locate(h uint64) (word *uint64, mask uint64) {
	n, _ := bits.Mul64(h, uint64(len(f)))
	return &f[n], 1<<(h&63) | 1<<(h>>6&63) | 1<<(h>>12&63) | 1<<(h>>18&63)
}

// add adds a fingerprint and reports whether it may have been in the set.
func (f filter) add(h uint64) bool {
	word, mask := f.locate(h)
	before := *word
	*word = before | mask
	return before&mask == mask
}

// has reports whether a fingerprint may be in the set.
func (f filter) has(h uint64) bool {
	word, mask := f.locate(h)
	return *word&mask == mask
}

// shareOf returns the share of a fingerprint, from bits that locate does not use in filters of up to
// 2^22 words.
func shareOf(h, shares uint64) uint64 { return (h >> 24 & 0xffff) * shares >> 16 }
