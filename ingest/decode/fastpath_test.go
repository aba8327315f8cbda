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
	usualEvent = `{"id":"f81d4fae-7dec-41d0-a765-00a0c91e6bf6","sessionId":"0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d",` +
		`"userId":"12345678-9abc-4def-8123-456789abcdef","type":"page_view","name":"event_00042",` +
		`"properties":{"page":"/home","n":42},"timestamp":%s,"session":{"id":"0a1b2c3d-4e5f-4a6b-8c7d-9e0f1a2b3c4d",` +
		`"deviceType":"desktop","browser":"Firefox"}}`
	millisecondsText = `1769541612369`
	dateTimeText     = `"2026-01-27T19:20:12.369Z"`
	// What follows the events of a page: the words that are read may reach into it.
	pageEnd = `],"pagination":{"hasMore":false,"nextCursor":null}}`
)

// stale is what the memory of an older page may hold.
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

// checkUsual reads the element at the beginning of text in both ways. Where the usual
// way takes it at all, the general one must make the same of it.
func checkUsual(t *testing.T, d *Decoder, text string) (taken bool) {
	t.Helper()
	d.scan.text = text
	defer d.release()
	got, want := stale(), stale()
	end := d.fastPath(0, 2, &got)
	if end == stopped {
		return false
	}
	general := newNormalizer(&scanner{text: text})
	wantEnd, reason := general.element(0, 2, &want)
	if end != wantEnd || reason != "" || got != want {
		t.Fatalf("the usual way ends at %d, the general one at %d (%s)\n%+v\n%+v\n%q", end, wantEnd, reason, got, want, text)
	}
	return true
}

func TestUsualEventsAreTaken(t *testing.T) {
	for name, timestamp := range map[string]string{
		"milliseconds":      millisecondsText,
		"date-time":         dateTimeText,
		"offset":            `"2026-01-27T21:20:12.369+02:00"`,
		"microseconds":      `"2026-01-27T19:20:12.369123Z"`,
		"digits in quotes":  `"1769541612369"`,
		"another separator": `"2026-01-27 19:20:12.369Z"`,
		"leap second":       `"2016-12-31T23:59:60.000Z"`,
	} {
		for range 2 { // the second one finds its day known
			if !checkUsual(t, New(), fmt.Sprintf(usualEvent, timestamp)+pageEnd) {
				t.Errorf("%s: not taken", name)
			}
		}
	}
	for name, properties := range map[string]string{
		"empty": `{}`, "white space": `{ "page" : "/" }`, "nested": `{"a":{"b":[1,null]}}`, "escape": `{"a":"\u00e9"}`,
		"fraction": `{"a":-1.5e3}`, "zero": `{"a":0}`, "beyond ASCII": `{"a":"é"}`,
		"empty strings": `{"":""}`, "long": `{"` + strings.Repeat("k", 40) + `":"` + strings.Repeat("v", 40) + `"}`,
	} {
		text := strings.Replace(fmt.Sprintf(usualEvent, millisecondsText), `{"page":"/home","n":42}`, properties, 1)
		if !checkUsual(t, New(), text+pageEnd) {
			t.Errorf("properties %s: not taken", name)
		}
	}
}

// TestUsualWaysOut changes each byte of a usual event to each other one, takes it out,
// adds one and cuts the event off there. The usual way must be left at each of them,
// and nothing that it takes may be different from what the general way makes of it.
func TestUsualWaysOut(t *testing.T) {
	for name, timestamp := range map[string]string{"milliseconds": millisecondsText, "date-time": dateTimeText} {
		t.Run(name, func(t *testing.T) {
			event := fmt.Sprintf(usualEvent, timestamp)
			d := New() // knows the day after the first one
			if !checkUsual(t, d, event+pageEnd) {
				t.Fatal("the event itself is not taken")
			}
			for i := range len(event) {
				left := 0
				for c := range 256 {
					if !checkUsual(t, d, event[:i]+string([]byte{byte(c)})+event[i+1:]+pageEnd) {
						left++
					}
					if !checkUsual(t, d, event[:i]+string([]byte{byte(c)})+event[i:]+pageEnd) {
						left++
					}
				}
				if left == 0 {
					t.Errorf("nothing at byte %d leads out of the usual way", i)
				}
				checkUsual(t, d, event[:i]+event[i+1:]+pageEnd)
				if checkUsual(t, d, event[:i]) || checkUsual(t, d, event[:i]+pageEnd) {
					t.Errorf("taken, though cut off at byte %d", i)
				}
			}
		})
	}
}

