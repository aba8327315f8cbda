package faults

import (
	"fmt"
	"sync/atomic"
	"testing"

	"datasync/internal/e2e/harness"
	"datasync/mockserver"
)

// TestTotals: hasMore alone ends a pull. The API's total is compared with the events read wherever
// both are known, and an invalid total is ignored.
func TestTotals(t *testing.T) {
	t.Parallel()
	for _, tc := range harness.Some([]struct {
		name    string
		total   func(page, request int) string
		from    bool // the pull's start bound excludes the API's first events
		short   int  // events that the pages leave out at their end
		code    int
		says    string
		options []string
	}{
		{"it is right", func(int, int) string { return "60" }, false, 0, 0, "complete", nil},
		// The cursors may be offsets: the walk restarts.
		{"it shrinks", func(_, request int) string { return map[bool]string{true: "60", false: "59"}[request < 3] }, false, 0, 0, "no longer at the API", nil},
		{"it grows", func(n, _ int) string { return fmt.Sprint(60 + n) }, false, 0, 0, "complete", nil},
		{"too small", func(int, int) string { return "59" }, false, 0, 0, "no longer at the API", nil},
		{"too large", func(int, int) string { return "61" }, false, 0, 5, "1 of the 61", nil},
		{"missing", func(int, int) string { return "" }, false, 0, 0, "did not say how many", nil},
		{"null", func(int, int) string { return "null" }, false, 0, 0, "did not say how many", nil},
		{"negative", func(int, int) string { return "-5" }, false, 0, 0, "did not say how many", nil},
		{"1e300", func(int, int) string { return "1e300" }, false, 0, 0, "did not say how many", nil},
		{"a text", func(int, int) string { return `"60"` }, false, 0, 0, "did not say how many", nil},
		{"a fraction", func(int, int) string { return "60.5" }, false, 0, 0, "did not say how many", nil},
		{"2^53 + 1", func(int, int) string { return "9007199254740993" }, false, 0, 5, "9,007,199,254,740,933 of the", nil},
		{"6e1", func(int, int) string { return "6e1" }, false, 0, 0, "complete", nil},
		{"missing after the first page", func(n, _ int) string { return map[bool]string{true: "60"}[n == 0] }, false, 20, 5, "20 of the 60", nil},
		{"an early end", func(int, int) string { return "60" }, false, 20, 5, "20 of the 60", nil},
		{"an early end above --from", func(int, int) string { return "60" }, true, 20, 5, "20 of the 60", nil},
		{"--from below all events", func(int, int) string { return "60" }, true, 0, 0, "complete", nil},
	}, 2) {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, mockserver.Options{})
			var requests atomic.Int64
			w.answer(own(func(cursor string) string {
				n, next := numberOf(cursor), ""
				if n < 5-tc.short/10 {
					next = fmt.Sprint("c", n+1)
				}
				return pageOf(ownEvents(10*n, 10*n+10), next, tc.total(n, int(requests.Add(1))))
			}))
			var from []string
			if tc.from {
				from = []string{"--from", "2020-01-01"}
			}
			e := w.run(quickly(from...))
			w.endsWith(e, tc.code)
			w.says(e, tc.says)
			w.hasOwn(60 - tc.short)
			w.recoversOwn(60, "--restart")
		})
	}
}

