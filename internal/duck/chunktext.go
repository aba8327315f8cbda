package duck

/*
#include <stdlib.h>
*/
import "C"

import (
	"runtime"
	"unsafe"
)

// A DuckDB string that is longer than inlineLength has the address of its text. DuckDB copies
// the text when it has taken over the chunk, which is after the function that fills the chunk
// has returned. So the text must stay where it is until then: short ones are copied into memory
// of C, which costs less than a call of DuckDB for each; long ones stay in Go's memory, pinned.

const (
	// pinnedText is the length in bytes from which on a text is pinned and not copied.
	pinnedText = 4096
	// textBlock is the size in bytes of a block of copied texts. A usual chunk needs one or two.
	textBlock = 1 << 20
)

// chunkTexts holds the texts of the chunk that is filled now. The zero value is empty.
type chunkTexts struct {
	blocks []unsafe.Pointer // of C's memory
	block  int              // the one that is filled now
	used   int              // of its bytes
	pinned runtime.Pinner
}

// keep returns the address of s, or of a copy of it, which is valid until release.
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

// release ends the validity of all addresses. The memory is used again.
func (t *chunkTexts) release() {
	t.pinned.Unpin()
	t.block, t.used = 0, 0
}

// free is release, and gives the memory back to C.
func (t *chunkTexts) free() {
	t.release()
	for _, block := range t.blocks {
		C.free(block)
	}
	t.blocks = nil
}