// TestUsualOddities has what no change of one byte makes of a usual event.
func TestUsualOddities(t *testing.T) {
	event := fmt.Sprintf(usualEvent, dateTimeText)
	for name, change := range map[string][2]string{
		"empty type":           {`"page_view"`, `""`},
		"null userId":          {`"12345678-9abc-4def-8123-456789abcdef"`, `null`},
		"another session":      {`"session":{"id":"0a1b`, `"session":{"id":"ffff`},
		"more in the session":  {`"Firefox"}`, `"Firefox","os":"Linux"}`},
		"one member more":      {`"Firefox"}}`, `"Firefox"},"schema":3}`},
		"properties twice":     {`"timestamp"`, `"properties":{},"timestamp"`},
		"too early":            {dateTimeText, `"1969-12-31T23:59:59.999Z"`},
		"too late":             {dateTimeText, `7258118400000`},
		"no such day":          {dateTimeText, `"2026-02-29T19:20:12.369Z"`},
		"leading zero":         {dateTimeText, `0769541612369`},
		"a digit more":         {dateTimeText, `17695416123690`},
		"a fraction":           {dateTimeText, `1769541612369.5`},
		"properties no object": {`{"page":"/home","n":42}`, `["page"]`},
		"properties no JSON":   {`{"page":"/home","n":42}`, `{"page":01}`},
		"no UTF-8":             {`"/home"`, "\"\xff\""},
		"a lone surrogate":     {`"/home"`, `"\ud800"`},
	} {
		if checkUsual(t, New(), strings.Replace(event, change[0], change[1], 1)+pageEnd) {
			t.Errorf("%s: taken", name)
		}
	}
}

// TestDayOfNoTimestamp: what looks like a day and a time, but is cut in two by a quote,
// must not be remembered as a day.
func TestDayOfNoTimestamp(t *testing.T) {
	d := New()
	const timestamp = `"1234567890"19:20:12.369Z"`
	for range 2 {
		if checkUsual(t, d, fmt.Sprintf(usualEvent, timestamp)+pageEnd) {
			t.Fatal("taken, though it is no JSON")
		}
	}
}

// TestDecoderIsUsedAgain: what a decoder learned from one page decides nothing about
// another one, be it that all stands at the same places.
func TestDecoderIsUsedAgain(t *testing.T) {
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

// TestDecodeIntoGivenMemory: the events lie where they were asked for, as many as fit.
func TestDecodeIntoGivenMemory(t *testing.T) {
	body := ordinaryPage(20)
	d := New()
	for _, room := range []int{1, 19, 20, 21} {
		events := make([]model.Event, room)
		for i := range events {
			events[i] = stale()
		}
		p, err := d.Decode(body, events)
		if err != nil || len(p.Events) != 20 {
			t.Fatalf("%d events, %v", len(p.Events), err)
		}
		if inPlace := &p.Events[0] == &events[0]; inPlace != (room >= 20) {
			t.Errorf("room for %d: in place is %v", room, inPlace)
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

// TestDecoderHoldsNothing: the decoder is kept for the whole walk, and the bodies of
// its pages must not be.
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
			t.Errorf("the body of the %s page is still held", name)
		}
	}
	runtime.KeepAlive(d)
}

func TestCutBelow(t *testing.T) {
	body := `{"data":[` + strings.Join([]string{
		fmt.Sprintf(usualEvent, "3000000000000"), fmt.Sprintf(usualEvent, "1000000000000"), fmt.Sprintf(usualEvent, "2000000000000"),
	}, ",") + pageEnd
	for _, c := range []struct{ floor, newest, oldest, outside int64 }{
		{1000000000000, 3000000000000, 1000000000000, 0},
		{1000000000001, 3000000000000, 2000000000000, 1},
		{3000000000001, 0, 0, 3},
	} {
		p, err := New().Decode(body, nil)
		if err != nil {
			t.Fatal(err)
		}
		outside := p.CutBelow(model.Instant(c.floor*1000), false)
		if outside != c.outside || int64(p.Newest.Timestamp) != c.newest*1000 || int64(p.Oldest.Timestamp) != c.oldest*1000 {
			t.Errorf("floor %d: %d outside, from %v down to %v", c.floor, outside, p.Newest, p.Oldest)
		}
	}
}

// TestUsualBeforeTheFirstDay: what has been read of no day yet equals no day.
func TestUsualBeforeTheFirstDay(t *testing.T) {
	const id = "0190a5c4-0000-7000-8000-000000000000"
	body := `{"data":[{"id":"` + id + `","sessionId":"` + id + `","userId":"` + id + `","type":"click","name":"a","properties":{},"timestamp":"` +
		strings.Repeat("\x00", 11) + `15:04:05.000Z","session":{"id":"` + id + `","deviceType":"desktop","browser":"Firefox"}}],"pagination":{"hasMore":false}}`
	if p, err := New().Decode(body, nil); err != nil || len(p.Rejects) != 1 || p.Rejects[0].Reason != ReasonBadJSON {
		t.Errorf("read control characters in a string as %v, %v, %v", p.Events, p.Rejects, err)
	}
}

// TestPagesOfTooManyElements: what takes much more memory than its text is refused in time.
func TestPagesOfTooManyElements(t *testing.T) {
	odd := []string{"null", "1", "{}"}
	if testing.Short() {
		odd = odd[:1]
	}
	for _, element := range odd {
		body := func(n int) string {
			return `{"data":[` + strings.Repeat(element+",", n-1) + element + `],"hasMore":false}`
		}
		if p, err := New().Decode(body(MaxElements), nil); err != nil || p.Elements != MaxElements || len(p.Rejects) != MaxElements {
			t.Errorf("%s: %d elements, %v", element, p.Elements, err)
		}
		_, err := New().Decode(body(MaxElements+1), nil)
		if !errors.Is(err, ErrMalformed) || !strings.Contains(err.Error(), "more than 500000 elements") {
			t.Errorf("%s: %v", element, err)
		}
	}
}
