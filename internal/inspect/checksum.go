package inspect

import (
	"math"

	"datasync/internal/model"
)

// Checksum is what the page log keeps of the events that a page stored, to show
// later that none of their instants has changed: the sum of the instants in
// microseconds, each times one more than the last two bytes of the id, modulo 2^63.
// DuckDB's own hash would not do, as it may be another in its next version.
type Checksum int64

func (c *Checksum) Add(e *model.Event) {
	weight := int64(e.ID[14])<<8 + int64(e.ID[15]) + 1
	*c = (*c + Checksum(int64(e.Timestamp)*weight)) & math.MaxInt64
}

// ChecksumTerm is a row's share in SQL, a HUGEINT; checksumOf brings a sum of them,
// or of checksums, back to a BIGINT.
const ChecksumTerm = `(epoch_us("timestamp")::HUGEINT * (('0x' || right(id::VARCHAR, 4))::INTEGER + 1))`

func ChecksumOf(sum string) string {
	const modulus = "9223372036854775808::HUGEINT"
	return "((" + sum + " % " + modulus + " + " + modulus + ") % " + modulus + ")::BIGINT"
}
