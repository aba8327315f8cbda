package api

import (
	"context"
	"io"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"
	"unsafe"

	"datasync/ingest/decode"
	"datasync/internal/model"
)

// Buffer is a page buffer: the text of one page, and the events, which share that text. A pool
// reuses it after the store has copied the events.
type Buffer struct {
	text   []byte
	Events []model.Event
	refs   atomic.Int32       // how many Release calls are due
	Cached bool               // the page came from a cache
	Limit  int                // how many events the request asked for
	cuts   map[int]decode.Cut // the truncated elements, by their offsets
	// Wire is how many bytes of the body were received, before decompression. Took is the time from the request to
	// the last byte. InFlight is how many requests were in flight when it was sent, itself included.
	Wire     int64
	Took     time.Duration
	InFlight int
	// LargeSlot, if not nil, is the slot for large texts, which this buffer occupies.
	LargeSlot chan struct{}
	// SharesSlot says that the buffer needs no slot, since another reading of its page has it.
	SharesSlot bool
}

// BufferPool keeps the buffers that are not in use. Its zero value is ready and safe for concurrent
// use.
type BufferPool struct {
	mu   sync.Mutex
	idle []*Buffer
}

// Take returns a buffer, whose text and events are overwritten by the next page. Each Take, and each
// Retain of its buffer, needs one Release.
func (p *BufferPool) Take() *Buffer {
	p.mu.Lock()
	defer p.mu.Unlock()
	b := &Buffer{}
	if n := len(p.idle); n > 0 {
		b = p.idle[n-1]
		p.idle = p.idle[:n-1]
	}
	b.refs.Store(1)
	return b
}

// maxPooledText is the largest text, in bytes, of a buffer that the pool keeps. Larger ones are rare,
// and would occupy their memory for good. Only one of them exists at a time.
const maxPooledText = 64 << 20

// Decode decodes the page of the buffer. The events and rejects share the buffer's memory.
func (b *Buffer) Decode(d *decode.Decoder) (decode.Page, error) {
	return d.DecodeCut(b.Text(), b.cuts, b.Events)
}

// Retain adds a user: the buffer needs one more Release.
func (b *Buffer) Retain() { b.refs.Add(1) }

// Release removes a user. After the last one, the pool reuses the buffer's memory.
func (p *BufferPool) Release(b *Buffer) {
	if b.refs.Add(-1) > 0 {
		return
	}
	if b.LargeSlot != nil || b.SharesSlot {
		b.text, b.Events = nil, nil
		b.ReleaseLargeSlot()
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.idle = append(p.idle, b)
}

// Free drops the idle buffers and collects the garbage, so that others can use their memory.
func (p *BufferPool) Free() {
	p.mu.Lock()
	p.idle = nil
	p.mu.Unlock()
	runtime.GC()
}

// Idle returns how many buffers the pool keeps for the next pages.
func (p *BufferPool) Idle() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.idle)
}

// acquireLargeSlot waits for the slot for large texts, and returns the memory of its last user to
// the system.
func (b *Buffer) acquireLargeSlot(ctx context.Context, slot chan struct{}) error {
	if b.SharesSlot {
		debug.FreeOSMemory()
		return nil
	}
	select {
	case slot <- struct{}{}:
		b.LargeSlot = slot
		debug.FreeOSMemory()
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// ReleaseLargeSlot releases the slot for large texts, if the buffer occupies it.
func (b *Buffer) ReleaseLargeSlot() {
	if b.LargeSlot != nil {
		<-b.LargeSlot
		b.LargeSlot = nil
	}
}

// read fills the buffer from a body of size bytes, as far as known, up to limit bytes and one more.
// Before it takes more memory than maxPooledText it calls large, and ends with that error.
func (b *Buffer) read(from io.Reader, size, limit int64, large func() error) error {
	text := b.text[:0]
	// The extra byte finds the end without growing. An announced size is trusted up to the usual.
	if want := min(size, limit, maxPooledText-1) + 1; int64(cap(text)) < want {
		text = make([]byte, 0, want)
	}
	for int64(len(text)) <= limit {
		if len(text) == cap(text) {
			capacity := max(4096, 2*int64(len(text)))
			if capacity > maxPooledText {
				if err := large(); err != nil {
					return err
				}
				// All at once: further growth would leave copies behind, and untouched pages of
				// memory cost nothing.
				capacity = limit + 1
			}
			text = append(make([]byte, 0, min(capacity, limit+1)), text...)
		}
		n, err := from.Read(text[len(text):cap(text)])
		text = text[:len(text)+n]
		if err != nil {
			b.text = text
			if err == io.EOF {
				return nil
			}
			return err
		}
	}
	b.text = text
	return nil
}

// Text returns the text of the page. It is valid until the last Release.
func (b *Buffer) Text() string { return unsafe.String(unsafe.SliceData(b.text), len(b.text)) }

// Size returns the length of the text in bytes.
func (b *Buffer) Size() int { return len(b.text) }

// SwapText exchanges the texts of two buffers, and takes the truncated elements of the other one.
func (b *Buffer) SwapText(from *Buffer) {
	b.text, from.text = from.text, b.text
	b.cuts = from.cuts
}
