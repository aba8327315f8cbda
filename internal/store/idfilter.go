package store

import (
	"math/bits"
)

// halves is an id as DuckDB keeps it: the low half first, with the highest bit of the
// other one flipped.
type halves = [2]uint64

// fingerprints writes a number for each id to out. Ids that are alike in one half have
// different ones, others nearly always, whether they are random or counted up.
func fingerprints(ids []halves, out []uint64) {
	for i := range ids {
		h := ids[i][1] * 0x9e3779b97f4a7c15
		h = (h ^ h>>32) + ids[i][0]
		h = (h ^ h>>32) * 0xbf58476d1ce4e5b9
		h = (h ^ h>>29) * 0x94d049bb133111eb
		out[i] = h ^ h>>32
	}
}

// filter is a set of fingerprints that may take one for another, but misses none: four
// bits in one word for each of them (a blocked Bloom filter), so that a look into it is
// one into memory. With 16 bits for each it takes one in 300 for another, with 8 one
// in 30.
type filter []uint64

func (f filter) place(h uint64) (word *uint64, mask uint64) {
	n, _ := bits.Mul64(h, uint64(len(f)))
	return &f[n], 1<<(h&63) | 1<<(h>>6&63) | 1<<(h>>12&63) | 1<<(h>>18&63)
}

// add adds a fingerprint and reports whether it may have been there.
func (f filter) add(h uint64) bool {
	word, mask := f.place(h)
	before := *word
	*word = before | mask
	return before&mask == mask
}

// has reports whether a fingerprint may be there.
func (f filter) has(h uint64) bool {
	word, mask := f.place(h)
	return *word&mask == mask
}

// shareOf says in which of the shares a fingerprint is, by bits that place does not use
// in filters of up to 2^22 words.
func shareOf(h, shares uint64) uint64 { return (h >> 24 & 0xffff) * shares >> 16 }
