package mockserver

import (
	"encoding/binary"

	"github.com/google/uuid"
)

// An id contains all but a few bits of the hashes that it was made of, and mix can be undone. So an
// event or a session is found by its id without a search, in a set of any size.

// find returns the number of the event with this id, as text, if the view shows it.
func (v view) find(text string) (i int, ok bool) {
	id, ok := parseID(text)
	if !ok {
		return 0, false
	}
	low := binary.BigEndian.Uint64(id[8:])
	for lost := range uint64(4) { // the two bits that the variant of the UUID takes
		a := unmix(low&^(3<<62)|lost<<62) - golden
		key := int64((unmix(a) ^ v.d.eventSeed) * inverse(idStep))
		if key < -v.grown || key >= int64(v.d.size) || v.d.id(key, v.d.slot(key)) != id {
			continue
		}
		i := int(key + v.grown)
		return i, !v.hidden(i)
	}
	return 0, false
}

// findSession returns the number of the session with this id, as text, if there is one.
func (d *Dataset) findSession(text string) (session uint32, ok bool) {
	id, ok := parseID(text)
	if !ok {
		return 0, false
	}
	low := binary.BigEndian.Uint64(id[8:])
	for lost := range uint64(4) {
		a := unmix(low&^(3<<62)|lost<<62) ^ d.sessionSeed
		n := (unmix(a) - d.sessionSeed) * inverse(golden)
		if d.isSession(n) && d.sessionID(uint32(n)) == id {
			return uint32(n), true
		}
	}
	return 0, false
}

func parseID(text string) (id [16]byte, ok bool) {
	if len(text) != 36 {
		return id, false
	}
	parsed, err := uuid.Parse(text)
	return parsed, err == nil
}

// unmix undoes mix.
func unmix(x uint64) uint64 {
	x = unshift(x, 31) * inverse(mixSecond)
	x = unshift(x, 27) * inverse(mixFirst)
	return unshift(x, 30) - golden
}

// unshift undoes x ^ x>>n.
func unshift(x uint64, n int) uint64 {
	y := x
	for range 64 / n {
		y = x ^ y>>n
	}
	return y
}

// inverse returns the multiplicative inverse of an odd number modulo 2^64, by Newton's iteration:
// each round doubles the number of correct bits, which is three at first.
func inverse(odd uint64) uint64 {
	x := odd
	for range 5 {
		x *= 2 - odd*x
	}
	return x
}