// TestRepeatedEvents: an id is stored once, however often, in whichever order and with whatever
// contents it comes. Exact copies are counted, and those with other contents are counted as
// conflicts.
func TestRepeatedEvents(t *testing.T) {
	t.Parallel()
	other := func(n int) string { return (&odd{member: "name", value: `"another"`}).element(n) }
	moved := func(n int) string {
		return (&odd{member: "timestamp", value: fmt.Sprint(newestOwn - 1000*n + 1)}).element(n)
	}
	join := func(lists ...[]string) (all []string) {
		for _, l := range lists {
			all = append(all, l...)
		}
		return all
	}
	for _, tc := range harness.Some([]struct {
		name  string
		pages [][]string
		says  string
	}{
		{"within a page", [][]string{join(ownEvents(0, 10), ownEvents(9, 20)), ownEvents(20, 30)}, "re-read   1 event already stored"},
		{"across pages", [][]string{ownEvents(0, 12), ownEvents(10, 22), ownEvents(15, 30)}, "re-read   9 events already stored"},
		{"a whole page again", [][]string{ownEvents(0, 10), ownEvents(10, 20), ownEvents(10, 21), ownEvents(21, 30)}, "re-read   10 events already stored"},
		{"with other contents", [][]string{ownEvents(0, 15), join([]string{other(14)}, ownEvents(15, 30))}, "conflict  1 event came again with other contents"},
		{"with other contents on its page", [][]string{join(ownEvents(0, 15), []string{other(14)}, ownEvents(15, 30))}, "conflict  1 event came again with other contents"},
		{"at another instant", [][]string{ownEvents(0, 15), join([]string{moved(14)}, ownEvents(15, 30))}, "conflict  1 event came again with other contents"},
		{"out of order", [][]string{join(ownEvents(15, 30), ownEvents(0, 15))}, "stored    30 new events"},
		{"out of order, and again", [][]string{ownEvents(10, 20), ownEvents(0, 12), ownEvents(18, 30)}, "re-read   4 events already stored"},
	}, 1) {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, mockserver.Options{})
			w.answer(own(func(cursor string) string {
				n, next := numberOf(cursor), ""
				if n+1 < len(tc.pages) {
					next = fmt.Sprint("c", n+1)
				}
				return pageOf(tc.pages[n], next, "30")
			}))
			e := w.run(command{Args: []string{"pull"}})
			w.endsWith(e, 0)
			w.says(e, tc.says)
			w.hasOwn(30)
		})
	}
}

// TestLateEvents: an event that arrives late is found within the lookback. Below the lookback the
// pull reports it missing, and the next pull gets it. A stored event that changed is counted and
// stays unchanged.
func TestLateEvents(t *testing.T) {
	t.Parallel()
	const n = 1500
	for _, tc := range []struct {
		name string
		late int // seconds below the newest event
		code int
	}{{"below it", 1200, 5}, {"within the lookback", 300, 0}} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, mockserver.Options{})
			events := ownEvents(0, n)
			known := append(append([]string{}, events[10:tc.late]...), events[tc.late+1:]...)
			w.answer(own(listed(known, 100)))
			w.endsWith(w.run(command{Args: []string{"pull"}}), 0)
			events[20] = (&odd{member: "name", value: `"changed"`}).element(20)
			w.answer(own(listed(events, 100)))
			e := w.run(command{Args: []string{"pull"}})
			w.endsWith(e, tc.code)
			w.says(e, "1 event came again with other contents")
			if tc.code != 0 {
				w.says(e, "at least 1 of the 1,500", "the next pull walks to the end")
				w.endsWith(w.run(command{Args: []string{"pull"}}), 0)
			}
			w.hasOwn(n)
			if rows := w.query("SELECT count(*) AS n FROM events WHERE name = 'changed'"); rows[1][0] != "0" {
				t.Errorf("the first copy did not stay: %v", rows)
			}
		})
	}
}

// TestRejectsAtABorder: identical rejects are each kept, on whichever pages they come, also where a
// pull is stopped between them. Reading them again adds none.
func TestRejectsAtABorder(t *testing.T) {
	t.Parallel()
	elements := ownEvents(0, 10)
	for range 7 {
		elements = append(elements, "null", `{"type":"click"}`)
	}
	elements = append(elements, ownEvents(10, 20)...)
	elements = append(elements, "null", "null")
	want := fmt.Sprint([][]string{{"n", "keys"}, {"16", "16"}})
	for _, size := range harness.Some([]int{3, 1, 2, 5, 11, 13, 17, 100}, 1) {
		t.Run(fmt.Sprint("pages of ", size), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, mockserver.Options{})
			last := len(elements) / size
			for stop := 0; stop <= last; stop += max(1, last/6) {
				// The API fails after this page.
				page := listed(elements, size)
				w.answer(own(func(cursor string) string {
					if numberOf(cursor)/size > stop {
						return "gone"
					}
					return page(cursor)
				}))
				w.endsWith(w.run(quickly("--max-retry-time", "10ms")), 0, 4)
			}
			for _, size := range []int{size, 4, 100} {
				w.answer(own(listed(elements, size)))
				w.endsWith(w.run(command{Args: []string{"pull", "--restart"}}), 0)
			}
			if rows := w.query("SELECT count(*) AS n, count(DISTINCT reject_key) AS keys FROM rejected_events"); fmt.Sprint(rows) != want {
				t.Errorf("%v, want %v", rows, want)
			}
			w.hasOwn(20)
		})
	}
}
