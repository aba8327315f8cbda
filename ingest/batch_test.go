package ingest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"

	"datasync/ingest/api"
	"datasync/ingest/decode"
	"datasync/ingest/walk"
	"datasync/internal/model"
)

// committed is a store that only accepts batches, and calls fail with each.
type committed struct {
	Store
	batches []model.Batch
	fail    func(n int) error
}

func (c *committed) StartBatch(_ context.Context, b model.Batch) (wait func() (model.Committed, error)) {
	if err := c.fail(len(c.batches)); err != nil {
		return func() (model.Committed, error) { return model.Committed{}, err }
	}
	b.Pages = slices.Clone(b.Pages)
	for i := range b.Pages {
		b.Pages[i].Events = slices.Clone(b.Pages[i].Events)
	}
	c.batches = append(c.batches, b)
	for i := range b.Pages {
		b.Copied(i)
	}
	return func() (model.Committed, error) { return model.Committed{}, nil }
}

// newBuffer returns a page buffer with that many events.
func newBuffer(n int) *api.Buffer {
	s := (&api.BufferPool{}).Take()
	s.Events = make([]model.Event, n)
	return s
}

func newTestBatcher(c *committed) *batcher {
	return &batcher{
		store: c, checkpoint: model.Checkpoint{Window: 1}, progress: &Progress{}, buffers: &api.BufferPool{},
		counters: newCounters(nil), unordered: func() {}, walks: func() int { return 1 },
	}
}

// batched sends pages of that many events and rejects each through a batcher.
func batched(t *testing.T, c *committed, sizes ...[2]int) (*batcher, error) {
	t.Helper()
	var pages []walk.Page
	at := model.Instant(1 << 40)
	for n, size := range sizes {
		p := walk.Page{Response: walk.Response{Endpoint: api.Events, Request: api.Request{Cursor: fmt.Sprint("c", n)}, Buffer: newBuffer(size[0])}}
		p.Page = decode.Page{Events: p.Buffer.Events, Rejects: make([]model.Reject, size[1]), Elements: size[0] + size[1], NextCursor: fmt.Sprint("c", n+1), Descending: true, Ordered: true}
		for i := range p.Events {
			at--
			p.Events[i].Timestamp = at
		}
		p.SetRange()
		pages = append(pages, p)
	}
	b := newTestBatcher(c)
	return b, b.runOver(t, pages...)
}

// runOver runs the batcher over pages, in a bubble, in which no time passes while there are pages. On a slow machine, a
// batch would otherwise become due before it is full.
func (b *batcher) runOver(t *testing.T, pages ...walk.Page) (err error) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		from := make(chan walk.Page, len(pages))
		for _, p := range pages {
			from <- p
		}
		close(from)
		err = b.run(t.Context(), from)
	})
	return err
}

// TestBatchesAreFull: batches are full to the row for all page sizes, keep the order of the pages, and have the
// checkpoint of their last whole page.
func TestBatchesAreFull(t *testing.T) {
	const most = model.MaxRows
	for _, tc := range []struct {
		name  string
		sizes [][2]int
		want  [][2]int // of the batches: events, and pages that are whole by then
	}{
		{"pages of 5,000", slices.Repeat([][2]int{{5000, 0}}, 60), [][2]int{{most, 24}, {most, 49}, {300_000 - 2*most, 60}}},
		{"a page of several batches", [][2]int{{5000, 0}, {300_000, 0}, {7, 0}}, [][2]int{{most, 1}, {most, 1}, {305_007 - 2*most, 3}}},
		{"a page that fits to the row", [][2]int{{most, 0}, {1, 0}}, [][2]int{{most, 1}, {1, 2}}},
		{"rejects take no row from events", slices.Repeat([][2]int{{4000, 900}}, 40), [][2]int{{most, 30}, {160_000 - most, 40}}},
		{"many rejects", slices.Repeat([][2]int{{2000, 1000}}, 40), [][2]int{{31 * 2000, 30}, {80_000 - 31*2000, 40}}},
		{"rejects alone", [][2]int{{0, model.MaxRejects + 5}}, [][2]int{{0, 0}, {0, 1}}},
		{"empty pages", [][2]int{{0, 0}, {0, 0}, {3, 0}}, [][2]int{{3, 3}}},
		{"nothing", nil, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			c := &committed{fail: func(int) error { return nil }}
			b, err := batched(t, c, tc.sizes...)
			if err != nil {
				t.Fatal(err)
			}
			var got [][2]int
			whole, last := 0, model.Instant(1<<40)
			for _, batch := range c.batches {
				events, _ := batch.Size()
				for _, p := range batch.Pages {
					if p.Record.CursorReceived != "" {
						whole++
					}
					for i := range p.Events {
						if p.Events[i].Timestamp != last-1 {
							t.Fatalf("event %d comes after %d", p.Events[i].Timestamp, last)
						}
						last--
					}
				}
				got = append(got, [2]int{events, whole})
				wantCursor := ""
				if whole > 0 {
					wantCursor = fmt.Sprint("c", whole)
				}
				if k := batch.Checkpoint; k.Cursor != wantCursor {
					t.Errorf("checkpoint at %q after %d whole pages", k.Cursor, whole)
				}
			}
			if !slices.Equal(got, tc.want) {
				t.Errorf("batches %v, want %v", got, tc.want)
			}
			if n := b.counters.Pages[api.Events]; n != int64(len(tc.sizes)) || b.buffers.Idle() != len(tc.sizes) {
				t.Errorf("%d pages counted and %d buffers released, of %d", n, b.buffers.Idle(), len(tc.sizes))
			}
		})
	}
}

