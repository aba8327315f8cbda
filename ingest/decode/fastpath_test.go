package decode

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"unsafe"
	"weak"

	"datasync/internal/model"

	"github.com/google/uuid"
)

const (
	typicalEvent = `{"id":"f81d4fae-7dec-41d0-a765-00a0c91e6bf6","sessionId":"0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d",` +
		`"userId":"12345678-9abc-4def-8123-456789abcdef","type":"page_view","name":"event_00042",` +
		`"properties":{"page":"/home","n":42},"timestamp":%s,"session":{"id":"0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d",` +
		`"deviceType":"desktop","browser":"Firefox"}}`
	millisecondsText = `1769541612369`
	dateTimeText     = `"2026-01-27T19:20:12.369Z"`
	// pageEnd follows the events of a page. Reads of whole words may reach into it.
	pageEnd = `],"pagination":{"hasMore":false,"nextCursor":null}}`
)

// stale is an event of an older page.
func stale() model.Event {
	var e model.Event
	for i := range e.ID {
		e.ID[i], e.SessionID[i], e.UserID.UUID[i] = 0xa5, 0xa5, 0xa5
	}
	e.UserID.Valid, e.Timestamp, e.Type = true, 42, "stale"
	e.Name.String, e.Name.Valid = "stale", true
	e.DeviceType, e.Browser, e.Properties, e.Extra = e.Name, e.Name, "{}", "{}"
	return e
}

// checkFastPath decodes the element at the beginning of text by the fast path and by the normalizer. It
// fails if the fast path accepts it with another result.
func checkFastPath(t *testing.T, d *Decoder, text string) (accepted bool) {
	t.Helper()
	d.scan.text = text
	defer d.release()
	got, want := stale(), stale()
	end := d.fastPath(0, 2, &got)
	if end == stopped {
		return false
	}
	normalizer := newNormalizer(&scanner{text: text})
	wantEnd, reason := normalizer.element(0, 2, &want)
	if end != wantEnd || reason != "" || got != want {
		t.Fatalf("the fast path ends at %d, the normalizer at %d (%s)\n%+v\n%+v\n%q", end, wantEnd, reason, got, want, text)
	}
	return true
}

func TestFastPathAcceptsTypicalEvents(t *testing.T) {
	for name, timestamp := range map[string]string{
		"milliseconds":      millisecondsText,
		"date-time":         dateTimeText,
		"offset":            `"2026-01-27T21:20:12.369+02:00"`,
		"microseconds":      `"2026-01-27T19:20:12.369123Z"`,
		"digits in quotes":  `"1769541612369"`,
		"another separator": `"2026-01-27 19:20:12.369Z"`,
		"leap second":       `"2016-12-31T23:59:60.000Z"`,
	} {
		for range 2 { // the second one finds its day cached
			if !checkFastPath(t, New(), fmt.Sprintf(typicalEvent, timestamp)+pageEnd) {
				t.Errorf("%s: refused", name)
			}
		}
	}
	for name, properties := range map[string]string{
		"empty": `{}`, "white space": `{ "page" : "/" }`, "nested": `{"a":{"b":[1,null]}}`, "escape": `{"a":"\u00e9"}`,
		"fraction": `{"a":-1.5e3}`, "zero": `{"a":0}`, "beyond ASCII": `{"a":"é"}`,
		"empty strings": `{"":""}`, "long": `{"` + strings.Repeat("k", 40) + `":"` + strings.Repeat("v", 40) + `"}`,
	} {
		text := strings.Replace(fmt.Sprintf(typicalEvent, millisecondsText), `{"page":"/home","n":42}`, properties, 1)
		if !checkFastPath(t, New(), text+pageEnd) {
			t.Errorf("properties %s: refused", name)
		}
	}
}

// TestFastPathRefusesChanges replaces each byte of a typical event by each other one, inserts each, removes the
// byte and cuts the event off there. The fast path must refuse some change of each byte, and decode all
// that it accepts as the normalizer does.
func TestFastPathRefusesChanges(t *testing.T) {
	for name, timestamp := range map[string]string{"milliseconds": millisecondsText, "date-time": dateTimeText} {
		t.Run(name, func(t *testing.T) {
			event := fmt.Sprintf(typicalEvent, timestamp)
			d := New() // has cached the day after the first event
			if !checkFastPath(t, d, event+pageEnd) {
				t.Fatal("the fast path refuses the event itself")
			}
			for i := range len(event) {
				refused := 0
				for c := range 256 {
					if !checkFastPath(t, d, event[:i]+string([]byte{byte(c)})+event[i+1:]+pageEnd) {
						refused++
					}
					if !checkFastPath(t, d, event[:i]+string([]byte{byte(c)})+event[i:]+pageEnd) {
						refused++
					}
				}
				if refused == 0 {
					t.Errorf("the fast path accepts all changes at byte %d", i)
				}
				checkFastPath(t, d, event[:i]+event[i+1:]+pageEnd)
				if checkFastPath(t, d, event[:i]) || checkFastPath(t, d, event[:i]+pageEnd) {
					t.Errorf("accepted, although cut off at byte %d", i)
				}
			}
		})
	}
}

