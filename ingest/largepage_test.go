package ingest_test

import (
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"datasync/ingest/dryrun"
	"datasync/mockserver"
)

// sized is an API with events of any size: they have white space, which no store keeps.
type sized struct {
	sizes   []int // of the events, in bytes
	ignores bool  // the limit
	limited bool  // the events endpoint always answers 429
	// element returns another element in place of an event, "" for none.
	element func(n int) string
	limits  []string // of the requests, by endpoint
}

const space = "                                                                                                    "

// event returns the parts of the n-th event.
func (s *sized) event(n int) []string {
	if s.element != nil {
		if e := s.element(n); e != "" {
			return []string{e}
		}
	}
	id := fmt.Sprintf("00000000-0000-4000-8000-%012d", n)
	text := fmt.Sprintf(`{"id":%q,"sessionId":%[1]q,"type":"click","timestamp":%d`, id, 1769541612369-1000*n)
	parts := []string{text}
	for left := s.sizes[n] - len(text) - 1; left > 0; left -= 1 << 20 {
		parts = append(parts, megabyte[:min(left, 1<<20)])
	}
	return append(parts, "}")
}

var megabyte = strings.Repeat(space, 1<<20/len(space)+1)

func (s *sized) RoundTrip(r *http.Request) (*http.Response, error) {
	answer := func(status int, parts ...string) (*http.Response, error) {
		readers := make([]io.Reader, len(parts))
		for i := range parts {
			readers[i] = strings.NewReader(parts[i])
		}
		return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(io.MultiReader(readers...)), ContentLength: -1, Request: r}, nil
	}
	endpoint := "events"
	switch {
	case r.Method == http.MethodPost:
		return answer(200, `{"streamAccess":{"endpoint":"/api/v1/events/feed","token":"`+strings.Repeat("ab", 32)+`","expiresIn":300,"tokenHeader":"X-Stream-Token"}}`)
	case r.URL.Path == "/api/v1/events/feed":
		endpoint = "feed"
	case s.limited:
		return answer(429, `{"rateLimit":{"retryAfter":200}}`)
	}
	query := r.URL.Query()
	limit, _ := strconv.Atoi(query.Get("limit"))
	from, _ := strconv.Atoi(query.Get("cursor"))
	s.limits = append(s.limits, fmt.Sprint(endpoint, " ", limit))
	to := min(from+limit, len(s.sizes))
	if s.ignores {
		to = len(s.sizes)
	}
	parts := []string{`{"data":[`}
	for n := from; n < to; n++ {
		if n > from {
			parts = append(parts, ",")
		}
		parts = append(parts, s.event(n)...)
	}
	end := fmt.Sprintf(`],"pagination":{"hasMore":%v,"nextCursor":"%d"},"meta":{"total":%d,"returned":%d}}`, to < len(s.sizes), to, len(s.sizes), to-from)
	return answer(200, append(parts, end)...)
}

// alike returns that many equal sizes.
func alike(n, size int) []int { return slices.Repeat([]int{size}, n) }

func onSized(t *testing.T, name string, api *sized, test func(*bench)) {
	withOneWalk(t, name, mockserver.Options{}, func(b *bench) {
		b.opts.Transport, b.opts.PageSize, b.opts.MaxRetryTime = api, 400, time.Minute
		test(b)
	})
}

