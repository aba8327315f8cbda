package api

import (
	"context"
	"io"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"unsafe"

	"datasync/ingest/decode"
	"datasync/internal/model"
)

// Buffer is the memory of one page: its text, and the events that share that. It is used
// again for another page once the store has copied it.
type Buffer struct {
	text   []byte
	Events []model.Event
	users  atomic.Int32       // how often it will be given back
	Cached bool               // the page came from a cache
	Limit  int                // how many events the request asked for
	cuts   map[int]decode.Cut // elements of which only the beginning was read, by their offsets
	// LargeSlot, where it is not nil, is the one place for a large text, and taken by this one.
	LargeSlot chan struct{}
	// Beside says that it needs no such place, as it is read beside the one that has it.
	Beside bool
}

// BufferPool keeps those that are not in use. Its zero value is ready, for any goroutine.
type BufferPool struct {
	mu   sync.Mutex
	idle []*Buffer
}

func (s *BufferPool) Take() *Buffer {
	s.mu.Lock()
	defer s.mu.Unlock()
	last := &Buffer{}
	if n := len(s.idle); n > 0 {
		last = s.idle[n-1]
		s.idle = s.idle[:n-1]
	}
	last.users.Store(1)
	return last
}

// maxKept is how much text the sheets may have that are kept. Larger ones are rare, and
// would each take that memory for good. There is one of them at a time.
const maxKept = 64 << 20

// Decode decodes the page in the sheet.
func (b *Buffer) Decode(d *decode.Decoder) (decode.Page, error) {
	return d.DecodeCut(b.Text(), b.cuts, b.Events)
}

// Retain says that the sheet will be given back once more.
func (b *Buffer) Retain() { b.users.Add(1) }

// Release takes a sheet of which nothing is used any more, by one of its users.
func (s *BufferPool) Release(b *Buffer) {
	if b.users.Add(-1) > 0 {
		return
	}
	if b.LargeSlot != nil || b.Beside {
		b.text, b.Events = nil, nil
		b.LeaveLargeSlot()
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.idle = append(s.idle, b)
}

// Free lets go of those that are kept, and sees that their memory can be used for
// something else.
func (s *BufferPool) Free() {
	s.mu.Lock()
	s.idle = nil
	s.mu.Unlock()
	runtime.GC()
}

// takeLargeSlot waits for the place for a large text, and gives back the memory of the one that
// had it before.
func (s *Buffer) takeLargeSlot(ctx context.Context, place chan struct{}) error {
	if s.Beside {
		debug.FreeOSMemory()
		return nil
	}
	select {
	case place <- struct{}{}:
		s.LargeSlot = place
		debug.FreeOSMemory()
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// LeaveLargeSlot gives the place for a large text back, where the sheet has it.
func (s *Buffer) LeaveLargeSlot() {
	if s.LargeSlot != nil {
		<-s.LargeSlot
		s.LargeSlot = nil
	}
}

// read fills the sheet with what is left to read, of which size bytes are expected, but
// with no more than limit bytes and one. Before it takes more memory than maxKept it calls
// large, and ends where that fails.
func (s *Buffer) read(from io.Reader, size, limit int64, large func() error) error {
	text := s.text[:0]
	// There is one byte more, so that the end shows without growing. What is announced is
	// believed up to what is usual.
	if want := min(size, limit, maxKept-1) + 1; int64(cap(text)) < want {
		text = make([]byte, 0, want)
	}
	for int64(len(text)) <= limit {
		if len(text) == cap(text) {
			room := max(4096, 2*int64(len(text)))
			if room > maxKept {
				if err := large(); err != nil {
					return err
				}
				// All that it may need, so that no copy of it is left behind: what it does
				// not use is no memory yet.
				room = limit + 1
			}
			text = append(make([]byte, 0, min(room, limit+1)), text...)
		}
		n, err := from.Read(text[len(text):cap(text)])
		text = text[:len(text)+n]
		if err != nil {
			s.text = text
			if err == io.EOF {
				return nil
			}
			return err
		}
	}
	s.text = text
	return nil
}

// Text is the sheet's text. It holds as long as the sheet is not given back.
func (s *Buffer) Text() string { return unsafe.String(unsafe.SliceData(s.text), len(s.text)) }

// Size returns how many bytes of text the sheet holds.
func (s *Buffer) Size() int { return len(s.text) }

// TakeText exchanges the texts of two sheets, and takes the other one's cuts.
func (s *Buffer) TakeText(from *Buffer) {
	s.text, from.text = from.text, s.text
	s.cuts = from.cuts
}

// Idle returns how many buffers the pool keeps for the next pages.
func (s *BufferPool) Idle() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.idle)
}
