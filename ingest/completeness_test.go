package ingest_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"datasync/ingest"
	"datasync/ingest/walk"
	"datasync/internal/model"
	"datasync/mockserver"
)

// A pull that can store hardly anything fails, and the next one may succeed.
func TestOnlyRejects(t *testing.T) {
	malformed := func(rate float64, events int) mockserver.Options {
		return mockserver.Options{Data: mockserver.DataOptions{Events: events, DirtyRate: rate, DirtyKinds: mockserver.RejectedMalformed()}}
	}
	for _, tc := range []struct {
		name  string
		o     mockserver.Options
		fails bool
	}{
		{"all of many", malformed(1, 500), true},
		{"all of one", malformed(1, 1), true},
		{"most of many", malformed(0.7, 500), true},
		{"most of few", malformed(0.7, 60), false},
		{"some", malformed(0.2, 500), false},
		{"none of none", mockserver.Options{Data: mockserver.DataOptions{Events: mockserver.NoEvents}}, false},
	} {
		inBubble(t, tc.name, tc.o, func(b *bench) {
			s, err := b.pull()
			if errors.Is(err, ingest.ErrUnusable) != tc.fails || s.Complete == tc.fails || !tc.fails && err != nil {
				b.t.Fatalf("%v, complete: %v", err, s.Complete)
			}
			if tc.fails && (!strings.Contains(err.Error(), "missing_") || !strings.Contains(err.Error(), `, such as "`)) {
				b.t.Errorf("%v", err)
			}
			_, err = b.pull()
			if none := len(b.store.Events()) == 0 && tc.o.Data.Events > 0; errors.Is(err, ingest.ErrUnusable) != none {
				b.t.Errorf("again, with nothing new: %v", err)
			}
		})
	}
}

// The API counts the exact copies that it serves: the summary shows these as copies, and only the rest as missing.
func TestExactCopiesAreCounted(t *testing.T) {
	for _, tc := range []struct {
		total   string
		copies  int64
		missing int64
	}{{"1100", 100, 0}, {"1000", 0, 0}, {"1050", 50, 0}, {"1103", 100, 3}} {
		o := mockserver.Options{RepeatWithin: 10, StatedTotal: tc.total, Data: mockserver.DataOptions{Events: 1000}, Events: mockserver.Pages{Cap: 55}}
		inBubble(t, tc.total, o, func(b *bench) {
			s, err := b.pull()
			if errors.Is(err, walk.ErrMissing) != (tc.missing > 0) || s.Balance.V.Missing != tc.missing || !errors.Is(err, walk.ErrMissing) && err != nil {
				b.t.Fatalf("%v, %+v, %+v", err, s.Balance, s.Witness)
			}
			if s.Balance.V.Copies != tc.copies {
				b.t.Errorf("%d copies, want %d", s.Balance.V.Copies, tc.copies)
			}
		})
	}
}

// A deficit is examined once: the next pull walks to the end, and later ones only after the difference or the total
// has changed.
func TestDeficitIsExaminedOnce(t *testing.T) {
	o := mockserver.Options{StatedTotal: "2010", Data: mockserver.DataOptions{Events: 2000}}
	inBubble(t, "", o, func(b *bench) {
		b.opts.Lookback = time.Second
		toTheEnd := func() bool {
			b.t.Helper()
			before := b.pages()
			if _, err := b.pull(); !errors.Is(err, walk.ErrMissing) || !strings.Contains(err.Error(), "at least 10 of the 2,010") {
				b.t.Fatalf("%v", err)
			}
			return b.pages()-before >= 20
		}
		for pull, want := range []bool{true, true, false, false} {
			if got := toTheEnd(); got != want {
				b.t.Errorf("pull %d walks to the end: %v; want the first two, and none while nothing changes", pull+1, got)
			}
		}
		if err := b.store.SetDeficit(b.t.Context(), model.Deficit{Missing: 9, Total: 2010, Walked: true}); err != nil {
			b.t.Fatal(err)
		}
		if toTheEnd() || !toTheEnd() || toTheEnd() {
			b.t.Error("a changed difference is not examined exactly once")
		}
	})
}

// With a start bound, the API's total means something only if its pages end above the bound.
func TestTotalsWithAStartBound(t *testing.T) {
	for _, below := range []bool{true, false} {
		inBubble(t, fmt.Sprint("events below it: ", below), mockserver.Options{StatedTotal: "2010"}, func(b *bench) {
			data := b.server.Dataset()
			b.opts.From.Valid, b.opts.From.V = true, model.InstantOf(data.Event(data.Len()-1).Time().Add(-time.Hour))
			if below {
				b.opts.From.V = model.InstantOf(data.Event(data.Len() / 2).Time())
			}
			for range 3 {
				s, err := b.pull()
				if below && (err != nil || s.Balance.Valid) || !below && (!errors.Is(err, walk.ErrMissing) || s.Balance.V.Missing != 10) {
					b.t.Errorf("%v, %+v", err, s.Balance)
				}
			}
		})
	}
}

// An empty answer without more, which a backend in trouble sends once, is not the end.
func TestUnexpectedEndIsConfirmed(t *testing.T) {
	for _, total := range []string{`"total":0,`, `"total":150,`, `"total":400,`, ""} {
		for _, offsets := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				x := newTruth(t, 3, offsets, 1)
				x.api.expired, x.api.size = 0, 20
				x.api.arrive(200)
				var requests atomic.Int64
				x.opts.Transport = roundTripper(func(r *http.Request) (*http.Response, error) {
					if requests.Add(1) == 6 {
						body := `{"data":[],"pagination":{"hasMore":false,"nextCursor":null},"meta":{` + total + `"returned":0}}`
						return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(bytes.NewReader([]byte(body)))}, nil
					}
					return x.api.RoundTrip(r)
				})
				if err := x.pull(); err != nil || len(x.store.Events()) != len(x.api.events) {
					t.Errorf("%s: %v, %d of %d events", total, err, len(x.store.Events()), len(x.api.events))
				}
			})
		}
	}
}

// Exact copies count as such anywhere: next to each other, across the border of two pages, or after all other
// events.
func TestCopiesAnywhere(t *testing.T) {
	for name, where := range map[string]func(*changing, int) int{
		"side by side":    func(_ *changing, i int) int { return 3 + 7*i },
		"across a border": func(c *changing, i int) int { return (i+1)*c.size - 1 },
		"at the end":      func(c *changing, _ int) int { return len(c.events) - 1 },
	} {
		synctest.Test(t, func(t *testing.T) {
			x := newTruth(t, 3, true, 1)
			x.api.expired, x.api.size = 0, 20
			x.api.arrive(200)
			for i := range 5 {
				at := where(x.api, i)
				copied := x.api.events[at]
				if name == "at the end" {
					copied = x.api.events[i]
				}
				x.api.events = slices.Insert(x.api.events, at+1, copied)
			}
			summary, err := ingest.Run(t.Context(), x.opts)
			if err != nil || summary.Balance.V.Copies != 5 {
				t.Errorf("%s: %v, %+v", name, err, summary.Balance)
			}
		})
	}
}
