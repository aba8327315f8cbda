package ingest

import (
	"sync"
	"time"

	"datasync/ingest/shard"
	"datasync/internal/model"
)

// Progress is where a pull stands. Its zero value is ready; Now may be called
// while the pull goes on.
type Progress struct {
	mu  sync.Mutex
	now Standing
	// walked is what Walked adds up, by window or part.
	walked map[int64]int64
	whole  bool // the window goes down to the end

	pages    int64 // that were read
	estimate func(pages float64) time.Duration
}

// Standing is a pull's progress at one moment.
type Standing struct {
	Began time.Time
	// Read counts what pages returned in this run; Walked the same of the window
	// that is walked, earlier runs included.
	Read, Walked int64
	// Total is how many events the API says to have; 0 where unknown, or where the
	// window does not go down to the end.
	Total int64
	// Endpoint is the one that was asked last.
	Endpoint string
	// While Waiting is not empty no endpoint may be asked before Until; it names
	// the endpoint that will be asked then, and Why is "429" or "503", say.
	Waiting, Why string
	Until        time.Time
	// Left is about how long the pull has still to go; 0 where nothing can be said yet.
	Left time.Duration
}

// Now returns where the pull stands.
func (p *Progress) Now() Standing {
	p.mu.Lock()
	now, pages, estimate := p.now, p.pages, p.estimate
	p.mu.Unlock()
	// Another process reads these by the wall clock as it is now, which may have been set since.
	at := time.Now()
	for _, instant := range []*time.Time{&now.Began, &now.Until} {
		if !instant.IsZero() {
			*instant = at.Add(instant.Sub(at))
		}
	}
	if left := now.Total - now.Walked; left > 0 && now.Read > 0 && estimate != nil {
		now.Left = estimate(float64(left) * float64(pages) / float64(now.Read))
	}
	return now
}

// estimateBy sets the function that estimates the remaining time from the remaining pages.
func (p *Progress) estimateBy(estimate func(pages float64) time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.estimate = estimate
}

func (p *Progress) update(change func(*Standing)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change(&p.now)
}

func (p *Progress) begin(at time.Time) { p.update(func(s *Standing) { s.Began = at }) }

// WindowBegun begins anew with a window and its shards.
func (p *Progress) WindowBegun(w shard.Window) {
	p.update(func(s *Standing) {
		p.walked = map[int64]int64{}
		s.Walked, s.Total = 0, 0
		for _, k := range w {
			p.walked[k.Window] = k.Walked
			s.Walked += k.Walked
		}
		p.whole = !w.Lower().Valid
		if p.whole {
			s.Total = w[0].Total.V
		}
	})
}

func (p *Progress) page(k model.Checkpoint, elements int) {
	p.update(func(s *Standing) {
		s.Read += int64(elements)
		p.pages++
		s.Walked += k.Walked - p.walked[k.Window]
		if p.walked == nil {
			p.walked = map[int64]int64{}
		}
		p.walked[k.Window] = k.Walked
		if p.whole && k.Total.Valid {
			s.Total = k.Total.V
		}
	})
}

// ElementsLeft returns how many elements the window still has; 0 where that is not known.
func (p *Progress) ElementsLeft() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return max(0, p.now.Total-p.now.Walked)
}

// Asking is dispatch.Observer's.
func (p *Progress) Asking(endpoint string) {
	p.update(func(s *Standing) { s.Endpoint, s.Waiting, s.Until = endpoint, "", time.Time{} })
}

// Waiting is dispatch.Observer's.
func (p *Progress) Waiting(endpoint, why string, until time.Time) {
	p.update(func(s *Standing) { s.Waiting, s.Why, s.Until = endpoint, why, until })
}
