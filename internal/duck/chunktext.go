package duck

// #include <stdlib.h>
import "C"

import ()

/*
#include <stdlib.h>
*/

import (
	"runtime"
	"unsafe"
)

// A DuckDB string longer than inlineLength is the address of its text. DuckDB copies the text after the
// function that fills the chunk has returned. So the text must stay where it is until DuckDB asks for
// the next chunk. cgo's rules forbid C to keep an address of Go's memory unless that is pinned. A call
// of the runtime, or of DuckDB, for each text would cost too much: short texts are copied into memory
// of C, and only long ones are pinned.

const (
	// pinnedText is the length in bytes from which a text is pinned instead of copied.
	pinnedText = 4096
	// textBlock is the size in bytes of a block of copied texts. Most chunks need one or two.
	textBlock = 1 << 20
)

// chunkTexts holds the texts of one chunk. The zero value holds none.
type chunkTexts struct {
	blocks []unsafe.Pointer // memory of C
	block  int              // the index of the block that is filled now
	used   int              // bytes of that block
	pinned runtime.Pinner
}

// keep returns the address of s, or of a copy of s. It is valid until release.
func (t *chunkTexts) keep(s string) uintptr {
	if len(s) >= pinnedText {
		t.pinned.Pin(unsafe.StringData(s))
		return uintptr(unsafe.Pointer(unsafe.StringData(s)))
	}
	if t.used+len(s) > textBlock {
		t.block, t.used = t.block+1, 0
	}
	if t.block == len(t.blocks) {
		t.blocks = append(t.blocks, C.malloc(textBlock))
	}
	at := unsafe.Add(t.blocks[t.block], t.used)
	copy(unsafe.Slice((*byte)(at), len(s)), s)
	t.used += len(s)
	return uintptr(at)
}

// release ends the validity of all addresses and keeps the blocks for the next chunk.
func (t *chunkTexts) release() {
	t.pinned.Unpin()
	t.block, t.used = 0, 0
}

// free is release, and returns the blocks to C.
func (t *chunkTexts) free() {
	t.release()
	for _, block := range t.blocks {
		C.free(block)
	}
	t.blocks = nil
}
