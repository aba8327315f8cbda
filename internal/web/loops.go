package web

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"datasync/internal/inspect"
	"datasync/internal/report"
	"datasync/internal/report/figures"
	"datasync/internal/web/tally"
)

// follow looks at what the pull does.
func (s *Server) follow(ctx context.Context) {
	watched := s.clients.any()
	if !watched && s.Counters == nil {
		return // it would ask another process for nothing
	}
	began := time.Now()
	if began.Before(s.nextLook) {
		return
	}
	if s.Counters != nil && s.Counters.Failure() != "" {
		s.fail("count the events of a batch", s.Counters.Failure())
	}
	standing, err := s.Source.Standing(ctx)
	if ctx.Err() != nil {
		return
	}
	s.nextLook = time.Now().Add(min(lookShare*time.Since(began), longestPause))
	var windows []figures.Window
	if s.Counters != nil && err == nil {
		var known bool
		if standing.Batch, standing.Events, known = s.Counters.Batches(); !known {
			standing.Batch, standing.Events = max(standing.Batch, s.Stored), -1
		}
		if asked := time.Now(); watched && standing.Batch != s.windowsAt && !asked.Before(s.nextWindows) {
			_ = s.try("read the windows", func() (err error) { // those of the last look stay if it fails
				if windows, err = s.Source.Windows(ctx); err == nil {
					s.windowsAt = standing.Batch
				}
				return nil
			})
			s.nextWindows = time.Now().Add(min(drawShare*time.Since(asked), longestPause))
		}
	}
	v := &s.view
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.over {
		return
	}
	if err != nil {
		v.trouble = s.Explain(err)
		return
	}
	if !v.reading.failed {
		v.trouble = ""
	}
	if standing.State == "" { // the last reading says what the file has
		standing.Batch, standing.Events = -1, -1
		if b := v.base; b != nil && v.reading.edition == s.Source.Edition() {
			standing.Batch, standing.Events = v.reading.batch, b.Trust.Events
		}
	}
	v.standing = standing
	if windows != nil {
		v.windows = windows
	}
	if standing.State != "" {
		v.rate.note(time.Now(), standing.Endpoints)
	}
}

// lookLast looks at the end of a pull of this process.
func (s *Server) lookLast(ctx context.Context) {
	standing, err := s.Source.Standing(ctx)
	if err != nil {
		return // the last look stays
	}
	v := &s.view
	v.mu.Lock()
	defer v.mu.Unlock()
	var known bool
	if standing.Batch, standing.Events, known = s.Counters.Batches(); !known {
		standing.Batch, standing.Events = max(standing.Batch, s.Stored), -1
	}
	if v.settled {
		standing.Batch, standing.Events = v.base.Trust.Batch, v.base.Trust.Events
	}
	v.standing = standing
}

// draw draws the sections that follow each batch. It takes at most a share of a processor.
func (s *Server) draw(context.Context) {
	if began := time.Now(); s.clients.any() && !began.Before(s.nextDraw) {
		s.redraw()
		s.nextDraw = time.Now().Add(min(drawShare*time.Since(began), longestPause))
	}
}

// redraw is draw, also without a client. When it returns, the sections are those of now, also if another drawing was
// under way.
func (s *Server) redraw() {
	s.drawing.Lock()
	defer s.drawing.Unlock()
	s.redrawHeld()
}

// redrawHeld is redraw while s.drawing is held.
func (s *Server) redrawHeld() {
	v := &s.view
	base, windows, settled := v.known()
	if v.hasRate() {
		s.put([]report.Part{{ID: "rate", Draw: v.rateSection}}, drawn{live: true})
	}
	if s.Counters == nil || settled {
		return
	}
	batch, _, _ := s.Counters.Batches()
	if !v.draws(counted{batch, base, len(windows), figures.NotYetPulled(windows)}) {
		return
	}
	if s.try("show the counts", func() error { s.drawCounts(s.Counters.Now(), base, windows); return nil }) != nil {
		v.leave(report.LiveParts()...)
	}
}

// put draws parts of the page. One that cannot be drawn keeps its last drawing, and is marked as stale.
func (s *Server) put(parts []report.Part, of drawn) {
	var all []piece
	for _, part := range parts {
		err := s.try("draw the section "+part.ID, func() error {
			section := part.Draw()
			section.Chip = "" // it changes each second
			html, err := section.HTML()
			all = append(all, piece{part.ID, html})
			return err
		})
		if err != nil {
			s.view.leave(part.ID)
		}
	}
	s.view.put(all, of)
}

