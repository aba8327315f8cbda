package decode

import (
	"encoding/binary"

	"github.com/google/uuid"
)

// uuidLen is the length of the only accepted form of a UUID: 8-4-4-4-12 hexadecimal digits (RFC 9562,
// section 4), in any case, without braces or prefix.
const uuidLen = 36

// parseUUID parses a UUID into id, and leaves id as it was if text is not one. Each event has three of them,
// so it decodes eight digits at a time.
func parseUUID(text string, id *uuid.UUID) bool {
	if len(text) != uuidLen || text[8] != '-' || text[13] != '-' || text[18] != '-' || text[23] != '-' {
		return false
	}
	a, d := word(text, 0), word(text, 28)
	b := uint64(word32(text, 9)) | uint64(word32(text, 14))<<32
	c := uint64(word32(text, 19)) | uint64(word32(text, 24))<<32
	if notHex(a)|notHex(b)|notHex(c)|notHex(d)|(a|b|c|d)&highBits != 0 {
		return false
	}
	binary.LittleEndian.PutUint64(id[:8], hexBytes(a)|hexBytes(b)<<32)
	binary.LittleEndian.PutUint64(id[8:], hexBytes(c)|hexBytes(d)<<32)
	return true
}

// word32 returns the four bytes at i, the first one lowest.
func word32(text string, i int) uint32 {
	s := text[i : i+4]
	return uint32(s[0]) | uint32(s[1])<<8 | uint32(s[2])<<16 | uint32(s[3])<<24
}

// notHex sets the high bits of the bytes that are not hexadecimal digits. All bytes must be below 0x80, so
// that no sum carries into the next one.
func notHex(x uint64) uint64 {
	// The high bit of a byte of x+(0x80-c) says that the byte is at least c.
	lower := x | 0x20*eachByte
	digit := (x + (0x80-'0')*eachByte) &^ (x + (0x80-'9'-1)*eachByte)
	letter := (lower + (0x80-'a')*eachByte) &^ (lower + (0x80-'f'-1)*eachByte)
	return ^(digit | letter) & highBits
}

// hexBytes decodes eight hexadecimal digits, one in each byte of x, to four bytes.
func hexBytes(x uint64) uint64 {
	x = x&(0x0f*eachByte) + 9*(x>>6&eachByte) // letters have bit 6
	// Join neighbours: first two digits to a byte, then the bytes to one number.
	x = (x<<4 | x>>8) & 0x00ff00ff00ff00ff
	x = (x | x>>8) & 0x0000ffff0000ffff
	return (x | x>>16) & 0xffffffff
}