// TestFastPathRefusesOddities has changes of several bytes.
func TestFastPathRefusesOddities(t *testing.T) {
	event := fmt.Sprintf(typicalEvent, dateTimeText)
	for name, change := range map[string][2]string{
		"empty type":          {`"page_view"`, `""`},
		"null userId":         {`"12345678-9abc-4def-8123-456789abcdef"`, `null`},
		"another session":     {`"session":{"id":"0a1b`, `"session":{"id":"ffff`},
		"more in the session": {`"Firefox"}`, `"Firefox","os":"Linux"}`},
		"one member more":     {`"Firefox"}}`, `"Firefox"},"schema":3}`},
		"properties twice":    {`"timestamp"`, `"properties":{},"timestamp"`},
		"too early":           {dateTimeText, `"1969-12-31T23:59:59.999Z"`},
		"too late":            {dateTimeText, `7258118400000`},
		"no such day":         {dateTimeText, `"2026-02-29T19:20:12.369Z"`},
		"leading zero":        {dateTimeText, `0769541612369`},
		"a digit more":        {dateTimeText, `17695416123690`},
		"a fraction":          {dateTimeText, `1769541612369.5`},
		"array of properties": {`{"page":"/home","n":42}`, `["page"]`},
		"bad properties":      {`{"page":"/home","n":42}`, `{"page":01}`},
		"invalid UTF-8":       {`"/home"`, "\"\xff\""},
		"a lone surrogate":    {`"/home"`, `"\ud800"`},
	} {
		if checkFastPath(t, New(), strings.Replace(event, change[0], change[1], 1)+pageEnd) {
			t.Errorf("%s: accepted", name)
		}
	}
}

// TestDayOfNoTimestamp: text that looks like a timestamp, but contains a quote, must not be cached as a day.
func TestDayOfNoTimestamp(t *testing.T) {
	d := New()
	const timestamp = `"1234567890"19:20:12.369Z"`
	for range 2 {
		if checkFastPath(t, d, fmt.Sprintf(typicalEvent, timestamp)+pageEnd) {
			t.Fatal("accepted, although it is malformed")
		}
	}
}

// TestDecoderIsReused: what a decoder learned from one page does not affect the next, even if all offsets are
// the same.
func TestDecoderIsReused(t *testing.T) {
	const (
		first  = "f81d4fae-7dec-41d0-a765-00a0c91e6bf6"
		second = "e81d4fae-7dec-41d0-a765-00a0c91e6bf6"
	)
	pageOf := func(id, key string) string {
		return `{"data":[{"id":"` + id + `",` + key + `:"click","timestamp":1,"sessionId":"` + first + `"}` + pageEnd
	}
	d := New()
	for _, c := range []struct{ id, key, wantType, wantID string }{
		{first, `"type"`, "click", first},
		{`\u0065` + second[1:], `"type"`, "click", second},
		{first, `"\u0074ype"`, "click", first},
		{second, `"kind"`, "", ""},
		{second, `"type"`, "click", second},
	} {
		p, err := d.Decode(pageOf(c.id, c.key), []model.Event{stale(), stale()})
		if err != nil {
			t.Fatal(err)
		}
		if c.wantID == "" {
			if len(p.Rejects) != 1 || p.Rejects[0].Reason != reasonMissingType {
				t.Errorf("%s: rejects %v", c.key, p.Rejects)
			}
			continue
		}
		want := model.Event{ID: uuid.MustParse(c.wantID), SessionID: uuid.MustParse(first), Timestamp: 1000, Type: c.wantType}
		if len(p.Events) != 1 || p.Events[0] != want {
			t.Errorf("%s %s: got %+v", c.id, c.key, p.Events)
		}
	}
}

