package table

import (
	"crypto/md5"
	"encoding/binary"
	"fmt"
	"math/big"
	"strconv"

	"github.com/google/uuid"
)

// Fingerprint tells two tables of events apart, whatever the order of their rows.
type Fingerprint struct {
	Rows     int64 `json:"rows"`
	Distinct int64 `json:"distinct"` // ids
	// Sum is, in decimal, the sum over the rows of the first eight bytes of
	// md5("id microseconds type").
	Sum string `json:"sum"`
}

// Compare returns an error that says where f is not want.
func (f Fingerprint) Compare(want Fingerprint) error {
	if f != want {
		return fmt.Errorf("the table is wrong: %d rows, %d ids, sum %s; want %d, %d, %s",
			f.Rows, f.Distinct, f.Sum, want.Rows, want.Distinct, want.Sum)
	}
	return nil
}

// Sum computes the Fingerprint of events whose ids are distinct.
type Sum struct {
	rows int64
	sum  big.Int
}

// Add adds an event; its instant is in microseconds since 1970.
func (s *Sum) Add(id uuid.UUID, micros int64, kind string) {
	line := append([]byte(id.String()), ' ')
	line = append(strconv.AppendInt(line, micros, 10), ' ')
	digest := md5.Sum(append(line, kind...))
	var term big.Int
	s.sum.Add(&s.sum, term.SetUint64(binary.BigEndian.Uint64(digest[:8])))
	s.rows++
}

// Fingerprint returns the fingerprint of the added rows.
func (s *Sum) Fingerprint() Fingerprint {
	return Fingerprint{Rows: s.rows, Distinct: s.rows, Sum: s.sum.String()}
}
