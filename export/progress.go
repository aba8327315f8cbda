package export

import (
	"sync"

	"datasync/internal/inspect"
)

// Progress is how far an export is. It is safe for concurrent use.
type Progress struct {
	mu          sync.Mutex
	session     *inspect.Session
	done, total int64
}

// Percent returns how far the export is, from 0 to 100, or -1 if that is unknown.
func (p *Progress) Percent() float64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.session != nil:
		return p.session.Progress()
	case p.total > 0:
		return 100 * float64(p.done) / float64(p.total)
	}
	return -1
}

// follow reports the session's own progress until stop is called.
func (p *Progress) follow(s *inspect.Session) (stop func()) {
	if p == nil {
		return func() {}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.session = s
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.session = nil
	}
}

// expect adds to the number of rows to write, wrote to the number of rows written.
func (p *Progress) expect(rows int64) { p.add(0, rows) }
func (p *Progress) wrote(rows int64)  { p.add(rows, 0) }

func (p *Progress) add(done, total int64) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.done += done
	p.total += total
}