// TestDecodeIntoGivenMemory: the events are in the given memory if they fit.
func TestDecodeIntoGivenMemory(t *testing.T) {
	body := ordinaryPage(20)
	d := New()
	for _, capacity := range []int{1, 19, 20, 21} {
		events := make([]model.Event, capacity)
		for i := range events {
			events[i] = stale()
		}
		p, err := d.Decode(body, events)
		if err != nil || len(p.Events) != 20 {
			t.Fatalf("%d events, %v", len(p.Events), err)
		}
		if inPlace := &p.Events[0] == &events[0]; inPlace != (capacity >= 20) {
			t.Errorf("capacity %d: in place is %v", capacity, inPlace)
		}
	}
	events := make([]model.Event, 20)
	if n := testing.AllocsPerRun(10, func() {
		if _, err := d.Decode(body, events); err != nil {
			t.Error(err)
		}
	}); n > 0 {
		t.Errorf("%v allocations for a page", n)
	}
}

// TestDecoderHoldsNothing: a decoder lives for a whole walk, and must not keep the bodies of its pages.
func TestDecoderHoldsNothing(t *testing.T) {
	d := New()
	bodies := map[string]weak.Pointer[byte]{}
	decode := func(name, body string) {
		if _, err := d.Decode(body, nil); err != nil {
			t.Fatal(err)
		}
		bodies[name] = weak.Make(unsafe.StringData(body))
	}
	unusual := strings.ReplaceAll(ordinaryPage(2), `"type"`, `"odd":{},"type"`)
	decode("usual", ordinaryPage(50))
	decode("unusual", unusual)
	decode("rejected", strings.ReplaceAll(strings.Clone(unusual), `"id"`, `"no"`))
	runtime.GC()
	for name, body := range bodies {
		if body.Value() != nil {
			t.Errorf("the decoder keeps the body of the %s page", name)
		}
	}
	runtime.KeepAlive(d)
}

func TestCutBelow(t *testing.T) {
	body := `{"data":[` + strings.Join([]string{
		fmt.Sprintf(typicalEvent, "3000000000000"), fmt.Sprintf(typicalEvent, "1000000000000"), fmt.Sprintf(typicalEvent, "2000000000000"),
	}, ",") + pageEnd
	for _, c := range []struct{ bound, newest, oldest, removed int64 }{
		{1000000000000, 3000000000000, 1000000000000, 0},
		{1000000000001, 3000000000000, 2000000000000, 1},
		{3000000000001, 0, 0, 3},
	} {
		p, err := New().Decode(body, nil)
		if err != nil {
			t.Fatal(err)
		}
		removed := p.CutBelow(model.Instant(c.bound*1000), false)
		if removed != c.removed || int64(p.Newest.Timestamp) != c.newest*1000 || int64(p.Oldest.Timestamp) != c.oldest*1000 {
			t.Errorf("bound %d: %d removed, from %v down to %v", c.bound, removed, p.Newest, p.Oldest)
		}
	}
}

// TestFastPathBeforeTheFirstDay: without a cached day, no text equals it.
func TestFastPathBeforeTheFirstDay(t *testing.T) {
	const id = "0190a5c4-0000-7000-8000-000000000000"
	body := `{"data":[{"id":"` + id + `","sessionId":"` + id + `","userId":"` + id + `","type":"click","name":"a","properties":{},"timestamp":"` +
		strings.Repeat("\x00", 11) + `15:04:05.000Z","session":{"id":"` + id + `","deviceType":"desktop","browser":"Firefox"}}],"pagination":{"hasMore":false}}`
	if p, err := New().Decode(body, nil); err != nil || len(p.Rejects) != 1 || p.Rejects[0].Reason != ReasonBadJSON {
		t.Errorf("read control characters in a string as %v, %v, %v", p.Events, p.Rejects, err)
	}
}

// TestPagesOfTooManyElements: a page whose elements need much more memory than its text is refused.
func TestPagesOfTooManyElements(t *testing.T) {
	t.Parallel()
	elements := []string{"null", "1", "{}"}
	if !*all {
		elements = elements[:1]
	}
	for _, element := range elements {
		body := func(n int) string {
			return `{"data":[` + strings.Repeat(element+",", n-1) + element + `],"hasMore":false}`
		}
		if p, err := New().Decode(body(MaxElements), nil); err != nil || p.Elements != MaxElements || len(p.Rejects) != MaxElements {
			t.Errorf("%s: %d elements, %v", element, p.Elements, err)
		}
		_, err := New().Decode(body(MaxElements+1), nil)
		if !errors.Is(err, ErrMalformed) || !strings.Contains(err.Error(), "more than 500,000 elements") {
			t.Errorf("%s: %v", element, err)
		}
	}
}