// TestBatchesOfMuchText: a page with more text than a batch may hold is divided.
func TestBatchesOfMuchText(t *testing.T) {
	c := &committed{fail: func(int) error { return nil }}
	b := newTestBatcher(c)
	large := decode.Page{Events: make([]model.Event, 1000), Rejects: make([]model.Reject, 10), Elements: 1010, NextCursor: "c1"}
	small := decode.Page{Events: make([]model.Event, 7), Elements: 7, NextCursor: "c2"}
	err := b.runOver(t, walk.Page{Page: large, Response: walk.Response{Endpoint: api.Events, Buffer: &api.Buffer{}, Bytes: 4*maxBatchBytes + 1}},
		walk.Page{Page: small, Response: walk.Response{Endpoint: api.Events, Buffer: &api.Buffer{}, Bytes: 7}})
	if err != nil {
		t.Fatal(err)
	}
	var got [][2]int
	for _, batch := range c.batches {
		events, rejects := batch.Size()
		got = append(got, [2]int{events, rejects})
	}
	if want := [][2]int{{252, 0}, {252, 0}, {252, 0}, {244, 8}, {7, 2}}; !slices.Equal(got, want) {
		t.Errorf("batches of %v events and rejects, want %v", got, want)
	}
}

// TestLargePagesFillBatches: a page that exceeds the rest of a batch first fills that batch.
func TestLargePagesFillBatches(t *testing.T) {
	c := &committed{fail: func(int) error { return nil }}
	b := newTestBatcher(c)
	var pages []walk.Page
	for n := range 4 {
		p := decode.Page{Events: make([]model.Event, 100_000), Elements: 100_000, NextCursor: fmt.Sprint("c", n+1)}
		pages = append(pages, walk.Page{Page: p, Response: walk.Response{Endpoint: api.Events, Buffer: newBuffer(0), Bytes: 35 << 20}})
	}
	pages = append(pages, walk.Page{Page: decode.Page{Events: make([]model.Event, 1), Elements: 1}, Response: walk.Response{Endpoint: api.Events, Buffer: newBuffer(0), Bytes: 2 * maxBatchBytes}})
	if err := b.runOver(t, pages...); err != nil {
		t.Fatal(err)
	}
	var got []int
	for _, batch := range c.batches {
		events, _ := batch.Size()
		got = append(got, events)
	}
	if want := []int{model.MaxRows, model.MaxRows, model.MaxRows, 400_000 - 3*model.MaxRows, 1}; !slices.Equal(got, want) {
		t.Errorf("batches of %v events, want %v", got, want)
	}
}

// TestBatcherEndsWithItsStore: after a failed commit, nothing more is committed or collected.
func TestBatcherEndsWithItsStore(t *testing.T) {
	for _, at := range []int{0, 1} {
		want := errors.New("disk full")
		c := &committed{fail: func(n int) error {
			if n == at {
				return want
			}
			return nil
		}}
		if _, err := batched(t, c, slices.Repeat([][2]int{{50_000, 0}}, 20)...); !errors.Is(err, want) || len(c.batches) != at {
			t.Errorf("%v after %d batches, want %v after %d", err, len(c.batches), want, at)
		}
	}
}

// crossed is a store that copies the second of two batches before the first.
type crossed struct {
	Store
	first model.Batch
	back  func() int
	seen  []int
}

func (c *crossed) StartBatch(_ context.Context, b model.Batch) (wait func() (model.Committed, error)) {
	if c.first.Pages == nil {
		c.first = b
		b.Copied(0) // the rest takes longer
	} else {
		for _, b := range []model.Batch{b, c.first} {
			for page := range b.Pages {
				if page > 0 || b.Checkpoint != c.first.Checkpoint {
					b.Copied(page)
				}
				c.seen = append(c.seen, c.back())
			}
		}
	}
	return func() (model.Committed, error) { return model.Committed{}, nil }
}

// TestBufferOfTwoBatches: the buffer of a divided page is reused only after both batches are copied, in any order.
func TestBufferOfTwoBatches(t *testing.T) {
	c := &crossed{}
	b := newTestBatcher(nil)
	b.store, c.back = c, func() int { return b.buffers.Idle() }
	var pages []walk.Page
	for n, size := range []int{model.MaxRows - 10, 100, model.MaxRows - 90} {
		p := decode.Page{Events: make([]model.Event, size), Elements: size, NextCursor: fmt.Sprint("c", n+1)}
		pages = append(pages, walk.Page{Page: p, Response: walk.Response{Endpoint: api.Events, Buffer: b.buffers.Take()}})
	}
	if err := b.runOver(t, pages...); err != nil {
		t.Fatal(err)
	}
	// The second batch: the rest of page 2, page 3; then the first: page 1 was back, page 2.
	if want := []int{1, 2, 2, 3}; !slices.Equal(c.seen, want) {
		t.Errorf("released buffers: %v, want %v", c.seen, want)
	}
}