// Pages over a limit are requested again with a smaller limit, with one notice, without using up the time for retries.
func TestPagesThatAreTooLarge(t *testing.T) {
	largePages(t)
	for _, tc := range []struct {
		name   string
		api    sized
		limits []string
		notice string
	}{
		{"the events endpoint", sized{sizes: alike(400, 700_000)}, []string{"events 400", "events 100", "events 100", "events 100", "events 100"}, "pages of 400 events of the events endpoint have more than 128 MiB: asking for 100 at a time"},
		{"the feed", sized{sizes: alike(300, 700_000), limited: true}, []string{"feed 400", "feed 100", "feed 100", "feed 100"}, "pages of 400 events of the feed endpoint have more than 128 MiB: asking for 100 at a time"},
		{"a few large ones", sized{sizes: slices.Concat(alike(50, 400), alike(20, 9_000_000), alike(300, 400))},
			[]string{"events 400", "events 50", "events 100", "events 12", "events 12", "events 12", "events 24", "events 48", "events 96", "events 192"}, "pages of 400 events of the events endpoint have more than 128 MiB: asking for 50 at a time"},
	} {
		onSized(t, tc.name, &tc.api, func(b *bench) {
			b.opts.MaxRetryTime = time.Nanosecond
			s, err := b.pull()
			if err != nil || !s.Complete || len(b.store.Events()) != len(tc.api.sizes) {
				b.t.Errorf("%v, %d events", err, len(b.store.Events()))
			}
			if !slices.Equal(tc.api.limits, tc.limits) {
				b.t.Errorf("requested %q, want %q", tc.api.limits, tc.limits)
			}
			if large := slices.DeleteFunc(b.notices, func(note string) bool { return !strings.Contains(note, "MiB") }); !slices.Equal(large, []string{tc.notice}) {
				b.t.Errorf("notices %q", large)
			}
		})
	}
}

// An API whose pages always exceed the limits ends a pull after a few requests.
func TestPagesThatStayTooLarge(t *testing.T) {
	largePages(t)
	api := &sized{sizes: alike(600, 700_000), ignores: true}
	onSized(t, "the limit is ignored", api, func(b *bench) {
		_, err := b.pull()
		if err == nil || !strings.Contains(err.Error(), "sent more than 128 MiB, although the request allowed ") || len(api.limits) > 8 {
			b.t.Errorf("%v, after %q", err, api.limits)
		}
	})
}

// Of an element that is too large for any page, the beginning is stored, and older events are reached.
func TestElementsTooLargeForAPage(t *testing.T) {
	largePages(t)
	api := &sized{sizes: alike(30, 400)}
	large := `{"id":"00000000-0000-4000-8000-000000000020","a":"` + strings.Repeat("x", 130<<20) + `"}`
	api.element = func(n int) string {
		if n == 20 {
			return large
		}
		return ""
	}
	onSized(t, "130 MiB", api, func(b *bench) {
		s, err := b.pull()
		if err != nil || !s.Complete || len(b.store.Events()) != 29 || len(api.limits) > 30 {
			b.t.Errorf("%v, %d events after %q", err, len(b.store.Events()), api.limits)
		}
		rejects := b.store.Rejects()
		if len(rejects) != 1 || rejects[0].Reason != "too_large" || rejects[0].Key != "id:00000000-0000-4000-8000-000000000020" || len(rejects[0].Raw) > 66_000 ||
			!strings.HasSuffix(rejects[0].Raw, fmt.Sprintf("\n[cut off: %d bytes in all, SHA-256 %x]", len(large), sha256.Sum256([]byte(large)))) {
			b.t.Errorf("%d rejects", len(rejects))
		}
	})
}

// largePages skips a test whose pages take a minute each under -race.
func largePages(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("hundreds of megabytes")
	}
}

// A survey requests smaller pages, too, within its ten requests.
func TestSurveyOfLargePages(t *testing.T) {
	largePages(t)
	api := &sized{sizes: alike(400, 700_000)}
	onSized(t, "a survey", api, func(b *bench) {
		found, err := dryrun.Run(b.t.Context(), b.opts, b.store, nil)
		if err != nil || !found.Events.Usable || found.Events.Page != 100 || found.Feed.Page != 100 || !b.noticed("asking for 100 at a time") {
			b.t.Errorf("%v, %+v, notices %q", err, found, b.notices)
		}
	})
}

