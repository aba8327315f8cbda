package mockserver_test

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"datasync/mockserver"
)

func TestDatasetOrder(t *testing.T) {
	tests := []struct {
		name string
		opts mockserver.DataOptions
		tie  int // longest run of one millisecond
	}{
		{"default ties", mockserver.DataOptions{Events: 5000}, 3},
		{"no ties", mockserver.DataOptions{Events: 5000, TieSize: 1}, 1},
		{"large ties", mockserver.DataOptions{Events: 5000, TieSize: 200, TieEvery: 300}, 200},
		{"ties only", mockserver.DataOptions{Events: 1000, TieSize: 200}, 200},
		{"other seed", mockserver.DataOptions{Events: 5000, Seed: 99}, 3},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := mockserver.NewDataset(tt.opts)
			d.Grow(1000)
			if d.Total() != tt.opts.Events+1000 {
				t.Fatalf("total %d", d.Total())
			}
			last, run, longest := d.Event(0), 1, 1
			for i := 1; i < d.Total(); i++ {
				e := d.Event(i)
				switch {
				case e.TimestampMS < last.TimestampMS:
					run = 1
				case e.TimestampMS == last.TimestampMS && e.ID.String() < last.ID.String():
					run++
				default:
					t.Fatalf("event %d (%d, %s) stands behind (%d, %s)", i, e.TimestampMS, e.ID, last.TimestampMS, last.ID)
				}
				longest = max(longest, run)
				last = e
			}
			if longest != tt.tie {
				t.Errorf("longest tie has %d events, want %d", longest, tt.tie)
			}
		})
	}
}

func TestDatasetShape(t *testing.T) {
	const n = 200_000
	d := mockserver.NewDataset(mockserver.DataOptions{Events: n})
	newest := time.Date(2026, 1, 27, 19, 20, 12, 369_000_000, time.UTC)
	if got := d.Event(0).Time(); !got.Equal(newest) {
		t.Errorf("newest event at %v, want %v", got, newest)
	}
	if back := newest.Sub(d.Event(n-1).Time()).Hours() / 24; back < 30.9 || back > 31 {
		t.Errorf("set reaches back %.2f days, want about 31", back)
	}
	ids := make(map[uuid.UUID]bool, n)
	users, sessions := map[uuid.UUID]bool{}, map[uuid.UUID]mockserver.Event{}
	types := map[string]int{}
	var body []byte
	for i := range n {
		e := d.Event(i)
		ids[e.ID], users[e.UserID] = true, true
		types[e.Type]++
		if first, ok := sessions[e.SessionID]; !ok {
			sessions[e.SessionID] = e
		} else if first.UserID != e.UserID || first.DeviceType != e.DeviceType || first.Browser != e.Browser {
			t.Fatalf("session %s has two users, devices or browsers", e.SessionID)
		}
		body = d.AppendEvent(body, i)
		if e.ID.Version() != 4 || e.SessionID.Version() != 4 || e.ID.Variant() != uuid.RFC4122 {
			t.Fatalf("event %d: %s and %s are no v4 UUIDs", i, e.ID, e.SessionID)
		}
	}
	if len(ids) != n || len(users) != 3000 || len(sessions) < 55_000 || len(sessions) > 60_000 {
		t.Errorf("%d ids, %d users, %d sessions", len(ids), len(users), len(sessions))
	}
	if mean := float64(len(body)) / n; math.Abs(mean-345) > 5 {
		t.Errorf("%.1f bytes an event, want about 345", mean)
	}
	for name, percent := range map[string]float64{
		"page_view": 35, "click": 25, "api_call": 10, "form_submit": 10, "scroll": 5, "purchase": 5, "error": 5, "video_play": 5,
	} {
		if got := 100 * float64(types[name]) / n; math.Abs(got-percent) > 0.5 {
			t.Errorf("%s: %.1f %%, want %.0f %%", name, got, percent)
		}
	}
}

func TestDatasetIsAFunctionOfItsSeed(t *testing.T) {
	wire := func(seed uint64) string {
		d := mockserver.NewDataset(mockserver.DataOptions{Seed: seed, Events: 100})
		var b []byte
		for i := range 100 {
			b = d.AppendEvent(b, i)
		}
		return string(b)
	}
	if first, second := wire(7), wire(7); first != second {
		t.Error("one seed gave two sets")
	}
	if wire(7) == wire(8) {
		t.Error("two seeds gave one set")
	}
}

