package faults

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"datasync/internal/e2e/harness"
	"datasync/mockserver"
)

// TestEndlessPages: a pull reads an endless list of pages in bounded memory until it is stopped.
// All events up to there are stored, and the next pull resumes.
func TestEndlessPages(t *testing.T) {
	t.Parallel()
	pages := 30_000
	if !harness.All() {
		pages = 1000
	}
	for _, tc := range []struct {
		name    string
		page    func(n int) []string
		rejects int
	}{
		{"new events", func(n int) []string { return ownEvents(2*n, 2*n+2) }, 0},
		{"one event and a reject", func(n int) []string { return []string{ownEvent(n), fmt.Sprint(n)} }, 1},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, mockserver.Options{})
			enough := make(chan struct{})
			once := sync.OnceFunc(func() { close(enough) })
			var served atomic.Int64
			w.answer(own(func(cursor string) string {
				n := numberOf(cursor)
				// A page with a reject is requested twice, the second time while the next page is
				// on its way.
				for most := served.Load(); most < int64(n+1) && !served.CompareAndSwap(most, int64(n+1)); most = served.Load() {
				}
				if n == pages {
					once()
				}
				return pageOf(tc.page(n), fmt.Sprint("c", n+1), "10000000")
			}))
			r := w.start(command{Args: []string{"pull"}})
			<-enough
			_ = r.Process.Signal(os.Interrupt)
			e := r.wait()
			w.endsWith(e, 130)
			w.says(e, "the same command")
			w.peaksBelow(e, 400)
			t.Logf("%d pages: %d MB, %s", pages, e.Peak>>20, e.Took)
			w.sound()
			rows := w.query("SELECT (SELECT count(*) FROM events) AS events, (SELECT count(*) FROM rejected_events) AS rejects")
			want := func(pages int64) string { return fmt.Sprint(pages*int64(2-tc.rejects), " ", pages*int64(tc.rejects)) }
			// One page after the last one may have been on its way.
			n := served.Load()
			if got := strings.Join(rows[1], " "); got != want(n) && got != want(n-1) && got != want(n-2) {
				t.Errorf("events and rejects %s, want %s or a page less", got, want(n))
			}
			// Now the list ends.
			last := int(n) + 10
			w.answer(own(func(cursor string) string {
				n, next := numberOf(cursor), ""
				if n < last {
					next = fmt.Sprint("c", n+1)
				}
				return pageOf(tc.page(n), next, fmt.Sprint(2*(last+1)))
			}))
			e = w.run(command{Args: []string{"pull"}})
			w.endsWith(e, 0)
			w.hasOwn((last + 1) * (2 - tc.rejects))
		})
	}
}

// TestPagesInACircle: a walk that meets the same page again, or makes no progress, ends with code
// 5: a page later, or after 100 pages without new events. The stored events stay.
func TestPagesInACircle(t *testing.T) {
	t.Parallel()
	const size = 5
	fresh := func(n int) []string { return ownEvents(size*n, size*n+size) }
	type circle struct {
		name string
		// page returns the response to the nth request with this cursor.
		page     func(n int, cursor string) string
		requests int64
		events   int
	}
	cases := []circle{
		{"new cursors, the same events", func(n int, _ string) string { return pageOf(fresh(0), fmt.Sprint("c", n+1), "10000") }, 3, size},
		{"an empty page for ever", func(n int, _ string) string { return pageOf(nil, fmt.Sprint("c", n+1), "10000") }, 104, 0},
		{"empty pages that lead to themselves", func(n int, c string) string {
			if n == 0 {
				return pageOf(fresh(0), "c1", "10000")
			}
			return pageOf(nil, "c1", "10000")
		}, 40, size},
		{"one event for ever", func(n int, _ string) string { return pageOf(ownEvents(0, 1), fmt.Sprint("c", n+1), "10000") }, 105, 1},
		{"nulls for ever", func(n int, _ string) string { return pageOf([]string{"null", "null"}, fmt.Sprint("c", n+1), "10000") }, 125, 0}, // 20 of them are read twice
	}
	for _, length := range []int{1, 2, 3, 1000} {
		cases = append(cases,
			circle{fmt.Sprint("a loop of ", length, " cursors"), func(_ int, c string) string {
				n := numberOf(c)
				return pageOf(fresh(n), fmt.Sprint("c", n%length+1), "10000")
			}, int64(length) + 3, size * (length + 1)},
			circle{fmt.Sprint("a loop of ", length, " pages under new cursors"), func(n int, _ string) string {
				return pageOf(fresh(n%length), fmt.Sprint("c", n+1), "10000")
			}, int64(length) + 3, size * length})
	}
	for _, tc := range harness.Some(cases, 2) {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, mockserver.Options{})
			var n, requests atomic.Int64
			w.answer(counted(&requests, own(func(cursor string) string { return tc.page(int(n.Add(1)-1), cursor) })))
			e := w.run(quickly())
			w.endsWith(e, 5)
			w.peaksBelow(e, 300)
			if requests.Load() > tc.requests {
				t.Errorf("%d requests, want at most %d: %v", requests.Load(), tc.requests, e)
			}
			w.hasOwn(tc.events)
			w.recoversOwn(max(tc.events, 300))
		})
	}
}

