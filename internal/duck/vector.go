package duck

import (
	"encoding/binary"
	"unsafe"

	"github.com/duckdb/duckdb-go/v2/mapping"
	"github.com/google/uuid"
)

// vectorSize is a variable only because DuckDB's library says it.
var vectorSize = int(mapping.VectorSize())

// VectorSize returns how many rows a data chunk holds at most.
func VectorSize() int { return vectorSize }

// inlineLength is the length in bytes up to which a DuckDB string_t holds the text itself.
const inlineLength = 12

// Column is a vector of a data chunk to write into. Only this file and chunktext.go write
// through unsafe pointers, to DuckDB's vectors and to memory of C, as the driver does.
type Column struct {
	texts    *chunkTexts
	data     unsafe.Pointer
	validity unsafe.Pointer
}

// inlineString is a DuckDB string_t that holds its text.
type inlineString struct {
	length uint32
	inline [inlineLength]byte
}

// pointerString is a DuckDB string_t with the address of its text.
type pointerString struct {
	length uint32
	prefix [4]byte
	text   uintptr
}

// columnsOf sets columns to the vectors of an empty chunk.
func columnsOf(raw mapping.DataChunk, columns []Column, texts *chunkTexts) {
	for i := range columns {
		v := mapping.DataChunkGetVector(raw, mapping.IdxT(i))
		mapping.VectorEnsureValidityWritable(v)
		columns[i] = Column{texts, mapping.VectorGetData(v), mapping.VectorGetValidity(v)}
	}
}

// Null writes NULL.
func (c *Column) Null(row int) {
	words := unsafe.Slice((*uint64)(c.validity), vectorSize/64)
	words[row/64] &^= 1 << (row % 64)
}

// Int64 writes a BIGINT, or a TIMESTAMP in microseconds since 1970.
func (c *Column) Int64(row int, v int64) {
	unsafe.Slice((*int64)(c.data), vectorSize)[row] = v
}

// Float64 writes a DOUBLE.
func (c *Column) Float64(row int, v float64) {
	unsafe.Slice((*float64)(c.data), vectorSize)[row] = v
}

// Bool writes a BOOLEAN.
func (c *Column) Bool(row int, v bool) {
	unsafe.Slice((*bool)(c.data), vectorSize)[row] = v
}

// UUID writes a UUID. DuckDB stores it as a 128-bit integer, low half first. The highest bit is
// flipped, so that the order of signed integers is the order of the bytes.
func (c *Column) UUID(row int, id uuid.UUID) {
	halves := unsafe.Slice((*[2]uint64)(c.data), vectorSize)
	halves[row] = [2]uint64{
		binary.BigEndian.Uint64(id[8:]),
		binary.BigEndian.Uint64(id[:8]) ^ 1<<63,
	}
}

// Text writes a VARCHAR. DuckDB does not check that s is valid UTF-8: the caller must.
func (c *Column) Text(row int, s string) {
	if len(s) <= inlineLength {
		v := inlineString{length: uint32(len(s))}
		copy(v.inline[:], s)
		unsafe.Slice((*inlineString)(c.data), vectorSize)[row] = v
		return
	}
	v := pointerString{length: uint32(len(s)), text: c.texts.keep(s)}
	copy(v.prefix[:], s)
	unsafe.Slice((*pointerString)(c.data), vectorSize)[row] = v
}

// TextOrNull writes s, or NULL if ok is false.
func (c *Column) TextOrNull(row int, s string, ok bool) {
	if !ok {
		c.Null(row)
		return
	}
	c.Text(row, s)
}

// UUIDOrNull writes id, or NULL if it is not valid.
func (c *Column) UUIDOrNull(row int, id uuid.NullUUID) {
	if !id.Valid {
		c.Null(row)
		return
	}
	c.UUID(row, id.UUID)
}

// readPairs returns the BIGINT and the BOOLEAN column of a chunk that was read. The slices are
// valid as long as the chunk.
func readPairs(raw mapping.DataChunk, rows int) ([]int64, []bool) {
	first := mapping.VectorGetData(mapping.DataChunkGetVector(raw, 0))
	second := mapping.VectorGetData(mapping.DataChunkGetVector(raw, 1))
	return unsafe.Slice((*int64)(first), rows), unsafe.Slice((*bool)(second), rows)
}
