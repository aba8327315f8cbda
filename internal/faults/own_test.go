package faults

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"

	"datasync/internal/e2e/harness"
)

// own answers in place of the API, without a feed. page returns the response for a cursor.
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

// ownID is the id of the nth event of such an API. Events go from newer to older, a second apart.
func ownID(n int) string { return fmt.Sprintf("00000000-0000-4000-8000-%012x", n) }

// newestOwn is the timestamp of the first event, in milliseconds.
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

// pageOf returns a page with these elements, and a next cursor if there is one. total is raw JSON,
// or "".
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

// listed serves the elements in pages of this size. A cursor is c and the index of the next
// element.
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

// numberOf returns the number in a cursor, 0 without one.
func numberOf(cursor string) int {
	n, _ := strconv.Atoi(strings.TrimLeft(cursor, "abcdefghijklmnopqrstuvwxyz"))
	return n
}

// hasOwn is O2 to O6 of a file that has exactly the first events of such an API.
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

// recoversOwn is O4 with such an API that works again and has these events.
func (w *world) recoversOwn(events int, options ...string) harness.Result {
	w.Helper()
	w.sound()
	w.answer(own(listed(ownEvents(0, events), 100)))
	e := w.run(command{Args: append([]string{"pull"}, options...)})
	w.endsWith(e, 0)
	w.hasOwn(events)
	return e
}

// quickly is a pull that retries for less than a second.
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
