package decode

import (
	"crypto/sha256"
	"errors"
	"hash"
	"io"
	"unsafe"
)

// MaxTruncatedPage is how many bytes a page may have of which only the beginnings of its large elements are
// kept. An answer has to end some time.
const MaxTruncatedPage = 4 << 30

// ErrEndless is the end of a page that is read by a squeezer and has more.
var ErrEndless = errors.New("a page without an end")

// Cut is an element of which a page's text has the beginning alone.
type Cut struct {
	end    int // of what the text has of it
	size   int64
	digest [sha256.Size]byte
}

// Truncator reads a page of any size into little memory: of each element that is larger than one may
// be it gives keptOfLarge bytes. It goes by quotes and brackets alone, and takes the elements of
// any array at the page's top level for its own.
type Truncator struct {
	from io.Reader
	Cuts map[int]Cut // by where they begin in what it gave

	in        []byte // read
	out       []byte // to be given, a part of
	outBuffer []byte
	err       error
	read      int64
	limit     int64 // to be read
	given     int

	depth    int
	array    bool // depth 2 is that of an array
	quoted   bool
	escaped  bool
	within   bool // an element
	element  []byte
	size     int64
	digest   hash.Hash
	overflow bool // the element is larger than one may be
}

// NewTruncator returns a Squeezer of what from gives.
func NewTruncator(from io.Reader) *Truncator {
	return &Truncator{from: from, Cuts: map[int]Cut{}, in: make([]byte, 256<<10), limit: MaxTruncatedPage, digest: sha256.New()}
}

// Read gives what is left of the page.
func (q *Truncator) Read(p []byte) (int, error) {
	for len(q.out) == 0 {
		if q.err != nil {
			return 0, q.err
		}
		var n int
		n, q.err = q.from.Read(q.in)
		q.out = q.outBuffer[:0]
		q.consume(q.in[:n])
		if q.read += int64(n); q.read > q.limit {
			q.err = ErrEndless
		}
		if q.err != nil {
			q.flush() // a page that breaks off
		}
		q.outBuffer = q.out
	}
	n := copy(p, q.out)
	q.out = q.out[n:]
	q.given += n
	return n, nil
}

// consume takes in what was read.
func (q *Truncator) consume(text []byte) {
	start := 0 // of what was neither given nor taken into the element
	upTo := func(i int) {
		if part := text[start:i]; q.within {
			q.grow(part)
		} else {
			q.out = append(q.out, part...)
		}
		start = i
	}
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case q.escaped:
			q.escaped = false
			continue
		case q.quoted:
			if i = skipSimple(unsafe.String(unsafe.SliceData(text), len(text)), i); i == len(text) {
				continue
			}
			q.escaped, q.quoted = text[i] == '\\', text[i] != '"'
			continue
		case q.depth == 2 && q.array && q.within && (c == ',' || c == ']'):
			upTo(i)
			q.flush()
		case q.depth == 2 && q.array && !q.within && !isSpace(c) && c != ',' && c != ']':
			upTo(i)
			q.within = true
		}
		switch c {
		case '"':
			q.quoted = true
		case '{', '[':
			if q.depth++; q.depth == 2 {
				q.array = c == '['
			}
		case '}', ']':
			q.depth--
		}
	}
	upTo(len(text))
}

// grow takes in more of the element.
func (q *Truncator) grow(part []byte) {
	q.size += int64(len(part))
	if !q.overflow {
		q.element = append(q.element, part...)
		if q.overflow = q.size > maxElement; q.overflow {
			q.digest.Reset()
			_, _ = q.digest.Write(q.element)
			q.element = q.element[:truncatedLen]
		}
		return
	}
	_, _ = q.digest.Write(part)
}

// flush gives the element, or its beginning.
func (q *Truncator) flush() {
	if q.overflow {
		c := Cut{size: q.size}
		q.digest.Sum(c.digest[:0])
		begin := q.given + len(q.out)
		c.end = begin + len(q.element)
		q.Cuts[begin] = c
	}
	q.out = append(q.out, q.element...)
	q.element, q.size, q.overflow, q.within = q.element[:0], 0, false, false
}
