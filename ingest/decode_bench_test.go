package ingest

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

const benchEvents = 5000

// ordinaryPage returns a page as the API sends it: newest first, both shapes of
// timestamps, members in the usual order.
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

// reversedPage is the same page with the members of every other event in
// another order, so that nothing can be learned.
func reorderedPage(b *testing.B, body string) string {
	var parts struct {
		Data       []map[string]json.RawMessage `json:"data"`
		Pagination json.RawMessage              `json:"pagination"`
		Meta       json.RawMessage              `json:"meta"`
	}
	if err := json.Unmarshal([]byte(body), &parts); err != nil {
		b.Fatal(err)
	}
	rng := rand.New(rand.NewPCG(3, 4))
	names := []string{"id", "sessionId", "userId", "type", "name", "properties", "timestamp", "session"}
	var out strings.Builder
	out.WriteString(`{"data":[`)
	for i, event := range parts.Data {
		if i > 0 {
			out.WriteByte(',')
		}
		for k, at := range rng.Perm(len(names)) {
			out.WriteByte("{,,,,,,,"[k])
			fmt.Fprintf(&out, "%q:%s", names[at], event[names[at]])
		}
		out.WriteByte('}')
	}
	fmt.Fprintf(&out, `],"pagination":%s,"meta":%s}`, parts.Pagination, parts.Meta)
	return out.String()
}

func reportEvents(b *testing.B) {
	b.ReportMetric(float64(b.N)*benchEvents/b.Elapsed().Seconds(), "events/s")
}

func BenchmarkDecodePage(b *testing.B) {
	ordinary := ordinaryPage(benchEvents)
	for name, body := range map[string]string{
		"usual_order":  ordinary,
		"random_order": reorderedPage(b, ordinary),
	} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(body)))
			b.ReportAllocs()
			for b.Loop() {
				p, err := newDecoder().decode(body, nil)
				if err != nil || len(p.events) != benchEvents || !p.descending {
					b.Fatal(len(p.events), err)
				}
			}
			reportEvents(b)
		})
	}
}

func BenchmarkPeekTail(b *testing.B) {
	body := ordinaryPage(benchEvents)
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := peekTail(body); !ok {
			b.Fatal("not found")
		}
	}
	reportEvents(b)
}

// BenchmarkValid is what the machine's speed is judged by: encoding/json looking
// at the same page without keeping anything.
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
