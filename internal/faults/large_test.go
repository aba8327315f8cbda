package faults

import (
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"datasync/internal/e2e/harness"
	"datasync/mockserver"
)

// TestLargeElements: large elements within the limit of a page are stored unchanged. The memory is
// at most a few times the page's limit of 128 MiB.
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
		w.says(e, "more than 500,000 elements, although the request allowed 100,000 events")
		w.peaksBelow(e, 800)
		t.Logf("%d MB", e.Peak>>20)
		w.recoversOwn(30)
	})
}

// TestElementsThatAreTooLarge: the beginning of an element larger than 16 MiB is kept, with its
// size and digest. That takes little memory, even if the element alone exceeds a page's limit. The
// events around it are stored.
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

// TestPagesThatAreTooLarge: where pages exceed 128 MiB the pull asks for half as many events, from
// the feed as well. A dry run reports the same.
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

// TestEventsThatMakePagesTooLarge: the same for an honest API with events of a few KB each. All are
// stored, in the memory that half a page takes as text, as events and in DuckDB.
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
	w.says(e, "have more than 128 MiB: asking for 50,000 at a time")
	w.peaksBelow(e, 900)
	t.Logf("%d MB", e.Peak>>20)
	w.hasOwn(events)
}

// pagedAPI is such an API, which keeps to the requested limit and has no feed.
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
