package store

import (
	"database/sql"
	"encoding/binary"
	"unsafe"

	"github.com/duckdb/duckdb-go/v2/mapping"
	"github.com/google/uuid"

	"datasync/internal/model"
)

// vectorSize is how many rows a data chunk holds.
var vectorSize = int(mapping.VectorSize())

// inlineLength is the length in bytes up to which a DuckDB string lies in its
// 16-byte slot itself.
const inlineLength = 12

// column is one vector of a DuckDB data chunk, to be written into. This file is the one
// place of the project that writes through unsafe pointers: to the memory of DuckDB's own
// vectors, as the driver does itself.
type column struct {
	vector   mapping.Vector
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
func columnsOf(raw mapping.DataChunk, columns []column) {
	for i := range columns {
		v := mapping.DataChunkGetVector(raw, mapping.IdxT(i))
		mapping.VectorEnsureValidityWritable(v)
		columns[i] = column{v, mapping.VectorGetData(v), mapping.VectorGetValidity(v)}
	}
}

func (c *column) null(row int) {
	words := unsafe.Slice((*uint64)(c.validity), vectorSize/64)
	words[row/64] &^= 1 << (row % 64)
}

func (c *column) int64(row int, v int64) {
	unsafe.Slice((*int64)(c.data), vectorSize)[row] = v
}

func (c *column) bool(row int, v bool) {
	unsafe.Slice((*bool)(c.data), vectorSize)[row] = v
}

// uuid writes an id as DuckDB keeps it: a 128-bit integer, low half first, with
// the highest bit flipped so that signed order is the order of the bytes.
func (c *column) uuid(row int, id uuid.UUID) {
	halves := unsafe.Slice((*[2]uint64)(c.data), vectorSize)
	halves[row] = [2]uint64{
		binary.BigEndian.Uint64(id[8:]),
		binary.BigEndian.Uint64(id[:8]) ^ 1<<63,
	}
}

// text writes a string, which must be valid UTF-8.
func (c *column) text(row int, s string) {
	if len(s) <= inlineLength {
		c.lentText(row, s)
		return
	}
	mapping.VectorAssignStringElementLen(c.vector, mapping.IdxT(row), unsafe.Slice(unsafe.StringData(s), len(s)))
}

// lentText writes a string as text does, but does not copy a long one: whoever fills the
// chunk keeps that in memory, which must be no stack's, until the next one is asked
// for, as only then there is a copy.
func (c *column) lentText(row int, s string) {
	if len(s) <= inlineLength {
		v := slot{length: uint32(len(s))}
		copy(v.inline[:], s)
		unsafe.Slice((*slot)(c.data), vectorSize)[row] = v
		return
	}
	v := longSlot{length: uint32(len(s)), text: uintptr(unsafe.Pointer(unsafe.StringData(s)))}
	copy(v.prefix[:], s)
	unsafe.Slice((*longSlot)(c.data), vectorSize)[row] = v
}

// textOrNull writes s, or NULL where ok is false.
func (c *column) textOrNull(row int, s string, ok bool) {
	if !ok {
		c.null(row)
		return
	}
	c.text(row, s)
}

// lentOrNull writes s as lentText does, or NULL where ok is false.
func (c *column) lentOrNull(row int, s string, ok bool) {
	if !ok {
		c.null(row)
		return
	}
	c.lentText(row, s)
}

// uuidOrNull writes id, or NULL where it is none.
func (c *column) uuidOrNull(row int, id uuid.NullUUID) {
	if !id.Valid {
		c.null(row)
		return
	}
	c.uuid(row, id.UUID)
}

// instantOrNull writes t, or NULL where it is none.
func (c *column) instantOrNull(row int, t sql.Null[model.Instant]) {
	if !t.Valid {
		c.null(row)
		return
	}
	c.int64(row, int64(t.V))
}

// positionOrNull writes the two halves of p, or NULL where there is none.
func (c *column) positionOrNull(id *column, row int, p sql.Null[model.Position]) {
	if !p.Valid {
		c.null(row)
		id.null(row)
		return
	}
	c.int64(row, int64(p.V.Timestamp))
	id.uuid(row, p.V.ID)
}

// readPairs gives the BIGINT and BOOLEAN columns of a chunk that was read. The
// slices live as long as the chunk.
func readPairs(raw mapping.DataChunk, rows int) ([]int64, []bool) {
	first := mapping.VectorGetData(mapping.DataChunkGetVector(raw, 0))
	second := mapping.VectorGetData(mapping.DataChunkGetVector(raw, 1))
	return unsafe.Slice((*int64)(first), rows), unsafe.Slice((*bool)(second), rows)
}
