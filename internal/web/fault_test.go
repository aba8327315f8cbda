package web_test

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"datasync/internal/report"
	"datasync/internal/report/figures"
	"datasync/internal/web"
	"datasync/internal/web/tally"
)

// noted are the lines that a page has logged.
type noted struct {
	mu    sync.Mutex
	lines []string
}

func (n *noted) note(line string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.lines = append(n.lines, line)
}

// check compares the logged lines with their beginnings, in any order.
func (n *noted) check(t *testing.T, want ...string) {
	t.Helper()
	n.mu.Lock()
	defer n.mu.Unlock()
	slices.Sort(n.lines)
	slices.Sort(want)
	ok := len(n.lines) == len(want)
	for i := 0; ok && i < len(want); i++ {
		ok = strings.HasPrefix(n.lines[i], want[i]) && !strings.Contains(n.lines[i], "\n")
	}
	if !ok {
		t.Errorf("logged %q, want %q", n.lines, want)
	}
}

// pulling is a page of a pull into a new file.
func pulling(t *testing.T, n *noted) (s *served, src *source, c *tally.Counters) {
	t.Helper()
	web.SetFirstReading(t, time.Hour)
	src = &source{path: filepath.Join(t.TempDir(), "a.duckdb")}
	src.standing.Store(&web.Standing{State: web.Pulling})
	c = tally.New(time.UTC)
	c.Seed(&figures.Counts{}, time.Time{}, time.Time{}, 0)
	return serve(t, web.Options{Source: src, Counters: c, Notice: n.note}), src, c
}

// TestPanicOfASection: a section that cannot be drawn keeps its last drawing and says that it is stale, the others go
// on, and it is right once it can be drawn again.
func TestPanicOfASection(t *testing.T) {
	var broken atomic.Bool
	web.SetParts(t, func(r *report.Report) []report.Part {
		all := r.Parts()
		for i, p := range all {
			if p.ID != "days" {
				continue
			}
			all[i].Draw = func() report.Section {
				if broken.Load() {
					panic("out of\nrange")
				}
				return p.Draw()
			}
		}
		return all
	})
	var n noted
	s, src, c := pulling(t, &n)
	r := s.stream()
	pulled(t, src.path, 2000, c.Batch)
	first, _, _ := c.Batches()
	r.await("the counts", func() bool { return r.sections["days"].Chip == fmt.Sprintf("batch %d · live", first) })
	before := r.sections["days"].HTML
	broken.Store(true)
	pulled(t, src.path, 3000, c.Batch)
	second, _, _ := c.Batches()
	r.await("the other sections", func() bool {
		return r.sections["hours"].Chip == fmt.Sprintf("batch %d · live", second) && r.sections["days"].Stale && r.state.Trouble != ""
	})
	if d := r.sections["days"]; d.HTML != before || d.Chip != fmt.Sprintf("batch %d · stale", first) {
		t.Errorf("a section that cannot be drawn has the chip %q, and another drawing: %v", d.Chip, d.HTML != before)
	}
	const says = "the page cannot draw the section days: out of range at fault_test.go:"
	if !strings.HasPrefix(r.state.Trouble, says) || r.state.State != "pulling" {
		t.Errorf("%+v", r.state)
	}
	later := s.stream()
	later.await("the sections", func() bool { return later.sections["days"].Stale && later.state.Trouble != "" })
	broken.Store(false)
	r.await("the section", func() bool {
		return r.sections["days"].Chip == fmt.Sprintf("batch %d · live", second) && !r.sections["days"].Stale && r.state.Trouble == ""
	})
	n.check(t, says)
	s.End(t.Context(), 0, time.Hour)
	for r.next() {
	}
	if st := r.state; *st.Exit != 0 || *st.Events != 3000 || r.sections["days"].HTML == before || r.sections["users"].HTML == "" {
		t.Errorf("%+v", st)
	}
}

// TestPanicOfAllDrawings: a pull ends with its code although nothing can be drawn.
func TestPanicOfAllDrawings(t *testing.T) {
	web.SetParts(t, func(*report.Report) []report.Part { panic("none") })
	var n noted
	s, src, c := pulling(t, &n)
	r := s.stream()
	pulled(t, src.path, 2000, c.Batch)
	r.await("the failure", func() bool { return strings.HasPrefix(r.state.Trouble, "the page cannot show the counts: none at ") })
	s.End(t.Context(), 4, time.Hour)
	for r.next() {
	}
	if st := r.state; st.State != "ended" || *st.Exit != 4 || *st.Events != 2000 {
		t.Errorf("%+v", st)
	}
	n.check(t, "the page cannot read its figures: none at ", "the page cannot show the counts: none at ")
}

// failing is a source whose methods panic while it is broken.
type failing struct {
	*source
	broken atomic.Bool
	// inside has Use panic after it has the file.
	inside atomic.Bool
}

func (f *failing) fail() {
	if f.broken.Load() {
		var none *source
		none.used <- struct{}{}
	}
}

