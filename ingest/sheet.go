package ingest

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

// sheet is the memory of one page: its text, and the events that share that. It is used
// again for another page once the store has copied it.
type sheet struct {
	text   []byte
	events []model.Event
	users  atomic.Int32       // how often it will be given back
	cached bool               // the page came from a cache
	asked  int                // how many events the request asked for
	cuts   map[int]decode.Cut // elements of which only the beginning was read, by their offsets
	// place, where it is not nil, is the one place for a large text, and taken by this one.
	place chan struct{}
	// beside says that it needs no such place, as it is read beside the one that has it.
	beside bool
}

// sheets keeps those that are not in use. Its zero value is ready, for any goroutine.
type sheets struct {
	mu   sync.Mutex
	free []*sheet
}

func (s *sheets) take() *sheet {
	s.mu.Lock()
	defer s.mu.Unlock()
	last := &sheet{}
	if n := len(s.free); n > 0 {
		last = s.free[n-1]
		s.free = s.free[:n-1]
	}
	last.users.Store(1)
	return last
}

// maxKept is how much text the sheets may have that are kept. Larger ones are rare, and
// would each take that memory for good. There is one of them at a time.
const maxKept = 64 << 20

// decodedBy decodes the page in the sheet.
func (b *sheet) decodedBy(d *decode.Decoder) (decode.Page, error) {
	return d.DecodeCut(b.string(), b.cuts, b.events)
}

// share says that the sheet will be given back once more.
func (b *sheet) share() { b.users.Add(1) }

// giveBack takes a sheet of which nothing is used any more, by one of its users.
func (s *sheets) giveBack(b *sheet) {
	if b.users.Add(-1) > 0 {
		return
	}
	if b.place != nil || b.beside {
		b.text, b.events = nil, nil
		b.leavePlace()
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.free = append(s.free, b)
}

// forget lets go of those that are kept, and sees that their memory can be used for
// something else.
func (s *sheets) forget() {
	s.mu.Lock()
	s.free = nil
	s.mu.Unlock()
	runtime.GC()
}

// takePlace waits for the place for a large text, and gives back the memory of the one that
// had it before.
func (s *sheet) takePlace(ctx context.Context, place chan struct{}) error {
	if s.beside {
		debug.FreeOSMemory()
		return nil
	}
	select {
	case place <- struct{}{}:
		s.place = place
		debug.FreeOSMemory()
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// leavePlace gives the place for a large text back, where the sheet has it.
func (s *sheet) leavePlace() {
	if s.place != nil {
		<-s.place
		s.place = nil
	}
}

// read fills the sheet with what is left to read, of which size bytes are expected, but
// with no more than limit bytes and one. Before it takes more memory than maxKept it calls
// large, and ends where that fails.
func (s *sheet) read(from io.Reader, size, limit int64, large func() error) error {
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

// string is the sheet's text. It holds as long as the sheet is not given back.
func (s *sheet) string() string { return unsafe.String(unsafe.SliceData(s.text), len(s.text)) }