// changing changes the bodies of pages; n counts the answers to the same request.
func (b *bench) changing(change func(n int, body string) string) {
	var mu sync.Mutex
	real, seen := b.opts.Transport, map[string]int{}
	b.opts.Transport = roundTripper(func(r *http.Request) (*http.Response, error) {
		resp, err := real.RoundTrip(r)
		if err != nil || resp.StatusCode != http.StatusOK || r.Method == http.MethodPost {
			return resp, err
		}
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			return nil, err
		}
		cursor := r.URL.Query().Get("cursor")
		mu.Lock()
		seen[cursor]++
		n := seen[cursor]
		mu.Unlock()
		changed := change(n, string(body))
		resp.Body, resp.ContentLength = io.NopCloser(strings.NewReader(changed)), int64(len(changed))
		resp.Header.Del("Content-Length")
		return resp, nil
	})
}

// Elements that were damaged on the way do not become rejects: the second reading is stored, even if elements ran
// into each other and no page says how many it has.
func TestDamagedElementsAreReadAgain(t *testing.T) {
	uncounted := strings.NewReplacer(`"returned":100`, `"some":100`, `"returned":50`, `"some":50`)
	for name, change := range map[string]func(n int, body string) string{
		"a control character": func(n int, body string) string {
			if n%2 == 1 {
				return strings.Replace(body, `"name":"`, `"name":"`+"\x01", 1)
			}
			return body
		},
		"other elements each time": func(n int, body string) string {
			parts := strings.Split(body, `"name":"`)
			k := n % 5
			return strings.Join(parts[:k+1], `"name":"`) + `"name":"` + "\n" + strings.Join(parts[k+1:], `"name":"`)
		},
		"a comma is lost": func(n int, body string) string {
			if body = uncounted.Replace(body); n%2 == 1 {
				return strings.Replace(body, `},{`, `}{`, 1)
			}
			return body
		},
		"the last comma is lost": func(n int, body string) string {
			if body = uncounted.Replace(body); n%2 == 1 {
				at := strings.LastIndex(body, `},{`)
				return body[:at+1] + body[at+2:]
			}
			return body
		},
		"a hole": func(n int, body string) string {
			if body = uncounted.Replace(body); n%2 == 1 {
				at := strings.Index(body, `"name":"`)
				to := at + strings.Index(body[at:], `"type":"`)
				return body[:at+len(`"name":"`)] + body[to:]
			}
			return body
		},
		"an id changed": func(n int, body string) string {
			if n%2 == 1 {
				return strings.Replace(body, `"id":"`, `"id":"00000000-0000-4000-8000-000000000000","x":"`+"\x01", 1)
			}
			return body
		},
	} {
		inBubble(t, name, mockserver.Options{Data: mockserver.DataOptions{Events: 1000}}, func(b *bench) {
			b.changing(change)
			b.mustPull()
		})
	}
}

// An element that is damaged in each reading is stored once as a reject, and older events are reached by each way of
// reading.
func TestDamagedElementsAreKept(t *testing.T) {
	for name, more := range map[string]func(string) string{
		"counted":   func(body string) string { return body },
		"uncounted": func(body string) string { return strings.ReplaceAll(body, `"returned"`, `"some"`) },
	} {
		inBubble(t, name, mockserver.Options{Data: mockserver.DataOptions{Events: 1000}, Feed: mockserver.Pages{Until: mockserver.Exclusive}}, func(b *bench) {
			data := b.server.Dataset()
			damage := map[string]bool{}
			for i := 3; i < data.Len(); i += 90 {
				damage[data.Event(i).ID.String()] = true
			}
			b.changing(func(_ int, body string) string {
				for id := range damage {
					body = strings.Replace(body, `"id":"`+id, "\"\x00\":0,\"id\":\""+id, 1)
				}
				return more(body)
			})
			for range 2 {
				s, err := b.pull()
				if err != nil || !s.Complete || len(b.store.Events()) != data.Len()-len(damage) || len(b.store.Rejects()) != len(damage) {
					b.t.Errorf("%v, %d events, %d rejects of %d", err, len(b.store.Events()), len(b.store.Rejects()), len(damage))
				}
			}
			for _, r := range b.store.Rejects() {
				if r.Reason != "bad_json" {
					b.t.Errorf("%s: %s", r.Reason, r.Raw)
				}
			}
		})
	}
}
