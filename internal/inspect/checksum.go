package inspect

import (
	"math"

	"datasync/internal/model"
)

// Checksum is the checksum of the events that a page stored: it shows later that no instant has
// changed. It is the sum of the instants in microseconds, each times one more than the last two
// bytes of the id, modulo 2^63. DuckDB's own hash may differ between its versions.
type Checksum int64

// Add adds an event.
func (c *Checksum) Add(e *model.Event) {
	weight := int64(e.ID[14])<<8 + int64(e.ID[15]) + 1
	*c = (*c + Checksum(int64(e.Timestamp)*weight)) & math.MaxInt64
}

// ChecksumTerm is a row's term of the checksum in SQL, a HUGEINT. substr takes half the time of right.
const ChecksumTerm = `(epoch_us("timestamp")::HUGEINT * (('0x' || substr(id::VARCHAR, 33))::INTEGER + 1))`

// ChecksumOf returns the SQL that turns a sum of terms, or of checksums, into a checksum, a BIGINT.
func ChecksumOf(sum string) string {
	const modulus = "9223372036854775808::HUGEINT"
	return "((" + sum + " % " + modulus + " + " + modulus + ") % " + modulus + ")::BIGINT"
}
