package ingest

import (
	"sync"
	"time"

	"datasync/ingest/shard"
	"datasync/internal/model"
)

// Progress follows a pull. Its zero value is ready for use; any goroutine may call Now during the pull.
type Progress struct {
	mu  sync.Mutex
	now Snapshot
	// walked has the addends of Snapshot.Walked, by window or shard.
	walked map[int64]int64
	whole  bool // the window goes down to the end

	pages    int64 // that were read
	estimate func(pages float64) time.Duration
}

// Snapshot is a pull's progress at one moment.
type Snapshot struct {
	Began time.Time
	// Read counts the elements that this run has read, Walked those of the current window, earlier runs
	// included.
	Read, Walked int64
	// Total is the API's total; 0 if it is not known, or the window does not go down to the end.
	Total int64
	// Endpoint is the one that got the last request.
	Endpoint string
	// While Waiting is not empty, no endpoint may be asked before Until. It names the endpoint that is asked
	// then; Why is the cause, such as "429" or "503".
	Waiting, Why string
	Until        time.Time
	// Left estimates the remaining time; 0 if there is no estimate yet.
	Left time.Duration
}

// Now returns the progress.
func (p *Progress) Now() Snapshot {
	p.mu.Lock()
	now, pages, estimate := p.now, p.pages, p.estimate
	p.mu.Unlock()
	// Another process reads these by the wall clock, which may have been set since.
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

func (p *Progress) update(change func(*Snapshot)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	change(&p.now)
}

func (p *Progress) begin(at time.Time) { p.update(func(s *Snapshot) { s.Began = at }) }

// WindowBegun is shard.Observer's: progress begins again with a window and its shards.
func (p *Progress) WindowBegun(w shard.Window) {
	p.update(func(s *Snapshot) {
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
	p.update(func(s *Snapshot) {
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

// ElementsLeft returns how many elements the window still has; 0 if that is not known.
func (p *Progress) ElementsLeft() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return max(0, p.now.Total-p.now.Walked)
}

// Asking is dispatch.Observer's.
func (p *Progress) Asking(endpoint string) {
	p.update(func(s *Snapshot) { s.Endpoint, s.Waiting, s.Until = endpoint, "", time.Time{} })
}

// Waiting is dispatch.Observer's.
func (p *Progress) Waiting(endpoint, why string, until time.Time) {
	p.update(func(s *Snapshot) { s.Waiting, s.Why, s.Until = endpoint, why, until })
}