func (f *failing) Use(ctx context.Context, do func(context.Context, string) error) error {
	f.fail()
	return f.source.Use(ctx, func(ctx context.Context, path string) error {
		if f.inside.Load() {
			path = "\x00"
			defer func() { panic("lost") }()
		}
		return do(ctx, path)
	})
}

func (f *failing) Standing(ctx context.Context) (web.Standing, error) {
	f.fail()
	return f.source.Standing(ctx)
}

func (f *failing) Windows(ctx context.Context) ([]figures.Window, error) {
	f.fail()
	return f.source.Windows(ctx)
}

// TestPanicOfTheSource: looks at a pull that panic are logged once, leave no lock held, and later ones are right.
func TestPanicOfTheSource(t *testing.T) {
	var n noted
	src := &failing{source: &source{path: filepath.Join(t.TempDir(), "a.duckdb")}}
	src.standing.Store(&web.Standing{State: web.Pulling})
	c := tally.New(time.UTC)
	c.Seed(&figures.Counts{}, time.Time{}, time.Time{}, 0)
	pulled(t, src.path, 2000, c.Batch)
	src.broken.Store(true)
	s := serve(t, web.Options{Source: src, Counters: c, Notice: n.note})
	r := s.stream()
	r.await("the failure", func() bool { return strings.HasPrefix(r.state.Trouble, "the page cannot look at the pull: ") })
	var got queried
	s.post("/query", sql{SQL: "SELECT 1"}, &got)
	if got.Error == nil || !strings.HasPrefix(got.Error.Text, "the page cannot open its file: ") {
		t.Errorf("%+v", got.Error)
	}
	for range 3 { // looks that fail again
		r.next()
	}
	src.broken.Store(false)
	src.inside.Store(true)
	s.post("/query", sql{SQL: "SELECT 1"}, &got)
	if got.Error == nil || !strings.HasPrefix(got.Error.Text, "the page cannot open its file: lost at ") {
		t.Errorf("%+v", got.Error)
	}
	src.inside.Store(false)
	got = queried{}
	s.post("/query", sql{SQL: "SELECT count(*) FROM events"}, &got)
	if got.Error != nil || *got.Rows[0][0] != "2000" {
		t.Errorf("after the panics: %+v", got)
	}
	r.await("the events", func() bool { return r.state.Trouble == "" && r.state.Events != nil && *r.state.Events == 2000 })
	src.broken.Store(true)
	s.End(t.Context(), 4, time.Hour)
	for r.next() {
	}
	if st := r.state; st.State != "ended" || *st.Exit != 4 || *st.Events != 2000 {
		t.Errorf("%+v", st)
	}
	n.check(t, "the page cannot look at the pull: ", "the page cannot open its file: ")
}

// speechless is an error without a text.
type speechless struct{}

func (speechless) Error() string { panic("speechless") }

// failed is a source whose Use fails until it is mended.
type failed struct {
	*source
	mended atomic.Bool
}

func (f *failed) Use(ctx context.Context, do func(context.Context, string) error) error {
	if !f.mended.Load() {
		return speechless{}
	}
	return f.source.Use(ctx, do)
}

// TestPanicOfARequest: a request that panics ends alone, and is logged once.
func TestPanicOfARequest(t *testing.T) {
	var n noted
	src := &failed{source: &source{path: filepath.Join(t.TempDir(), "a.duckdb")}}
	pulled(t, src.path, 100, nil)
	s := serve(t, web.Options{Source: src, Notice: n.note})
	for range 2 {
		if res, err := s.send(t.Context(), "/query", sql{SQL: "SELECT 1"}); err == nil {
			_ = res.Body.Close()
			t.Errorf("a request that panics is answered with %d", res.StatusCode)
		}
	}
	src.mended.Store(true)
	var got queried
	s.post("/query", sql{SQL: "SELECT count(*) FROM events"}, &got)
	if got.Error != nil || *got.Rows[0][0] != "100" {
		t.Errorf("%+v", got)
	}
	n.check(t, "the page cannot answer POST /query: speechless at ")
}

// TestPanicOfACount: an event that cannot be counted is stored, and the page shows figures by SQL instead of counts.
func TestPanicOfACount(t *testing.T) {
	var n noted
	s, src, c := pulling(t, &n)
	r := s.stream()
	bad := c.Batch()
	bad.Add(nil)
	bad.Committed(1)
	pulled(t, src.path, 2000, c.Batch)
	r.await("the failure", func() bool {
		return strings.HasPrefix(r.state.Trouble, "the page cannot count the events of a batch: ")
	})
	s.End(t.Context(), 0, time.Hour)
	for r.next() {
	}
	if st, d := r.state, r.sections["days"]; *st.Exit != 0 || *st.Events != 2000 || d.HTML == "" || d.Live {
		t.Errorf("%+v, days live %v", st, d.Live)
	}
	n.check(t, "the page cannot count the events of a batch: ")
}
