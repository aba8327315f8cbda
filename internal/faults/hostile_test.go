package faults

import (
	"datasync/internal/e2e/harness"

	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

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
func (w *world) recoversOwn(events int, options ...string) harness.Result {
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
	t.Parallel()
	pages := 100_000
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
				// A page with a reject is asked for twice, the second time beside the page after it.
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
	t.Parallel()
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

// TestPaginationsThatContradict: a page that says where it leads in no way that can be
// followed ends the pull: with 5 where more must be there, with 4 where it may be a fault
// that passes; only hasMore false is an end.
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

// TestOddCursors: a cursor comes back to the API byte for byte, whatever is in it, also
// out of the file in the next run; one that no request can carry is as one that has died.
func TestOddCursors(t *testing.T) {
	t.Parallel()
	for _, tc := range harness.Some([]struct {
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

// TestPagesThatAreNone: a body that is no whole page, or contradicts itself, is a failed
// request: it is asked for again, nothing of it is stored, and the next pull goes on.
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
		{"data twice", strings.Replace(page, `{"data"`, `{"data":[],"data"`, 1), "stands twice"},
		{"meta twice", strings.Replace(page, `{"data"`, `{"meta":{},"data"`, 1), "stands twice"},
		{"text behind it", page + "x", "text after the end"},
		{"a page behind it", page + page, "text after the end"},
		{"NUL behind it", page + "\x00", "text after the end"},
		{"a BOM before it", "\ufeff" + page, "expected an object"},
		{"cut off", page[:len(page)-1], "cut off"},
		{"no data", strings.Replace(page, `"data"`, `"Data"`, 1), "data is no array"},
		{"UTF-16", "\xff\xfe{\x00}\x00", "expected an object"},
		{"a text without an end", in("name", `"a`), "not a whole page"},
		{"a bracket too few", in("properties", `{"a":[`), "not a whole page"},
		{"a bracket too many", in("properties", `{}}`), "not a whole page"},
		{"no element between commas", strings.Replace(page, `"data":[`, `"data":[,`, 1), "expected a value"},
		{"a comma too many", strings.Replace(page, `"meta":{`, `"meta":{,`, 1), "not a whole page"},
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

// TestErrorsOfAnySize: what an error's body holds never matters: not its depth, not its size,
// and nothing of it is shown but a code.
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
			w.says(e, "events answered 500")
			w.peaksBelow(e, 200)
			w.recoversOwn(30)
		})
	}
}

// TestLargeElements: what is large and yet a page is stored as it came, in memory of a few
// times the 128 MB that it may have.
func TestLargeElements(t *testing.T) {
	t.Parallel()
	keys := func(n int) string {
		var b strings.Builder
		for i := range n {
			_, _ = fmt.Fprintf(&b, `"k%d":%d,`, i, i)
		}
		return strings.TrimSuffix(b.String(), ",")
	}
	n, megabytes := 900_000, 15
	if !harness.All() {
		n, megabytes = 100_000, 10
	}
	many := make([]string, 500_000)
	for i := range many {
		many[i] = fmt.Sprintf(`{"id":"%s","sessionId":"%[1]s","type":"a","timestamp":%d}`, ownID(i), newestOwn-1000*i)
	}
	for _, tc := range harness.Some([]struct {
		name     string
		elements []string
		check    string
		events   int
	}{
		{"keys in properties", []string{(&odd{member: "properties", value: "{" + keys(n) + "}"}).element(0)}, fmt.Sprintf("len(json_keys(properties)) = %d", n), 1},
		{"a long text", []string{(&odd{member: "name", value: quoted(strings.Repeat("é", megabytes<<19))}).element(0)}, fmt.Sprintf("strlen(name) = %d AND md5(name) = md5(repeat('é', %d))", megabytes<<20, megabytes<<19), 1},
		{"keys of an event", []string{(&odd{member: `"a"`, value: "0," + keys(n)}).element(0)}, fmt.Sprintf("len(json_keys(extra)) = %d", n+1), 1},
		{"500,000 events", many, "type = 'a'", 500_000},
	}, 1) {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld(t, mockserver.Options{})
			w.answer(own(func(string) string { return pageOf(tc.elements, "", fmt.Sprint(tc.events)) }))
			e := w.run(command{Args: []string{"pull"}})
			w.endsWith(e, 0)
			w.peaksBelow(e, 800)
			t.Logf("%d MB", e.Peak>>20)
			w.sound()
			if rows := w.query("SELECT count(*) AS n FROM events WHERE " + tc.check); rows[1][0] != fmt.Sprint(tc.events) {
				t.Errorf("%v events are as they came, want %d", rows, tc.events)
			}
		})
	}
	if !harness.All() {
		return
	}
	t.Run("a million events on a page", func(t *testing.T) {
		w := newWorld(t, mockserver.Options{})
		page := pageOf(append(many, many...), "", "1000000")
		w.answer(own(func(string) string { return page }))
		e := w.run(quickly())
		w.endsWith(e, 4)
		w.says(e, "more than 500000 elements, though it was asked for 100000 events at most")
		w.peaksBelow(e, 800)
		t.Logf("%d MB", e.Peak>>20)
		w.recoversOwn(30)
	})
}

