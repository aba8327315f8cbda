package store

/*
#include <stdint.h>
#include <stdlib.h>

extern void datasyncSourceBind(void*);
extern void datasyncSourceInit(void*);
extern void datasyncSourceFill(void*, void*);
*/
import "C"

import (
	"errors"
	"fmt"
	"runtime/cgo"
	"unsafe"

	"datasync/internal/failpoint"

	"github.com/duckdb/duckdb-go/v2/mapping"
)

// source is a table function of DuckDB whose rows lie in Go's memory, for statements that
// insert them into one table: it fills DuckDB's own vectors, from which they go into the
// table without another copy between.
type source struct {
	table, name string
	types       []mapping.LogicalType
	columns     []column
	handle      cgo.Handle
	// Of the statement that is running:
	rows, next int
	fill       func(columns []column, row, n int)
	copied     func(rows int)
}

// newSource makes the source of rows for a table. The name is one that no other source of
// the instance has. Whoever closes the instance calls forget after that.
func (w *writer) newSource(name, table string) (*source, error) {
	var res mapping.Result
	defer mapping.DestroyResult(&res)
	if mapping.Query(w.conn, "SELECT * FROM "+table+" LIMIT 0", &res) == mapping.StateError {
		return nil, errors.New(mapping.ResultError(&res))
	}
	src := &source{table: table, name: name, types: make([]mapping.LogicalType, mapping.ColumnCount(&res))}
	for i := range src.types {
		src.types[i] = mapping.ColumnLogicalType(&res, mapping.IdxT(i))
	}
	src.columns = make([]column, len(src.types))
	src.handle = cgo.NewHandle(src)
	info := (*C.uintptr_t)(C.malloc(C.sizeof_uintptr_t))
	*info = C.uintptr_t(src.handle)
	function := mapping.CreateTableFunction()
	defer mapping.DestroyTableFunction(&function)
	mapping.TableFunctionSetName(function, name)
	mapping.TableFunctionSetExtraInfo(function, unsafe.Pointer(info), C.free)
	mapping.TableFunctionSetBind(function, C.datasyncSourceBind)
	mapping.TableFunctionSetInit(function, C.datasyncSourceInit)
	mapping.TableFunctionSetFunction(function, C.datasyncSourceFill)
	if mapping.RegisterTableFunction(w.conn, function) == mapping.StateError {
		src.forget()
		return nil, fmt.Errorf("register the source of rows for %s", table)
	}
	return src, nil
}

func (s *source) forget() {
	for i := range s.types {
		mapping.DestroyLogicalType(&s.types[i])
	}
	s.handle.Delete()
}

// insert adds rows to a table; fill writes row n into line row of the columns. Where
// copied is not nil it is told of how many rows nothing is used any more; of all, that is
// long before a row group is compressed and written.
func (w *writer) insert(table string, rows int, fill func(columns []column, row, n int), copied func(rows int)) error {
	if rows == 0 {
		if copied != nil {
			copied(0)
		}
		return nil
	}
	return w.do(func() error {
		src := w.sources[table]
		src.rows, src.next, src.fill, src.copied = rows, 0, fill, copied
		defer func() { src.fill, src.copied = nil, nil }()
		n, err := w.query("INSERT INTO " + table + " FROM " + src.name + "()")
		if err == nil && n != int64(rows) {
			err = fmt.Errorf("%d of %d rows were inserted", n, rows)
		}
		if err != nil {
			return fmt.Errorf("insert into %s: %w", table, err)
		}
		failpoint.Hit("f7")
		return nil
	})
}

// sourceAt finds the source by what DuckDB keeps of it.
func sourceAt(info unsafe.Pointer) *source {
	return cgo.Handle(*(*C.uintptr_t)(info)).Value().(*source)
}

//export datasyncSourceBind
func datasyncSourceBind(info unsafe.Pointer) {
	bind := mapping.BindInfo{Ptr: info}
	for i, t := range sourceAt(mapping.BindGetExtraInfo(bind)).types {
		mapping.BindAddResultColumn(bind, fmt.Sprint("column", i), t)
	}
}

// datasyncSourceInit keeps a statement from asking by several threads at a time.
//
//export datasyncSourceInit
func datasyncSourceInit(info unsafe.Pointer) {
	mapping.InitSetMaxThreads(mapping.InitInfo{Ptr: info}, 1)
}

// datasyncSourceFill gives the next rows, once those before are copied; none are the end.
//
//export datasyncSourceFill
func datasyncSourceFill(info, chunk unsafe.Pointer) {
	src := sourceAt(mapping.FunctionGetExtraInfo(mapping.FunctionInfo{Ptr: info}))
	raw := mapping.DataChunk{Ptr: chunk}
	if src.copied != nil {
		src.copied(src.next)
	}
	rows := min(vectorSize, src.rows-src.next)
	if rows > 0 {
		columnsOf(raw, src.columns)
	}
	for row := range rows {
		if src.next == src.rows/2 {
			failpoint.Hit("f6")
		}
		src.fill(src.columns, row, src.next)
		src.next++
	}
	mapping.DataChunkSetSize(raw, mapping.IdxT(rows))
}
