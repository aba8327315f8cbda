package duck

import (
	"encoding/binary"
	"unsafe"

	"github.com/duckdb/duckdb-go/v2/mapping"
	"github.com/google/uuid"
)

// VectorSize is how many rows a data chunk holds.
var VectorSize = int(mapping.VectorSize())

// inlineLength is the length in bytes up to which a DuckDB string lies in its
// 16-byte slot itself.
const inlineLength = 12

// Column is one vector of a DuckDB data chunk, to be written into. This file is the one
// place of the project that writes through unsafe pointers: to the memory of DuckDB's own
// vectors, as the driver does itself.
type Column struct {
	texts    *chunkTexts
	data     unsafe.Pointer
	validity unsafe.Pointer
}

// slot is a DuckDB string_t of a text that lies in it: the length, then the text.
type slot struct {
	length uint32
	inline [inlineLength]byte
}

// longSlot is the string_t of a text that does not lie in it: its beginning, and where
// it stands.
type longSlot struct {
	length uint32
	prefix [4]byte
	text   uintptr
}

// columnsOf finds the vectors of a chunk that is empty.
func columnsOf(raw mapping.DataChunk, columns []Column, texts *chunkTexts) {
	for i := range columns {
		v := mapping.DataChunkGetVector(raw, mapping.IdxT(i))
		mapping.VectorEnsureValidityWritable(v)
		columns[i] = Column{texts, mapping.VectorGetData(v), mapping.VectorGetValidity(v)}
	}
}

func (c *Column) Null(row int) {
	words := unsafe.Slice((*uint64)(c.validity), VectorSize/64)
	words[row/64] &^= 1 << (row % 64)
}

func (c *Column) Int64(row int, v int64) {
	unsafe.Slice((*int64)(c.data), VectorSize)[row] = v
}

func (c *Column) Bool(row int, v bool) {
	unsafe.Slice((*bool)(c.data), VectorSize)[row] = v
}

// UUID writes an id as DuckDB keeps it: a 128-bit integer, low half first, with
// the highest bit flipped so that signed order is the order of the bytes.
func (c *Column) UUID(row int, id uuid.UUID) {
	halves := unsafe.Slice((*[2]uint64)(c.data), VectorSize)
	halves[row] = [2]uint64{
		binary.BigEndian.Uint64(id[8:]),
		binary.BigEndian.Uint64(id[:8]) ^ 1<<63,
	}
}

// Text writes a string, which must be valid UTF-8. A long one must be no stack's.
func (c *Column) Text(row int, s string) {
	if len(s) <= inlineLength {
		v := slot{length: uint32(len(s))}
		copy(v.inline[:], s)
		unsafe.Slice((*slot)(c.data), VectorSize)[row] = v
		return
	}
	v := longSlot{length: uint32(len(s)), text: c.texts.keep(s)}
	copy(v.prefix[:], s)
	unsafe.Slice((*longSlot)(c.data), VectorSize)[row] = v
}

// TextOrNull writes s, or NULL where ok is false.
func (c *Column) TextOrNull(row int, s string, ok bool) {
	if !ok {
		c.Null(row)
		return
	}
	c.Text(row, s)
}

// UUIDOrNull writes id, or NULL where it is none.
func (c *Column) UUIDOrNull(row int, id uuid.NullUUID) {
	if !id.Valid {
		c.Null(row)
		return
	}
	c.UUID(row, id.UUID)
}

// readPairs gives the BIGINT and BOOLEAN columns of a chunk that was read. The
// slices live as long as the chunk.
func readPairs(raw mapping.DataChunk, rows int) ([]int64, []bool) {
	first := mapping.VectorGetData(mapping.DataChunkGetVector(raw, 0))
	second := mapping.VectorGetData(mapping.DataChunkGetVector(raw, 1))
	return unsafe.Slice((*int64)(first), rows), unsafe.Slice((*bool)(second), rows)
}
