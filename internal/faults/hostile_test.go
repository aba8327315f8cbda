package faults

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"datasync/mockserver"
)

// own answers in place of the API, without a feed: with what page says, by the cursor that
// was sent.
func own(page func(cursor string) string) http.HandlerFunc {
	return func(rw http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			rw.WriteHeader(http.StatusForbidden)
			_, _ = io.WriteString(rw, `{"code":"DASHBOARD_REQUIRED"}`)
			return
		}
		_, _ = io.WriteString(rw, page(r.URL.Query().Get("cursor")))
	}
}

// ownID is the id of the nth event of such an API, from newer to older, a second apart.
func ownID(n int) string { return fmt.Sprintf("00000000-0000-4000-8000-%012x", n) }

// newestOwn is the instant of its first event, in milliseconds.
const newestOwn = 1_769_541_612_000

func ownEvent(n int) string {
	return fmt.Sprintf(`{"id":"%s","sessionId":"%s","userId":"%s","type":"click","name":"event_%d","properties":{"page":"/"},"timestamp":%d,"session":{"id":"%[2]s","deviceType":"mobile","browser":"Safari"}}`,
		ownID(n), ownID(1<<40+n/7), ownID(1<<41+n/70), n, newestOwn-1000*n)
}

func ownEvents(from, to int) (events []string) {
	for n := from; n < to; n++ {
		events = append(events, ownEvent(n))
	}
	return events
}

// pageOf is a page of these elements; with a next cursor there are more. Total is raw JSON,
// or none.
func pageOf(elements []string, next, total string) string {
	pagination := `"hasMore":false,"nextCursor":null`
	if next != "" {
		pagination = `"hasMore":true,"nextCursor":` + strconv.Quote(next)
	}
	if total != "" {
		total = `"total":` + total + `,`
	}
	return fmt.Sprintf(`{"data":[%s],"pagination":{%s,"cursorExpiresIn":119},"meta":{%s"returned":%d,"requestId":"%s"}}`,
		strings.Join(elements, ","), pagination, total, len(elements), ownID(0))
}

// listed serves the elements in pages of so many. Cursors are c and where they lead to.
func listed(elements []string, size int) func(cursor string) string {
	return func(cursor string) string {
		from := numberOf(cursor)
		to, next := min(from+size, len(elements)), ""
		if to < len(elements) {
			next = fmt.Sprint("c", to)
		}
		return pageOf(elements[from:to], next, fmt.Sprint(len(elements)))
	}
}

// numberOf is the number in a cursor, 0 where there is none.
func numberOf(cursor string) int {
	n, _ := strconv.Atoi(strings.TrimLeft(cursor, "abcdefghijklmnopqrstuvwxyz"))
	return n
}

// hasOwn is O2 to O6 of a file that holds the first events of an API of a test's own, and
// nothing else.
func (w *world) hasOwn(events int) {
	w.Helper()
	w.sound()
	w.noTraces()
	rows := w.query(fmt.Sprintf(`SELECT count(*) AS n, count(*) FILTER (id = format('00000000-0000-4000-8000-{:012x}', (%d - epoch_ms("timestamp")) // 1000)::UUID) AS exact,
		min(epoch_ms("timestamp")) AS oldest, max(epoch_ms("timestamp")) AS newest FROM events`, newestOwn))
	n := fmt.Sprint(events)
	if row := rows[1]; row[0] != n || row[1] != n || events > 0 && (row[2] != fmt.Sprint(newestOwn-1000*(events-1)) || row[3] != fmt.Sprint(newestOwn)) {
		w.Errorf("O4: %v, want the first %d events", rows, events)
	}
}

// recoversOwn is O4 with an API of a test's own that is mended, and has these events.
func (w *world) recoversOwn(events int, options ...string) ended {
	w.Helper()
	w.sound()
	w.answer(own(listed(ownEvents(0, events), 100)))
	e := w.run(command{Args: append([]string{"pull"}, options...)})
	w.endsWith(e, 0)
	w.hasOwn(events)
	return e
}

// quickly is a pull that bears with what fails for less than a second.
func quickly(options ...string) command {
	return command{Args: append([]string{"pull", "--max-retry-time", "600ms", "--max-wait", "20s"}, options...)}
}

// counted counts the requests of a handler.
func counted(requests *atomic.Int64, h http.HandlerFunc) http.HandlerFunc {
	return func(rw http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		h(rw, r)
	}
}

// TestEndlessPages: pages that lead further down for ever are read for ever, in bounded
// memory, until somebody stops the pull; then all that came is stored, and the next pull goes on.
func TestEndlessPages(t *testing.T) {
	pages := 100_000
	if !*all {
		pages = 3000
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
			w := newWorld(t, mockserver.Options{})
			enough := make(chan struct{})
			var served atomic.Int64
			w.answer(own(func(cursor string) string {
				n := numberOf(cursor)
				served.Store(int64(n + 1))
				if n == pages {
					close(enough)
				}
				return pageOf(tc.page(n), fmt.Sprint("c", n+1), "10000000")
			}))
			r := w.start(command{Args: []string{"pull"}, Within: 5 * time.Minute})
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
			// The last page and one more may have been on their way.
			n := served.Load()
			if got := strings.Join(rows[1], " "); got != want(n) && got != want(n-1) && got != want(n-2) {
				t.Errorf("events and rejects %s, want %s or a page less", got, want(n))
			}
			// It comes to an end after all.
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

// TestPagesInACircle: a walk that comes by the same place again, or nowhere at all, ends
// with code 5 a page later, or 100 of those that show nothing; what came is kept.
func TestPagesInACircle(t *testing.T) {
	const size = 5
	fresh := func(n int) []string { return ownEvents(size*n, size*n+size) }
	type circle struct {
		name string
		// page is what the nth request for a page with this cursor gets.
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
		{"nulls for ever", func(n int, _ string) string { return pageOf([]string{"null", "null"}, fmt.Sprint("c", n+1), "10000") }, 105, 0},
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
	for _, tc := range some(cases, 5) {
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

// TestPaginationsThatContradict: a page that says where it leads in no way that can be
// followed ends the pull: with 5 where more must be there, with 4 where it may be a fault
// that passes; only hasMore false is an end.
func TestPaginationsThatContradict(t *testing.T) {
	for _, tc := range some([]struct {
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
		{"a number for a cursor", `"hasMore":true,"nextCursor":3`, 4, 10},
		{"a cursor that is an object", `"hasMore":true,"nextCursor":{"c":3}`, 4, 10},
	}, 4) {
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

// TestOddCursors: a cursor comes back to the API byte for byte, whatever is in it, also
// out of the file in the next run; one that no request can carry is as one that has died.
func TestOddCursors(t *testing.T) {
	for _, tc := range some([]struct {
		name, cursor string // c stands for where it leads
		refused      bool
	}{
		{"what URLs are made of", `c&limit=1#?/../%2e%00+ =`, false},
		{"quotes and SQL", `c"'` + "`" + `'); DROP TABLE events; --`, false},
		{"controls", "c\n\r\t\x00\x1b[2J\x7f", false},
		{"beyond ASCII", "c\U0001f600\u202e\ufeffé", false},
		{"10,000 characters", "c" + strings.Repeat("0aZ/", 2500), false},
		{"a million", "c" + strings.Repeat("0aZ/", 1<<18), true},
		{"spaces", "  c  ", false},
	}, 3) {
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
						<-t.Context().Done() // till the pull is gone
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
				w.says(e, "stored      180 events", "resumed ")
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