func TestLateEvents(t *testing.T) {
	s := mockserver.New(mockserver.Options{Data: mockserver.DataOptions{Events: 100, LateEvery: 10, LateWithin: 50}})
	a, d := newAPI(t, s), s.Dataset()
	if d.Total() != 95 || d.Len() != 100 {
		t.Fatalf("total %d of %d, want 95 of 100", d.Total(), d.Len())
	}
	for _, limit := range []int{1, 9, 10, 95} {
		got := a.walk(mockserver.EventsPath, limit, "")
		if len(got) != 95 {
			t.Fatalf("%d events by %d, want 95", len(got), limit)
		}
	}
	if !d.Late(9) || d.Late(10) || d.Late(59) {
		t.Error("late events are not those that were asked for")
	}
	d.Reveal()
	checkWalk(t, s, a.walk(mockserver.EventsPath, 7, ""))
}

// TestRevealAfter: late events appear at a time after the first request.
func TestRevealAfter(t *testing.T) {
	for _, n := range []int{1, 9, 100, 150_000} {
		synctest.Test(t, func(t *testing.T) {
			data := mockserver.DataOptions{Shape: mockserver.ShapeLively, Events: n}.WithLate()
			a := newAPI(t, mockserver.New(mockserver.Options{Data: data, RevealAfter: 10 * time.Minute, TimeScale: 2}))
			total := func() int { return *a.mustPage(mockserver.EventsPath, "limit", "1").Meta.Total }
			if got := total(); got != n {
				t.Errorf("%d events at first, want %d", got, n)
			}
			advance(5*time.Minute - 1)
			if got := total(); got != n {
				t.Errorf("%d events before the time, want %d", got, n)
			}
			advance(1)
			if got, want := total(), n+max(1, n/50_000); got != want {
				t.Errorf("%d events afterwards, want %d", got, want)
			}
		})
	}
	if o := (mockserver.DataOptions{Events: mockserver.NoEvents}).WithLate(); o.Events != mockserver.NoEvents {
		t.Errorf("an empty set has %d events", o.Events)
	}
}

func TestSwappedEvents(t *testing.T) {
	for _, distance := range []int{1, 30} {
		s := mockserver.New(mockserver.Options{Data: mockserver.DataOptions{Events: 333, SwapEvery: 50, SwapDistance: distance}})
		a := newAPI(t, s)
		place := map[string]int{}
		for i, id := range ids(s.Dataset(), 0) {
			place[id] = i
		}
		for _, limit := range []int{1, 7, 50, 400} {
			seen, breaches, last := map[string]bool{}, 0, -1
			for _, e := range a.walk(mockserver.EventsPath, limit, "") {
				if seen[e.ID] {
					t.Fatalf("%s came twice", e.ID)
				}
				seen[e.ID] = true
				if place[e.ID] < last {
					breaches++
				}
				last = place[e.ID]
			}
			if len(seen) != 333 || breaches == 0 {
				t.Errorf("distance %d, limit %d: %d events, %d breaches of order", distance, limit, len(seen), breaches)
			}
		}
	}
}

func position(t *testing.T, d *mockserver.Dataset, id string) int {
	t.Helper()
	for i := range d.Len() {
		if d.Event(i).ID.String() == id {
			return i
		}
	}
	t.Fatalf("no event %s", id)
	return -1
}

// readEvent reads the wire form by the rules of the API's description. It shares nothing with the
// server.
func readEvent(t *testing.T, raw []byte) (m map[string]any, storable bool, instant time.Time) {
	t.Helper()
	decoder := json.NewDecoder(strings.NewReader(string(raw)))
	decoder.UseNumber()
	if err := decoder.Decode(&m); err != nil {
		t.Fatalf("%v in %s", err, raw)
	}
	isUUID := func(v any) bool {
		text, ok := v.(string)
		_, err := uuid.Parse(text)
		return ok && err == nil && len(text) == 36
	}
	kind, _ := m["type"].(string)
	ok := true
	switch v := m["timestamp"].(type) {
	case json.Number:
		ms, err := v.Int64()
		instant, ok = time.UnixMilli(ms), err == nil
	case string:
		if ms, err := strconv.ParseInt(v, 10, 64); err == nil {
			instant = time.UnixMilli(ms)
			break
		}
		at, err := time.Parse(time.RFC3339Nano, v)
		instant, ok = at, err == nil
	default:
		ok = false
	}
	instant = instant.UTC().Truncate(time.Microsecond)
	ok = ok && instant.Year() >= 1970 && instant.Year() <= 2200
	return m, ok && kind != "" && isUUID(m["id"]) && isUUID(m["sessionId"]), instant
}

