package decode

import (
	"crypto/sha256"
	"errors"
	"hash"
	"io"
	"unsafe"
)

// MaxTruncatedPage is how many bytes a page may have whose large elements are truncated. It bounds an
// answer that never ends.
const MaxTruncatedPage = 4 << 30

// ErrEndless is the error of a Truncator after MaxTruncatedPage bytes.
var ErrEndless = errors.New("a page without end")

// Cut describes a truncated element: where its beginning ends, its size in bytes, and the digest of its
// text.
type Cut struct {
	end    int // the offset after the beginning
	size   int64
	digest [sha256.Size]byte
}

// Truncator reads a page of any size in little memory. It passes on the first truncatedLen bytes of each
// element that exceeds maxElement, and everything else. It looks only at quotes and brackets, and
// treats the elements of each array at the page's top level alike.
type Truncator struct {
	from io.Reader
	Cuts map[int]Cut // the truncated elements, by the offsets of their beginnings in the output

	in        []byte // read from the page
	out       []byte // not yet passed on
	outBuffer []byte // the memory of out
	err       error
	read      int64
	limit     int64 // of read
	given     int   // bytes passed on

	depth    int
	array    bool // the value at depth 2 is an array
	quoted   bool
	escaped  bool
	within   bool // an element
	element  []byte
	size     int64
	digest   hash.Hash
	overflow bool // the element exceeds maxElement
}

// NewTruncator returns a Truncator that reads a page from from.
func NewTruncator(from io.Reader) *Truncator {
	return &Truncator{from: from, Cuts: map[int]Cut{}, in: make([]byte, 256<<10), limit: MaxTruncatedPage, digest: sha256.New()}
}

// Read implements io.Reader. After MaxTruncatedPage bytes of the page it returns ErrEndless.
func (t *Truncator) Read(p []byte) (int, error) {
	for len(t.out) == 0 {
		if t.err != nil {
			return 0, t.err
		}
		var n int
		n, t.err = t.from.Read(t.in)
		t.out = t.outBuffer[:0]
		t.consume(t.in[:n])
		if t.read += int64(n); t.read > t.limit {
			t.err = ErrEndless
		}
		if t.err != nil {
			t.flush() // the page may end within an element
		}
		t.outBuffer = t.out
	}
	n := copy(p, t.out)
	t.out = t.out[n:]
	t.given += n
	return n, nil
}

// consume processes bytes of the page.
func (t *Truncator) consume(text []byte) {
	start := 0 // of the bytes that are in neither out nor element
	upTo := func(i int) {
		if part := text[start:i]; t.within {
			t.grow(part)
		} else {
			t.out = append(t.out, part...)
		}
		start = i
	}
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case t.escaped:
			t.escaped = false
			continue
		case t.quoted:
			if i = skipSimple(unsafe.String(unsafe.SliceData(text), len(text)), i); i == len(text) {
				continue
			}
			t.escaped, t.quoted = text[i] == '\\', text[i] != '"'
			continue
		case t.depth == 2 && t.array && t.within && (c == ',' || c == ']'):
			upTo(i)
			t.flush()
		case t.depth == 2 && t.array && !t.within && !isSpace(c) && c != ',' && c != ']':
			upTo(i)
			t.within = true
		}
		switch c {
		case '"':
			t.quoted = true
		case '{', '[':
			if t.depth++; t.depth == 2 {
				t.array = c == '['
			}
		case '}', ']':
			t.depth--
		}
	}
	upTo(len(text))
}

// grow adds bytes to the element.
func (t *Truncator) grow(part []byte) {
	t.size += int64(len(part))
	if !t.overflow {
		t.element = append(t.element, part...)
		if t.overflow = t.size > maxElement; t.overflow {
			t.digest.Reset()
			_, _ = t.digest.Write(t.element)
			t.element = t.element[:truncatedLen]
		}
		return
	}
	_, _ = t.digest.Write(part)
}

// flush puts the element, or its beginning, into the output.
func (t *Truncator) flush() {
	if t.overflow {
		c := Cut{size: t.size}
		t.digest.Sum(c.digest[:0])
		begin := t.given + len(t.out)
		c.end = begin + len(t.element)
		t.Cuts[begin] = c
	}
	t.out = append(t.out, t.element...)
	t.element, t.size, t.overflow, t.within = t.element[:0], 0, false, false
}