// TestElementsThatAreTooLarge: of an element of more than 16 MiB the beginning is kept, with its size and
// digest, in little memory, also where it alone is more than a page may have. All around it is stored.
func TestElementsThatAreTooLarge(t *testing.T) {
	t.Parallel()
	const mib = 1 << 20
	text := func(bytes int) string {
		o := odd{member: "name", value: `"` + strings.Repeat(`\n`, bytes/2) + `"`}
		return o.element(5)
	}
	for _, tc := range harness.Some([]struct {
		name, element, reason string
		peak                  int64 // MB
	}{
		{"17 MiB", text(17 * mib), "too_large", 300},
		{"100 MiB", text(100 * mib), "too_large", 400},
		{"100 MiB of brackets", strings.Repeat("[", 50*mib) + strings.Repeat("]", 50*mib), "too_large", 600},
		{"150 MiB", text(150 * mib), "too_large", 600},
		{"100 MiB that are no JSON", strings.Replace(text(100*mib), `"type"`, "\"\x01\"", 1), "too_large", 600},
	}, 2) {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld(t, mockserver.Options{})
			elements := ownEvents(0, 10)
			elements[5] = tc.element
			w.answer(pagedAPI(elements))
			e := w.run(command{Args: []string{"pull"}})
			w.endsWith(e, 0)
			w.peaksBelow(e, tc.peak)
			t.Logf("%d MB", e.Peak>>20)
			w.sound()
			end := fmt.Sprintf("[cut off: %d bytes in all, SHA-256 %x]", len(tc.element), sha256.Sum256([]byte(tc.element)))
			sql := fmt.Sprintf("SELECT (SELECT count(*) FROM events), count(*), any_value(reason), bool_and(ends_with(raw, chr(10) || '%s')), bool_and(strlen(raw) < 70000) FROM rejected_events", end)
			if rows := w.query(sql); fmt.Sprint(rows[1]) != "[9 1 "+tc.reason+" true true]" {
				t.Errorf("%v", rows)
			}
			if e := w.run(command{Args: []string{"status", "--rejected"}}); e.Code != 0 || !strings.Contains(e.Out, tc.reason) {
				t.Error(e)
			}
		})
	}
}

// TestPagesThatAreTooLarge: an API whose pages are more than 128 MiB is asked for half as many events, by
// the feed, too, and a dry run says the same.
func TestPagesThatAreTooLarge(t *testing.T) {
	t.Parallel()
	elements := make([]string, 200)
	for i := range elements {
		elements[i] = strings.Replace(ownEvent(i), "{", "{"+strings.Repeat(" ", 1<<20), 1)
	}
	pages := pagedAPI(elements)
	for _, tc := range harness.Some([]struct{ name, endpoint, dry string }{
		{"events", "events", ""}, {"feed", "feed", ""}, {"a dry run", "events", "--dry-run"},
	}, 1) {
		t.Run(tc.name, func(t *testing.T) {
			w := newWorld(t, mockserver.Options{})
			w.answer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
				switch {
				case r.Method == http.MethodPost:
					_, _ = io.WriteString(rw, `{"streamAccess":{"endpoint":"/api/v1/events/feed","token":"`+strings.Repeat("ab", 32)+`","expiresIn":300,"tokenHeader":"X-Stream-Token"}}`)
				case tc.endpoint == "feed" && r.URL.Path == "/api/v1/events":
					rw.Header().Set("Retry-After", "250")
					rw.WriteHeader(http.StatusTooManyRequests)
				default:
					pages.ServeHTTP(rw, r)
				}
			}))
			args := []string{"pull", "--page-size", "400"}
			if tc.dry != "" {
				args = append(args, tc.dry)
			}
			e := w.run(command{Args: args})
			w.endsWith(e, 0)
			w.says(e, "pages of 400 events of the "+tc.endpoint+" endpoint have more than 128 MiB: asking for 100 at a time")
			w.peaksBelow(e, 600)
			t.Logf("%d MB", e.Peak>>20)
			if tc.dry == "" {
				w.sound()
				w.hasOwn(200)
			}
		})
	}
}

