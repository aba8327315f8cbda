package duck

import (
	"fmt"
	"strconv"
	"unsafe"

	"github.com/duckdb/duckdb-go/v2/mapping"
)

// readVector is a vector of a chunk that was read. Its texts are in DuckDB's memory and valid as
// long as the chunk.
type readVector struct {
	kind     mapping.Type
	data     unsafe.Pointer
	validity unsafe.Pointer // nil if no value is NULL
}

func newReadVector(v mapping.Vector) readVector {
	t := mapping.VectorGetColumnType(v)
	defer mapping.DestroyLogicalType(&t)
	return readVector{mapping.GetTypeId(t), mapping.VectorGetData(v), mapping.VectorGetValidity(v)}
}

func (c *readVector) null(row int) bool {
	return c.validity != nil && unsafe.Slice((*uint64)(c.validity), vectorSize/64)[row/64]&(1<<(row%64)) == 0
}

func (c *readVector) int64(row int) (int64, bool) {
	if c.null(row) {
		return 0, false
	}
	return at[int64](c, row), true
}

func (c *readVector) text(row int) (string, bool) {
	if c.null(row) {
		return "", false
	}
	s := &unsafe.Slice((*inlineString)(c.data), vectorSize)[row]
	if s.length <= inlineLength {
		return unsafe.String(&s.inline[0], s.length), true
	}
	// Four bytes of the text, then its address.
	return unsafe.String(*(**byte)(unsafe.Pointer(&s.inline[4])), s.length), true
}

// plain turns a value of a scalar type into text.
func (c *readVector) plain(row int) (string, bool, error) {
	if c.null(row) {
		return "", false, nil
	}
	switch c.kind {
	case mapping.TypeVarchar:
		s, ok := c.text(row)
		return s, ok, nil
	case mapping.TypeBoolean:
		return strconv.FormatBool(at[bool](c, row)), true, nil
	case mapping.TypeTinyInt:
		return strconv.FormatInt(int64(at[int8](c, row)), 10), true, nil
	case mapping.TypeSmallInt:
		return strconv.FormatInt(int64(at[int16](c, row)), 10), true, nil
	case mapping.TypeInteger:
		return strconv.FormatInt(int64(at[int32](c, row)), 10), true, nil
	case mapping.TypeBigInt:
		return strconv.FormatInt(at[int64](c, row), 10), true, nil
	case mapping.TypeUTinyInt:
		return strconv.FormatUint(uint64(at[uint8](c, row)), 10), true, nil
	case mapping.TypeUSmallInt:
		return strconv.FormatUint(uint64(at[uint16](c, row)), 10), true, nil
	case mapping.TypeUInteger:
		return strconv.FormatUint(uint64(at[uint32](c, row)), 10), true, nil
	case mapping.TypeUBigInt:
		return strconv.FormatUint(at[uint64](c, row), 10), true, nil
	case mapping.TypeFloat:
		return strconv.FormatFloat(float64(at[float32](c, row)), 'g', -1, 32), true, nil
	case mapping.TypeDouble:
		return strconv.FormatFloat(at[float64](c, row), 'g', -1, 64), true, nil
	}
	return "", false, fmt.Errorf("this statement returns a %s, which only a SELECT can show: write it after FROM", scalarNames[c.kind])
}

// at reads a value of a fixed size.
func at[T any](c *readVector, row int) T { return unsafe.Slice((*T)(c.data), vectorSize)[row] }
