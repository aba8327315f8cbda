package decode

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"datasync/internal/model"

	"github.com/google/uuid"
)

const benchEvents = 5000

// ordinaryPage returns a page in the notation of the API: newest first, both formats of timestamps, members in
// the usual order.
func ordinaryPage(n int) string {
	rng := rand.New(rand.NewPCG(1, 2))
	id := func() string {
		return fmt.Sprintf("%08x-%04x-4%03x-a%03x-%012x", rng.Uint32(), rng.Uint32N(1<<16), rng.Uint32N(1<<12),
			rng.Uint32N(1<<12), rng.Uint64N(1<<48))
	}
	types := []string{"page_view", "click", "api_call", "form_submit", "scroll", "purchase", "error", "video_play"}
	devices := []string{"mobile", "tablet", "desktop"}
	browsers := []string{"Chrome", "Safari", "Edge", "Firefox"}
	at := time.Date(2026, 1, 27, 19, 20, 12, 369e6, time.UTC)

	var b strings.Builder
	b.WriteString(`{"data":[`)
	for i := range n {
		if i > 0 {
			b.WriteByte(',')
		}
		at = at.Add(-time.Duration(1+rng.IntN(2000)) * time.Millisecond)
		timestamp := fmt.Sprint(at.UnixMilli())
		if rng.IntN(2) == 0 {
			timestamp = at.Format(`"2006-01-02T15:04:05.000Z"`)
		}
		session := id()
		fmt.Fprintf(&b, `{"id":"%s","sessionId":"%s","userId":"%s","type":"%s","name":"event_%05d",`+
			`"properties":{"page":"/%s"},"timestamp":%s,"session":{"id":"%s","deviceType":"%s","browser":"%s"}}`,
			id(), session, id(), types[rng.IntN(len(types))], i, types[rng.IntN(len(types))], timestamp,
			session, devices[rng.IntN(len(devices))], browsers[rng.IntN(len(browsers))])
	}
	fmt.Fprintf(&b, `],"pagination":{"limit":%d,"hasMore":true,"nextCursor":"%s","cursorExpiresIn":119},`+
		`"meta":{"total":3000000,"returned":%d,"requestId":"%s"}}`, n, strings.Repeat("eyJpZCI6", 20), n, id())
	return b.String()
}

// pageOf returns an ordinary page with each event in another notation.
func pageOf(b *testing.B, body string, write func(event map[string]json.RawMessage) string) string {
	var parts struct {
		Data       []map[string]json.RawMessage `json:"data"`
		Pagination json.RawMessage              `json:"pagination"`
	}
	if err := json.Unmarshal([]byte(body), &parts); err != nil {
		b.Fatal(err)
	}
	events := make([]string, len(parts.Data))
	for i, event := range parts.Data {
		events[i] = write(event)
	}
	return fmt.Sprintf(`{"data":[%s],"pagination":%s}`, strings.Join(events, ","), parts.Pagination)
}

var eventMembers = []string{"id", "sessionId", "userId", "type", "name", "properties", "timestamp", "session"}

func writeMembers(event map[string]json.RawMessage, names []string) string {
	members := make([]string, len(names))
	for i, name := range names {
		members[i] = fmt.Sprintf("%q:%s", name, event[name])
	}
	return "{" + strings.Join(members, ",") + "}"
}

// shuffled writes the members of each event in another order, so that the decoder cannot learn it.
func shuffled() func(map[string]json.RawMessage) string {
	rng := rand.New(rand.NewPCG(3, 4))
	return func(event map[string]json.RawMessage) string {
		names := slices.Clone(eventMembers)
		rng.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
		return writeMembers(event, names)
	}
}

// reversed writes the members of each event in the same unusual order.
func reversed(event map[string]json.RawMessage) string {
	names := slices.Clone(eventMembers)
	slices.Reverse(names)
	return writeMembers(event, names)
}

// timed gives each event a timestamp of one format.
func timed(layout string) func(map[string]json.RawMessage) string {
	at := time.Date(2026, 1, 27, 19, 20, 12, 369e6, time.UTC)
	return func(event map[string]json.RawMessage) string {
		at = at.Add(-time.Second)
		event["timestamp"] = json.RawMessage(fmt.Sprint(at.UnixMilli()))
		if layout != "" {
			event["timestamp"] = json.RawMessage(at.Format(`"` + layout + `"`))
		}
		return writeMembers(event, eventMembers)
	}
}

// unusualTenth makes one event in ten unusual.
func unusualTenth() func(map[string]json.RawMessage) string {
	n := 0
	return func(event map[string]json.RawMessage) string {
		switch n++; n % 40 {
		case 0:
			return reversed(event)
		case 10:
			event["userId"] = json.RawMessage("null")
		case 20:
			event["name"] = json.RawMessage(`"caf\u00e9"`)
		case 30:
			event["experiment"] = json.RawMessage(`{"arm":"b"}`)
			return writeMembers(event, append(slices.Clone(eventMembers), "experiment"))
		}
		return writeMembers(event, eventMembers)
	}
}

func reportEvents(b *testing.B) {
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchEvents, "ns/event")
}

func BenchmarkDecode(b *testing.B) {
	usual := ordinaryPage(benchEvents)
	for _, kind := range []struct{ name, body string }{
		{"usual", usual},
		{"numbers", pageOf(b, usual, timed(""))},
		{"iso", pageOf(b, usual, timed("2006-01-02T15:04:05.000Z"))},
		{"offset", pageOf(b, usual, timed("2006-01-02T15:04:05.000000-07:00"))},
		{"dirty", pageOf(b, usual, unusualTenth())},
		{"reversed", pageOf(b, usual, reversed)},
		{"shuffled", pageOf(b, usual, shuffled())},
	} {
		b.Run(kind.name, func(b *testing.B) {
			b.SetBytes(int64(len(kind.body)))
			b.ReportAllocs()
			d, events := New(), make([]model.Event, 0, benchEvents)
			for b.Loop() {
				p, err := d.Decode(kind.body, events)
				if err != nil || len(p.Events) != benchEvents || !p.Descending {
					b.Fatal(len(p.Events), err)
				}
			}
			reportEvents(b)
		})
	}
}

func BenchmarkParseUUID(b *testing.B) {
	const text = "f81d4fae-7dec-11d0-a765-00a0c91e6bf6"
	var id uuid.UUID
	for b.Loop() {
		if !parseUUID(text, &id) {
			b.Fatal("not read")
		}
	}
}

func BenchmarkParseInstant(b *testing.B) {
	for _, kind := range []struct {
		name, text string
		quoted     bool
	}{
		{"milliseconds", "1769541612369", false},
		{"fraction", "1769541612369.25", false},
		{"date-time", "2026-01-27T19:20:12.369Z", true},
	} {
		b.Run(kind.name, func(b *testing.B) {
			for b.Loop() {
				if _, read := parseInstant(kind.text, kind.quoted); read != readable {
					b.Fatal("not read")
				}
			}
		})
	}
}

func BenchmarkPeekTail(b *testing.B) {
	body := ordinaryPage(benchEvents)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := PeekTail(body); !ok {
			b.Fatal("not found")
		}
	}
	reportEvents(b)
}

// BenchmarkValid measures the machine: encoding/json validates the same page and keeps nothing.
func BenchmarkValid(b *testing.B) {
	body := []byte(ordinaryPage(benchEvents))
	b.SetBytes(int64(len(body)))
	for b.Loop() {
		if !json.Valid(body) {
			b.Fatal("not valid")
		}
	}
	reportEvents(b)
}
