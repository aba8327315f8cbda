package ingest

import (
	"cmp"
	"maps"
	"slices"
	"sync"
	"time"

	"datasync/ingest/api"
	"datasync/ingest/dispatch"
	"datasync/ingest/shard"
	"datasync/internal/model"
)

// Progress follows a pull. Its zero value is ready for use; any goroutine may call Now during the pull.
type Progress struct {
	mu  sync.Mutex
	now Snapshot
	// walked has the addends of Snapshot.Walked, by window or shard, and parts how far each has got.
	walked map[int64]int64
	parts  map[int64]Part
	read   map[string]int64 // elements, by endpoint
	whole  bool             // the window goes down to the end

	pages    int64 // that were read
	requests Requests
}

// Requests tells a Progress about requests. Any goroutine may call it.
type Requests interface {
	// Remaining estimates the time of that many pages; 0 if there is no estimate yet.
	Remaining(pages float64) time.Duration
	// Trouble returns why no pages arrive now.
	Trouble() dispatch.Trouble
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
	// Waits has the endpoints that asked for a wait. Retries has, for each endpoint, the request that has failed
	// for longest, ordered by failures, most first.
	Waits   []dispatch.Wait
	Retries []Retry
	// Stalled says that no page has arrived since the failure of the first of Retries.
	Stalled bool
	// Silent is how long no byte has arrived although requests are in flight; 0 if that is too short to show.
	Silent time.Duration
	// Left estimates the remaining time; 0 if there is no estimate yet.
	Left time.Duration
	// Sources has the addends of Read by endpoint, Parts the current window and its shards, the newest first. Pulls
	// of earlier versions tell neither.
	Sources []Source
	Parts   []Part
}

// Source is an endpoint with the number of elements that this run has read from it.
type Source struct {
	Endpoint string
	Read     int64
}

// Part is a window that is being walked, or a shard of one.
type Part struct {
	Number int64
	// Walked counts its elements, earlier runs included.
	Walked int64
	// At is the instant of the last event read; zero before the first one.
	At   time.Time
	Done bool
	// Share is the part of its time that is read, 0 to 1; negative if its end is not known.
	Share float64
}

// Retry is a failed request that will be sent again.
type Retry struct {
	// Endpoint is the one that failed last.
	Endpoint string
	// Number counts the failures in a row, and so the retries.
	Number int
	// Why is the last failure in a few words, such as "502", Error its text on one line.
	Why, Error string
	// Next is when the request is sent again, or was. From GivesUp on, another failure ends the
	// pull.
	Next, GivesUp time.Time
}

// longSilence is the shortest silence of the API that is shown. Pages take up to 24 seconds under load, but then
// others arrive meanwhile.
const longSilence = 10 * time.Second

// Now returns the progress.
func (p *Progress) Now() Snapshot {
	p.mu.Lock()
	now, pages, requests := p.now, p.pages, p.requests
	for _, endpoint := range slices.Sorted(maps.Keys(p.read)) {
		now.Sources = append(now.Sources, Source{endpoint, p.read[endpoint]})
	}
	now.Parts = slices.SortedFunc(maps.Values(p.parts), func(a, b Part) int { return cmp.Or(b.At.Compare(a.At), cmp.Compare(a.Number, b.Number)) })
	p.mu.Unlock()
	at := time.Now()
	if requests != nil {
		now.take(requests.Trouble(), at)
		if left := now.Total - now.Walked; left > 0 && now.Read > 0 {
			now.Left = requests.Remaining(float64(left) * float64(pages) / float64(now.Read))
		}
	}
	// Another process reads these by the wall clock, which may have been set since.
	instants := []*time.Time{&now.Began, &now.Until}
	for i := range now.Waits {
		instants = append(instants, &now.Waits[i].Until)
	}
	for i := range now.Retries {
		instants = append(instants, &now.Retries[i].Next, &now.Retries[i].GivesUp)
	}
	for _, instant := range instants {
		if !instant.IsZero() {
			*instant = at.Add(instant.Sub(at))
		}
	}
	return now
}

// take adds why no pages arrive.
func (s *Snapshot) take(t dispatch.Trouble, at time.Time) {
	s.Waits, s.Stalled = t.Waits, t.Stalled
	for _, r := range t.Retries {
		s.Retries = append(s.Retries, Retry{r.Endpoint, r.Failures, api.Brief(r.Err), model.Line(r.Err), r.Next, r.GivesUp})
	}
	if silent := at.Sub(t.SilentSince); !t.SilentSince.IsZero() && silent >= longSilence {
		s.Silent = silent
	}
}

// Follow makes the progress report what requests knows.
func (p *Progress) Follow(requests Requests) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.requests = requests
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
		p.walked, p.parts = map[int64]int64{}, map[int64]Part{}
		s.Walked, s.Total = 0, 0
		for _, k := range w {
			p.walked[k.Window], p.parts[k.Window] = k.Walked, partOf(k)
			s.Walked += k.Walked
		}
		p.whole = !w.Lower().Valid
		if p.whole {
			s.Total = w[0].Total.V
		}
	})
}

// partOf says how far a checkpoint is.
func partOf(k model.Checkpoint) Part {
	part := Part{Number: k.Window, Walked: k.Walked, Done: k.State == model.Done}
	top := k.Upper
	if k.IsShard() {
		top = k.Begins
	}
	if k.Last.Valid {
		part.At = k.Last.V.Timestamp.Time()
	}
	if part.Share = -1; top.Valid && k.Lower.Valid && k.Last.Valid && top.V > k.Lower.V {
		part.Share = float64(top.V-k.Last.V.Timestamp) / float64(top.V-k.Lower.V)
	}
	return part
}

func (p *Progress) page(k model.Checkpoint, endpoint string, elements int) {
	p.update(func(s *Snapshot) {
		s.Read += int64(elements)
		p.pages++
		s.Walked += k.Walked - p.walked[k.Window]
		if p.walked == nil {
			p.walked, p.parts = map[int64]int64{}, map[int64]Part{}
		}
		if p.read == nil {
			p.read = map[string]int64{}
		}
		p.walked[k.Window], p.parts[k.Window] = k.Walked, partOf(k)
		p.read[endpoint] += int64(elements)
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