// drawCounts draws the sections of the counters.
func (s *Server) drawCounts(now tally.Now, base *report.Report, windows []figures.Window) {
	if !now.Known {
		return // they are drawn by SQL
	}
	live := &report.Report{
		File: s.File, Version: s.Version, Made: time.Now(), Zone: s.Zone,
		Figures: figures.Live(now.Counts, now.First, now.Last, windows, s.Zone), Trust: &figures.Trust{},
	}
	if base != nil {
		trust := *base.Trust
		live.Trust = &trust
		compare(live.Figures.Worst, base.Figures.Worst)
	}
	live.Trust.Windows, live.Trust.Batch = windows, now.Batch
	live.Trust.Complete = live.Trust.Complete && len(figures.NotYetPulled(windows)) == 0
	at := drawn{live: true, batch: now.Batch}
	var rest []report.Part
	for _, part := range parts(live) {
		switch {
		case !slices.Contains(report.LiveParts(), part.ID):
		case part.ID == "pages" && !now.PagesKnown:
		case part.ID == "windows" && len(windows) == 0: // they are not known yet
		case part.ID == "errors" && live.Figures.Worst != nil && live.Figures.Worst.Compared:
			compared := at
			compared.note = s.comparedNote()
			s.put([]report.Part{part}, compared)
		default:
			rest = append(rest, part)
		}
	}
	s.put(rest, at)
	s.view.mu.Lock()
	defer s.view.mu.Unlock()
	if s.view.closing || s.view.over {
		return
	}
	s.view.complete = badgeOf(live)
	s.view.complete.Text = strings.TrimSuffix(s.view.complete.Text, "; run datasync pull")
	if len(windows) == 0 {
		s.view.complete = badge{report.Caution, "Incomplete: the pull has just begun"}
	}
}

// compare takes the differences that SQL found in the worst hour, if it is the same hour.
func compare(worst, read *figures.WorstHour) {
	if worst != nil && read != nil && worst.Start.Equal(read.Start) {
		worst.Compared, worst.Factors = read.Compared, read.Factors
	}
}

// parts are those of a report: a variable for the tests.
var parts = (*report.Report).Parts

const (
	// lookShare times the duration of a look at another process's pull is the pause before the next one: the pull
	// commits nothing meanwhile.
	lookShare = 20
	// drawShare is the same for drawing and for reading the windows, which take time from a pull that only the
	// processor bounds.
	drawShare = 50
)

// longestPause bounds those pauses: a suspended pull takes long to say nothing.
const longestPause = 10 * time.Second

// firstReading is how long a pull into a new file runs at least before the first reading of figures: a variable for
// the tests.
var firstReading = 10 * time.Second

const (
	// readEvery is the least time between two readings of figures while a pull runs, readShare the least multiple of
	// the time that one takes.
	readEvery = time.Minute
	readShare = 40
	// idleShare is readShare while no pull runs.
	idleShare = 3
	// readPatience bounds how long a reading takes.
	readPatience = 5 * time.Minute
)

// firstPause is how long a pull into a new file runs before the first reading of figures, if it has stored this many
// events: a copy of the file would delay a pull that is over soon, and a fast one more.
func firstPause(events int64) time.Duration {
	return max(firstReading, min(readShare*estimated(events), readEvery))
}

// due reports whether figures are to be read, of which edition.
func (s *Server) due(now time.Time) (edition string, due bool) {
	if !s.clients.any() {
		return "", false
	}
	edition = s.Source.Edition()
	v := &s.view
	v.mu.Lock()
	defer v.mu.Unlock()
	last, running := v.reading, v.standing.State != "" || s.Counters != nil
	since := now.Sub(last.at)
	switch {
	case v.over:
		return edition, false
	case last.at.IsZero() && s.Counters != nil && s.Stored == 0:
		return edition, v.standing.Events > 0 && !v.rate.began.IsZero() && now.Sub(v.rate.began) >= firstPause(v.standing.Events)
	case last.at.IsZero():
		return edition, true
	case running:
		return edition, since >= max(readEvery, readShare*last.took) && (v.standing.Batch < 0 || v.standing.Batch > last.batch)
	}
	return edition, edition != last.edition && since >= max(time.Second, idleShare*last.took)
}