func TestMalformed(t *testing.T) {
	all := mockserver.AllMalformed()
	if len(all) != len(mockserver.RejectedMalformed())+len(mockserver.ToleratedMalformed()) {
		t.Fatal("kinds are neither rejected nor tolerated")
	}
	for _, kind := range append(all, mockserver.Clean) {
		t.Run(strings.ReplaceAll(kind.String(), " ", "_"), func(t *testing.T) {
			d := mockserver.NewDataset(mockserver.DataOptions{Events: 60, DirtyEvery: 3, DirtyKinds: []mockserver.Malformed{kind}})
			for i := range 60 {
				e, want := d.Event(i), d.Expected(i)
				if dirty := i%3 == 2; dirty != (e.Malformed != mockserver.Clean) && kind != mockserver.Clean {
					t.Fatalf("event %d is %v", i, e.Malformed)
				}
				raw := d.AppendEvent(nil, i)
				m, storable, instant := readEvent(t, raw)
				if storable != want.Storable || want.Storable != (want.Field == "") {
					t.Fatalf("event %d is storable: %v, but Expected says %+v\n%s", i, storable, want, raw)
				}
				if storable {
					checkEvent(t, e, m, instant, raw)
				}
			}
		})
	}
}

func checkEvent(t *testing.T, e mockserver.Event, m map[string]any, instant time.Time, raw []byte) {
	t.Helper()
	text := func(v any) string { s, _ := v.(string); return s }
	session, _ := m["session"].(map[string]any)
	user := uuid.Nil
	if id, err := uuid.Parse(text(m["userId"])); err == nil {
		user = id
	}
	properties := ""
	if object, ok := m["properties"].(map[string]any); ok {
		minified, err := json.Marshal(object)
		if err != nil {
			t.Fatal(err)
		}
		properties = string(minified)
	}
	got := fmt.Sprintln(m["id"], m["sessionId"], user, m["type"], text(m["name"]), instant.Format(time.RFC3339Nano),
		text(session["deviceType"]), text(session["browser"]))
	want := fmt.Sprintln(e.ID, e.SessionID, e.UserID, e.Type, e.Name, e.Time().Format(time.RFC3339Nano), e.DeviceType, e.Browser)
	if got != want {
		t.Fatalf("wire form says\n%s\nEvent\n%s\n%s", got, want, raw)
	}
	if properties == "" || e.Properties == "" {
		if properties != e.Properties {
			t.Fatalf("properties %q, want %q", properties, e.Properties)
		}
		return
	}
	var a, b any
	if json.Unmarshal([]byte(properties), &a) != nil || json.Unmarshal([]byte(e.Properties), &b) != nil || fmt.Sprint(a) != fmt.Sprint(b) {
		t.Fatalf("properties %s, want %s", properties, e.Properties)
	}
}

func TestMalformedByRate(t *testing.T) {
	const n = 20_000
	d := mockserver.NewDataset(mockserver.DataOptions{Events: n, DirtyRate: 0.1})
	kinds, dirty := map[mockserver.Malformed]int{}, 0
	for i := range n {
		if k := d.Expected(i).Malformed; k != mockserver.Clean {
			kinds[k]++
			dirty++
		}
	}
	if share := float64(dirty) / n; math.Abs(share-0.1) > 0.01 {
		t.Errorf("%.3f of the events are dirty, want 0.1", share)
	}
	if len(kinds) != len(mockserver.AllMalformed()) {
		t.Errorf("%d malformed kinds came up, want all %d", len(kinds), len(mockserver.AllMalformed()))
	}
}

// TestMalformedKeepsOrder: malformed events are in the order that the API promises, at the
// precision of the wire form.
func TestMalformedKeepsOrder(t *testing.T) {
	d := mockserver.NewDataset(mockserver.DataOptions{Events: 5000, TieSize: 5, DirtyRate: 0.5,
		DirtyKinds: []mockserver.Malformed{mockserver.MicroTimestamp, mockserver.NanoTimestamp, mockserver.OffsetTimestamp}})
	exact := 0
	for i := 1; i < d.Len(); i++ {
		a, b := d.Event(i-1), d.Event(i)
		if b.Time().After(a.Time()) || b.Time().Equal(a.Time()) && b.ID.String() > a.ID.String() {
			t.Fatalf("event %d is out of order", i)
		}
		if b.Micros > 0 {
			exact++
		}
	}
	if exact == 0 {
		t.Error("no event has microseconds")
	}
}
