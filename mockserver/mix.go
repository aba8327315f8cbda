package mockserver

// The factors of mix and of keys. All are odd, so that a product can be undone (see unmix).
const (
	golden    = 0x9E3779B97F4A7C15
	mixFirst  = 0xBF58476D1CE4E5B9
	mixSecond = 0x94D049BB133111EB
	idStep    = 0xD1342543DE82EF95
)

// mix is the finalizer of splitmix64: a bijection with random-looking output.
func mix(x uint64) uint64 {
	x += golden
	x = (x ^ x>>30) * mixFirst
	x = (x ^ x>>27) * mixSecond
	return x ^ x>>31
}

// floorDiv divides and rounds towards minus infinity. b must be positive.
func floorDiv(a, b int64) (quotient, rest int64) {
	quotient, rest = a/b, a%b
	if rest < 0 {
		quotient--
		rest += b
	}
	return quotient, rest
}