// TestPaginationsThatContradict: a page whose pagination cannot be followed ends the pull, with 5
// where more events must exist, with 4 where the fault may pass. Only hasMore false ends a walk.
func TestPaginationsThatContradict(t *testing.T) {
	t.Parallel()
	for _, tc := range harness.Some([]struct {
		name, pagination string
		code, events     int
	}{
		{"more, without a cursor", `"hasMore":true`, 5, 20},
		{"more, and null", `"hasMore":true,"nextCursor":null`, 5, 20},
		{"more, and an empty cursor", `"hasMore":true,"nextCursor":""`, 5, 20},
		{"the end, with a cursor", `"hasMore":false,"nextCursor":"c3"`, 0, 20},
		{"the end, with an empty cursor", `"hasMore":false,"nextCursor":""`, 0, 20},
		{"hasMore missing", `"nextCursor":null`, 4, 10},
		{"hasMore null", `"hasMore":null,"nextCursor":null`, 4, 10},
		{"hasMore a text", `"hasMore":"false"`, 4, 10},
		{"hasMore a number", `"hasMore":0`, 4, 10},
		{"hasMore of another case", `"HasMore":false`, 4, 10},
		{"hasMore twice", `"hasMore":true,"nextCursor":"c3","hasMore":false`, 4, 10},
		{"a number for a cursor, which leads to itself", `"hasMore":true,"nextCursor":3`, 5, 20},
		{"a cursor that is an object", `"hasMore":true,"nextCursor":{"c":3}`, 4, 10},
	}, 2) {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, mockserver.Options{})
			w.answer(own(func(cursor string) string {
				if cursor == "" {
					return pageOf(ownEvents(0, 10), "c1", "20")
				}
				return fmt.Sprintf(`{"data":[%s],"pagination":{%s},"meta":{"total":20,"returned":10}}`, strings.Join(ownEvents(10, 20), ","), tc.pagination)
			}))
			e := w.run(quickly())
			w.endsWith(e, tc.code)
			w.hasOwn(tc.events)
			w.recoversOwn(300)
		})
	}
}

// TestOddCursors: the program sends a cursor back byte for byte, also when it resumes from the
// file. A cursor that no request can carry counts as expired.
func TestOddCursors(t *testing.T) {
	t.Parallel()
	for _, tc := range harness.Some([]struct {
		name, cursor string // without the index that comes before it
		refused      bool
	}{
		{"what URLs are made of", `c&limit=1#?/../%2e%00+ =`, false},
		{"quotes and SQL", `c"'` + "`" + `'); DROP TABLE events; --`, false},
		{"controls", "c\n\r\t\x00\x1b[2J\x7f", false},
		{"beyond ASCII", "c\U0001f600\u202e\ufeffé", false},
		{"10,000 characters", "c" + strings.Repeat("0aZ/", 2500), false},
		{"a million", "c" + strings.Repeat("0aZ/", 1<<18), true},
		{"spaces", "  c  ", false},
	}, 2) {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, mockserver.Options{})
			const events, size = 300, 30
			var asked atomic.Int64
			stop := make(chan struct{})
			answer := func(hold int64) http.HandlerFunc {
				return own(func(cursor string) string {
					n := 0
					if cursor != "" {
						number, rest, _ := strings.Cut(cursor, "|")
						if n = numberOf(number); rest != tc.cursor {
							t.Errorf("cursor %.50q came back", cursor)
						}
					}
					if asked.Add(1) == hold {
						close(stop)
						<-t.Context().Done() // until the pull has ended
					}
					next := ""
					if n+size < events {
						next = strconv.Itoa(n+size) + "|" + tc.cursor
					}
					return pageQuoted(ownEvents(n, n+size), next, events)
				})
			}
			if !tc.refused {
				w.answer(answer(5))
				r := w.start(pull())
				<-stop
				_ = r.Process.Signal(os.Interrupt)
				w.endsWith(r.wait(), 130)
				if n := w.stored(); n != 4*size {
					t.Errorf("%d stored", n)
				}
				w.answer(answer(0))
				e := w.run(pull())
				w.endsWith(e, 0)
				w.says(e, "stored    180 new events", "resumed ")
				w.hasOwn(events)
				return
			}
			w.answer(answer(0))
			e := w.run(quickly())
			w.endsWith(e, 4)
			w.peaksBelow(e, 300)
			w.hasOwn(size)
			w.recoversOwn(events)
		})
	}
}

