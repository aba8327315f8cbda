package ingest

import (
	"encoding/binary"

	"github.com/google/uuid"
)

// uuidLen is the length of the one form of a UUID that is accepted: 8-4-4-4-12
// hexadecimal digits (RFC 9562 section 4), of any case, without braces or prefix.
const uuidLen = 36

// parseUUID reads a UUID into id, which it leaves as it was where text is none.
// It is what three members of each event go through, and decodes eight digits at
// a time.
func parseUUID(text string, id *uuid.UUID) bool {
	if len(text) != uuidLen || text[8] != '-' || text[13] != '-' || text[18] != '-' || text[23] != '-' {
		return false
	}
	a, okA := hexBytes(eight(text, 0, 4))
	b, okB := hexBytes(eight(text, 9, 14))
	c, okC := hexBytes(eight(text, 19, 24))
	d, okD := hexBytes(eight(text, 28, 32))
	if !okA || !okB || !okC || !okD {
		return false
	}
	binary.LittleEndian.PutUint64(id[:8], uint64(a)|uint64(b)<<32)
	binary.LittleEndian.PutUint64(id[8:], uint64(c)|uint64(d)<<32)
	return true
}

// eight returns the four bytes at i and the four at j, the first one lowest.
func eight(text string, i, j int) uint64 {
	return uint64(four(text, i)) | uint64(four(text, j))<<32
}

func four(text string, i int) uint32 {
	s := text[i : i+4]
	return uint32(s[0]) | uint32(s[1])<<8 | uint32(s[2])<<16 | uint32(s[3])<<24
}

// hexBytes decodes eight hexadecimal digits, one to a byte of x, to four bytes.
func hexBytes(x uint64) (uint32, bool) {
	const (
		each = 0x0101010101010101
		high = 0x80 * each
	)
	// Bytes are below 0x80 from here on, so that no sum carries into the next one.
	if x&high != 0 {
		return 0, false
	}
	// The high bit of a byte of atLeast(x, c) says that it is c or more.
	lower := x | 0x20*each
	digit := (x + (0x80-'0')*each) &^ (x + (0x80-'9'-1)*each) & high
	letter := (lower + (0x80-'a')*each) &^ (lower + (0x80-'f'-1)*each) & high
	if digit|letter != high {
		return 0, false
	}
	v := x&(0x0f*each) + 9*(letter>>7)
	// Join neighbours: two digits to a byte, then the bytes to one number.
	v = (v<<4 | v>>8) & 0x00ff00ff00ff00ff
	v = (v | v>>8) & 0x0000ffff0000ffff
	return uint32(v | v>>16), true
}