// read reads the figures by SQL when that is due.
func (s *Server) read(ctx context.Context) {
	edition, due := s.due(time.Now())
	if !due {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, readPatience)
	defer cancel()
	if r := s.readNow(ctx, edition); r != nil {
		s.drawRead(r)
	}
}

// readNow reads the figures; it returns nil if that fails.
func (s *Server) readNow(ctx context.Context, edition string) (r *report.Report) {
	began := time.Now()
	err := s.use(ctx, "read the figures", func(ctx context.Context, path string) (err error) {
		r, err = s.readReport(ctx, path)
		return err
	})
	v := &s.view
	v.mu.Lock()
	defer v.mu.Unlock()
	if err != nil {
		if ctx.Err() == nil {
			v.trouble = s.Explain(err)
			v.reading.at, v.reading.failed, v.reading.edition = time.Now(), true, edition
		}
		return nil
	}
	v.base, v.trouble = r, ""
	v.reading = reading{at: time.Now(), took: time.Since(began), batch: r.Trust.Batch, edition: edition}
	if v.standing.State == "" {
		v.standing.Batch, v.standing.Events = r.Trust.Batch, r.Trust.Events
	}
	if s.Counters == nil {
		v.complete = badgeOf(r)
	}
	return r
}

func badgeOf(r *report.Report) badge {
	b := r.Completeness()
	return badge{b.Tone, b.Text}
}

// drawRead draws the sections of a report that SQL gave, except for those that follow each batch.
func (s *Server) drawRead(r *report.Report) {
	s.drawing.Lock()
	defer s.drawing.Unlock()
	live := map[string]bool{}
	if s.Counters != nil && !s.settled() {
		if now := s.Counters.Now(); now.Known {
			for _, id := range report.LiveParts() {
				live[id] = id != "pages" || now.PagesKnown
			}
		}
	}
	bySQL := slices.DeleteFunc(parts(r), func(p report.Part) bool { return live[p.ID] })
	s.put(bySQL, drawn{batch: r.Trust.Batch, read: r.Made})
	if len(live) > 0 {
		s.redrawHeld() // the differences of the worst hour are new
	}
}

// settled reports whether the last figures were read. The closing check of a pull may have removed events that were
// counted.
func (s *Server) settled() bool {
	s.view.mu.Lock()
	defer s.view.mu.Unlock()
	return s.view.settled
}

// readReport reads all figures of the file, or copy, at path. The first time it also seeds the counters.
func (s *Server) readReport(ctx context.Context, path string) (_ *report.Report, err error) {
	session, err := inspect.OpenSession(ctx, path, inspect.ReadOptions{Timezone: s.Timezone})
	if err != nil {
		return nil, err
	}
	defer func() { _ = session.Close() }() // a read-only session has nothing to lose
	s.box.learn(ctx, session)
	r := &report.Report{File: s.File, Version: s.Version, Made: time.Now(), Zone: s.Zone}
	db := session.DB()
	if r.Trust, err = figures.ReadTrust(ctx, db, path, r.Made); err != nil {
		return nil, err
	}
	if r.Figures, err = figures.Read(ctx, db, figures.Options{}); err != nil {
		return nil, err
	}
	if r.Pull, err = figures.ReadPull(ctx, db); err != nil {
		return nil, err
	}
	if s.Counters == nil {
		return r, nil
	}
	if _, _, seeded := s.Counters.Batches(); !seeded {
		counts, first, last, err := figures.ReadCounts(ctx, db, s.Stored)
		if err != nil {
			return nil, err
		}
		s.Counters.Seed(counts, first, last, s.Stored)
	}
	return r, nil
}

// estimated is how long a reading of figures takes, if none has shown that yet: a second for a million events.
func estimated(events int64) time.Duration { return time.Duration(events) * time.Microsecond }

// readLast reads the figures at the end of a pull if that is likely to end within the budget.
func (s *Server) readLast(ctx context.Context, budget time.Duration) {
	if !s.view.closes(budget) {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, 2*budget)
	defer cancel()
	r := s.readNow(ctx, s.Source.Edition())
	if r == nil {
		return
	}
	s.view.settle(badgeOf(r))
	s.drawRead(r)
}

// comparedNote says as of when the differences of the worst hour are.
func (s *Server) comparedNote() string {
	s.view.mu.Lock()
	defer s.view.mu.Unlock()
	return " · differences as of batch " + strconv.FormatInt(s.view.reading.batch, 10)
}