// pageQuoted is pageOf with any cursor.
func pageQuoted(elements []string, next string, total int) string {
	const mark = "the next cursor"
	if next == "" {
		return pageOf(elements, "", fmt.Sprint(total))
	}
	return strings.Replace(pageOf(elements, mark, fmt.Sprint(total)), strconv.Quote(mark), quoted(next), 1)
}

// TestPagesThatAreNone: a body that is no complete page, or contradicts itself, is a failed
// request. It is retried, none of it is stored, and the next pull resumes.
func TestPagesThatAreNone(t *testing.T) {
	t.Parallel()
	page := pageOf(ownEvents(10, 20), "", "20")
	in := func(member, value string) string {
		o := odd{member: member, value: value}
		return pageOf([]string{o.element(10)}, "", "20")
	}
	deep := func(levels int) string { return strings.Repeat("[", levels) + strings.Repeat("]", levels) }
	for _, tc := range harness.Some([]struct{ name, body, says string }{
		{"more is said to come back", strings.Replace(page, `"returned":10`, `"returned":11`, 1), "returned is not 10"},
		{"less is said to come back", strings.Replace(page, `"returned":10`, `"returned":9`, 1), "returned is not 10"},
		{"nothing is said to come back", strings.Replace(page, `"returned":10`, `"returned":-0`, 1), "returned is not 10"},
		{"a text comes back", strings.Replace(page, `"returned":10`, `"returned":"10"`, 1), "returned is not 10"},
		{"data twice", strings.Replace(page, `{"data"`, `{"data":[],"data"`, 1), "duplicate member"},
		{"meta twice", strings.Replace(page, `{"data"`, `{"meta":{},"data"`, 1), "duplicate member"},
		{"text behind it", page + "x", "text after the end"},
		{"a page behind it", page + page, "text after the end"},
		{"NUL behind it", page + "\x00", "text after the end"},
		{"a BOM before it", "\ufeff" + page, "expected an object"},
		{"cut off", page[:len(page)-1], "cut off"},
		{"no data", strings.Replace(page, `"data"`, `"Data"`, 1), "data is not an array"},
		{"UTF-16", "\xff\xfe{\x00}\x00", "expected an object"},
		{"a text without an end", in("name", `"a`), "malformed page"},
		{"a bracket too few", in("properties", `{"a":[`), "malformed page"},
		{"a bracket too many", in("properties", `{}}`), "malformed page"},
		{"no element between commas", strings.Replace(page, `"data":[`, `"data":[,`, 1), "expected a value"},
		{"a comma too many", strings.Replace(page, `"meta":{`, `"meta":{,`, 1), "malformed page"},
		{"a control in a cursor", strings.Replace(page, `"hasMore"`, "\"nextCursor\":\"\x01\",\"hasMore\"", 1), "control character"},
		{"a million levels in meta", strings.Replace(page, `"meta":{`, `"meta":{"a":`+deep(1_000_000)+`,`, 1), "nested too deep"},
		{"a million objects", strings.Repeat(`{"a":`, 1_000_000), "nested too deep"},
	}, 3) {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, mockserver.Options{})
			w.answer(own(func(cursor string) string {
				if cursor == "" {
					return pageOf(ownEvents(0, 10), "c1", "20")
				}
				return tc.body
			}))
			e := w.run(quickly())
			w.endsWith(e, 4)
			w.says(e, tc.says, "the same command")
			w.peaksBelow(e, 300)
			w.hasOwn(10)
			w.recoversOwn(30)
		})
	}
}

// TestErrorsOfAnySize: the depth and size of an error's body have no effect, and only its code is
// shown.
func TestErrorsOfAnySize(t *testing.T) {
	t.Parallel()
	for _, tc := range harness.Some([]struct {
		name, body string
	}{
		{"a million levels", strings.Repeat("[", 1_000_000)},
		{"a million levels of a code", `{"code":` + strings.Repeat(`{"a":`, 1_000_000)},
		{"100 MB", strings.Repeat("x", 100<<20)},
		{"a code that erases", `{"code":"\u001b[2J","message":"\u001b]52;c;eA==\u0007\u202e","error":"` + key + `"}`},
		{"the key", `{"code":"` + strings.ToUpper(key) + `","message":"` + key + `"}`},
		{"NUL", "\x00\x00"},
	}, 1) {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, mockserver.Options{})
			w.answer(http.HandlerFunc(func(rw http.ResponseWriter, _ *http.Request) {
				rw.WriteHeader(http.StatusInternalServerError)
				_, _ = io.WriteString(rw, tc.body)
			}))
			e := w.run(quickly())
			w.endsWith(e, 4)
			w.says(e, "events endpoint answered 500")
			w.peaksBelow(e, 200)
			w.recoversOwn(30)
		})
	}
}
