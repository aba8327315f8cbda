package duck

/*
#include <stdint.h>
#include <stdlib.h>

extern void datasyncTableFuncBind(void*);
extern void datasyncTableFuncInit(void*);
extern void datasyncTableFuncFill(void*, void*);
*/
import "C"

import ()

/*
#include <stdint.h>
#include <stdlib.h>

extern void datasyncTableFuncBind(void*);
extern void datasyncTableFuncInit(void*);
extern void datasyncTableFuncFill(void*, void*);
*/

import (
	"errors"
	"fmt"
	"runtime/cgo"
	"unsafe"

	"github.com/duckdb/duckdb-go/v2/mapping"
)

// TableFunc is a table function of DuckDB that gives rows of Go's memory, for statements that
// insert them into one table. It writes into DuckDB's own vectors, so no row is copied in
// between. It is not safe for concurrent use.
type TableFunc struct {
	conn        *Conn
	table, name string
	types       []mapping.LogicalType
	columns     []Column
	texts       chunkTexts
	handle      cgo.Handle
	// Of the statement that is running:
	rows, next int
	fill       func(columns []Column, row, n int)
	copied     func(rows int)
}

// NewTableFunc registers a table function with the columns of a table. No other function of the
// instance may have its name. The caller calls Forget after closing the instance.
func NewTableFunc(c *Conn, name, table string) (*TableFunc, error) {
	var res mapping.Result
	defer mapping.DestroyResult(&res)
	if mapping.Query(c.conn, "SELECT * FROM "+table+" LIMIT 0", &res) == mapping.StateError {
		return nil, errors.New(mapping.ResultError(&res))
	}
	f := &TableFunc{conn: c, table: table, name: name, types: make([]mapping.LogicalType, mapping.ColumnCount(&res))}
	for i := range f.types {
		f.types[i] = mapping.ColumnLogicalType(&res, mapping.IdxT(i))
	}
	f.columns = make([]Column, len(f.types))
	f.handle = cgo.NewHandle(f)
	info := (*C.uintptr_t)(C.malloc(C.sizeof_uintptr_t))
	*info = C.uintptr_t(f.handle)
	function := mapping.CreateTableFunction()
	defer mapping.DestroyTableFunction(&function)
	mapping.TableFunctionSetName(function, name)
	mapping.TableFunctionSetExtraInfo(function, unsafe.Pointer(info), C.free)
	mapping.TableFunctionSetBind(function, C.datasyncTableFuncBind)
	mapping.TableFunctionSetInit(function, C.datasyncTableFuncInit)
	mapping.TableFunctionSetFunction(function, C.datasyncTableFuncFill)
	if mapping.RegisterTableFunction(c.conn, function) == mapping.StateError {
		f.Forget()
		return nil, fmt.Errorf("register the table function for %s", table)
	}
	return f, nil
}

// Forget frees the memory of the function. No statement may use it any more.
func (f *TableFunc) Forget() {
	for i := range f.types {
		mapping.DestroyLogicalType(&f.types[i])
	}
	f.texts.free()
	f.handle.Delete()
}

// Insert adds rows to the table; fill writes row n, counted from 0, into row of the columns.
// If copied is not nil, it is called with the number of rows whose memory Insert has finished
// using. For the last rows that is long before DuckDB compresses and writes their row group.
func (f *TableFunc) Insert(rows int, fill func(columns []Column, row, n int), copied func(rows int)) error {
	if rows == 0 {
		if copied != nil {
			copied(0)
		}
		return nil
	}
	f.rows, f.next, f.fill, f.copied = rows, 0, fill, copied
	defer func() {
		f.fill, f.copied = nil, nil
		f.texts.release()
	}()
	n, err := f.conn.Run("INSERT INTO " + f.table + " FROM " + f.name + "()")
	if err == nil && n != int64(rows) {
		err = fmt.Errorf("%d of %d rows were inserted", n, rows)
	}
	if err != nil {
		return fmt.Errorf("insert into %s: %w", f.table, err)
	}
	return nil
}

// tableFuncAt finds the function by the handle that DuckDB keeps of it.
func tableFuncAt(info unsafe.Pointer) *TableFunc {
	return cgo.Handle(*(*C.uintptr_t)(info)).Value().(*TableFunc)
}

//export datasyncTableFuncBind
func datasyncTableFuncBind(info unsafe.Pointer) {
	bind := mapping.BindInfo{Ptr: info}
	for i, t := range tableFuncAt(mapping.BindGetExtraInfo(bind)).types {
		mapping.BindAddResultColumn(bind, fmt.Sprint("column", i), t)
	}
}

// datasyncTableFuncInit keeps DuckDB from calling the function from several threads at a time.
//
//export datasyncTableFuncInit
func datasyncTableFuncInit(info unsafe.Pointer) {
	mapping.InitSetMaxThreads(mapping.InitInfo{Ptr: info}, 1)
}

// datasyncTableFuncFill fills the next chunk; an empty one ends the rows. DuckDB asks for a
// chunk only when it has copied the one before.
//
//export datasyncTableFuncFill
func datasyncTableFuncFill(info, chunk unsafe.Pointer) {
	f := tableFuncAt(mapping.FunctionGetExtraInfo(mapping.FunctionInfo{Ptr: info}))
	raw := mapping.DataChunk{Ptr: chunk}
	f.texts.release()
	if f.copied != nil {
		f.copied(f.next)
	}
	rows := min(vectorSize, f.rows-f.next)
	if rows > 0 {
		columnsOf(raw, f.columns, &f.texts)
	}
	for row := range rows {
		f.fill(f.columns, row, f.next)
		f.next++
	}
	mapping.DataChunkSetSize(raw, mapping.IdxT(rows))
}