// TestEventsThatMakePagesTooLarge: so is an honest API whose events are of a few KB each. All are
// stored, in the memory that half a page of them takes as text, as events and in DuckDB.
func TestEventsThatMakePagesTooLarge(t *testing.T) {
	t.Parallel()
	events := 90_000
	if harness.All() {
		events = 150_000
	}
	elements := ownEvents(0, events)
	for i, e := range elements {
		elements[i] = strings.Replace(e, `"page":"/`, `"page":"/`+strings.Repeat("x", 1400), 1)
	}
	w := newWorld(t, mockserver.Options{})
	w.answer(pagedAPI(elements))
	e := w.run(command{Args: []string{"pull"}})
	w.endsWith(e, 0)
	w.says(e, "have more than 128 MiB: asking for 50000 at a time")
	w.peaksBelow(e, 900)
	t.Logf("%d MB", e.Peak>>20)
	w.hasOwn(events)
}

// pagedAPI is an API of its own that keeps to the limit, without a feed.
func pagedAPI(elements []string) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			rw.WriteHeader(http.StatusForbidden)
			return
		}
		limit, _ := strconv.Atoi(r.URL.Query().Get("limit"))
		from, _ := strconv.Atoi(r.URL.Query().Get("cursor"))
		to, next := min(from+limit, len(elements)), ""
		if to < len(elements) {
			next = strconv.Itoa(to)
		}
		_, _ = io.WriteString(rw, pageOf(elements[from:to], next, strconv.Itoa(len(elements))))
	})
}

// TestTotals: when a pull ends is for hasMore to say; what the API says to have is compared with
// what was read, wherever it can be, and a number that is none does not count.
func TestTotals(t *testing.T) {
	t.Parallel()
	for _, tc := range harness.Some([]struct {
		name    string
		total   func(page, request int) string
		from    bool // the pull is limited to what lies below the first events of the API
		short   int  // events that the pages leave out at their end
		code    int
		says    string
		options []string
	}{
		{"it is right", func(int, int) string { return "60" }, false, 0, 0, "complete", nil},
		// The cursors may count from the top: the walk begins again.
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
		{"2^53 + 1", func(int, int) string { return "9007199254740993" }, false, 0, 5, "9007199254740933 of the", nil},
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

// TestRepeatedEvents: an id is stored once, however often, out of which order and with
// whatever contents it comes; copies are counted, those with other contents as conflicts.
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
		{"within a page", [][]string{join(ownEvents(0, 10), ownEvents(9, 20)), ownEvents(20, 30)}, "duplicates  1 (0 with"},
		{"across pages", [][]string{ownEvents(0, 12), ownEvents(10, 22), ownEvents(15, 30)}, "duplicates  9 (0 with"},
		{"a whole page again", [][]string{ownEvents(0, 10), ownEvents(10, 20), ownEvents(10, 21), ownEvents(21, 30)}, "duplicates  10 (0 with"},
		{"with other contents", [][]string{ownEvents(0, 15), join([]string{other(14)}, ownEvents(15, 30))}, "duplicates  1 (1 with"},
		{"with other contents on its page", [][]string{join(ownEvents(0, 15), []string{other(14)}, ownEvents(15, 30))}, "duplicates  1 (1 with"},
		{"at another instant", [][]string{ownEvents(0, 15), join([]string{moved(14)}, ownEvents(15, 30))}, "duplicates  1 (1 with"},
		{"out of order", [][]string{join(ownEvents(15, 30), ownEvents(0, 15))}, "duplicates  0"},
		{"out of order, and again", [][]string{ownEvents(10, 20), ownEvents(0, 12), ownEvents(18, 30)}, "duplicates  4 (0 with"},
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

// TestLateEvents: what arrives below the newest event is found within the lookback; below
// that the pull says what is missing, and the next one brings it. A known event that has
// changed meanwhile is counted, and stays as it was.
func TestLateEvents(t *testing.T) {
	t.Parallel()
	const n = 1500
	for _, tc := range []struct {
		name string
		late int // how many seconds below the newest
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
			w.says(e, "(1 with other contents)")
			if tc.code != 0 {
				w.says(e, "at least 1 of the 1500", "the next pull walks to the end")
				w.endsWith(w.run(command{Args: []string{"pull"}}), 0)
			}
			w.hasOwn(n)
			if rows := w.query("SELECT count(*) AS n FROM events WHERE name = 'changed'"); rows[1][0] != "0" {
				t.Errorf("the first copy did not stay: %v", rows)
			}
		})
	}
}

// TestRejectsAtABorder: elements that show nothing by which they could be told apart are
// each kept, on whichever pages they come, and also where a pull is stopped between them;
// reading them again adds none.
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
				// The API is gone behind this page.
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
