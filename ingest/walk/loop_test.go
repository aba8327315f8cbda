package walk

import (
	"errors"
	"fmt"
	"testing"

	"datasync/ingest/decode"
	"datasync/internal/model"
	"datasync/internal/store/storetest"
)

func pageOf(from, to int, next string) *decode.Page {
	p := &decode.Page{HasMore: true, NextCursor: next}
	for n := from; n < to; n++ {
		p.Events = append(p.Events, storetest.Event(n))
	}
	p.Elements = len(p.Events)
	return p
}

func TestLoopDetector(t *testing.T) {
	down := func(n int) *decode.Page { return pageOf(10*n, 10*n+10, fmt.Sprint("c", n)) }
	rejects := func(n int) *decode.Page {
		return &decode.Page{HasMore: true, NextCursor: fmt.Sprint("c", n), Elements: 1, Rejects: []model.Reject{{Key: fmt.Sprint(n)}}}
	}
	last := down(2)
	last.HasMore, last.NextCursor = false, ""
	for _, tc := range []struct {
		name string
		page func(n int) *decode.Page
		want error
		at   int // the page that fails
	}{
		{"down", down, nil, 0},
		{"only rejects, each another one", rejects, nil, 0},
		{"one event, twice each", func(n int) *decode.Page { return pageOf(n/2, n/2+1, fmt.Sprint("c", n)) }, nil, 0},
		{"no cursor", func(n int) *decode.Page { return pageOf(n, n+1, "") }, ErrNoCursor, 0},
		{"an older cursor", func(n int) *decode.Page { p := down(n); p.NextCursor = fmt.Sprint("c", n%3); return p }, ErrLoop, 3},
		{"the same events", func(n int) *decode.Page { return pageOf(0, 10, fmt.Sprint("c", n)) }, ErrLoop, 1},
		{"a circle of events", func(n int) *decode.Page { return pageOf(10*(n%4), 10*(n%4)+10, fmt.Sprint("c", n)) }, ErrLoop, 4},
		{"empty", func(n int) *decode.Page { return pageOf(0, 0, fmt.Sprint("c", n)) }, ErrLoop, maxIdlePages},
		{"one event for ever", func(n int) *decode.Page { return pageOf(0, 1, fmt.Sprint("c", n)) }, ErrLoop, maxIdlePages + 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			detector, cursor := newLoopDetector(), ""
			for n := range 3 * maxIdlePages {
				p := tc.page(n)
				err := detector.check(cursor, p)
				if err != nil {
					if !errors.Is(err, tc.want) || n != tc.at {
						t.Errorf("page %d: %v; want %v at %d", n, err, tc.want, tc.at)
					}
					return
				}
				cursor = p.NextCursor
			}
			if tc.want != nil {
				t.Errorf("never noticed: %v", tc.want)
			}
		})
	}
	if err := newLoopDetector().check("c", last); err != nil {
		t.Errorf("the last page: %v", err)
	}
}
