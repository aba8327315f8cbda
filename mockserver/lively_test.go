package mockserver_test

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/google/uuid"

	"datasync/mockserver"
)

var (
	newest = time.Date(2026, 1, 27, 19, 20, 12, 369_000_000, time.UTC)
	oldest = time.Date(2025, 12, 29, 0, 0, 0, 0, time.UTC) // the lively shape's
)

func lively(events int) mockserver.DataOptions {
	return mockserver.DataOptions{Shape: mockserver.ShapeLively, Events: events}
}

// TestLivelyOrder: sets of all sizes are in the order of the API and end at the same instant, with
// and without ties, and with events that Grow added.
func TestLivelyOrder(t *testing.T) {
	for _, n := range []int{1, 2, 3, 10, 99, 1000, 4097, 17_000, 30_000, 100_000, 300_000} {
		if testing.Short() && n > 30_000 {
			continue
		}
		for _, opts := range []mockserver.DataOptions{{}, {Seed: 9}, {TieSize: 5, TieEvery: 7}} {
			opts.Shape, opts.Events = mockserver.ShapeLively, n
			d := mockserver.NewDataset(opts)
			d.Grow(500)
			last := d.Event(0)
			for i := 1; i < d.Len(); i++ {
				e := d.Event(i)
				if e.TimestampMS > last.TimestampMS || e.TimestampMS == last.TimestampMS && e.ID.String() >= last.ID.String() {
					t.Fatalf("%+v: event %d at %v follows one at %v", opts, i, e.Time(), last.Time())
				}
				last = e
			}
			if got := d.Event(500).Time(); !got.Equal(newest) {
				t.Errorf("%+v: newest event at %v", opts, got)
			}
			if got := last.Time(); got.Before(oldest) || n >= 10 && got.After(oldest.Add(12*time.Hour)) {
				t.Errorf("%+v: oldest event at %v", opts, got)
			}
		}
	}
}

// TestLivelyOrderOfALargeSet: parts of the largest set are in order, and each event and its session
// are found.
func TestLivelyOrderOfALargeSet(t *testing.T) {
	const n, parts = 1_000_000_000, 3000
	d := mockserver.NewDataset(lively(n))
	for part := range parts {
		first := part * (n / parts)
		last := d.Event(first)
		for i := first + 1; i < first+20; i++ {
			e := d.Event(i)
			if e.TimestampMS > last.TimestampMS || e.TimestampMS == last.TimestampMS && e.ID.String() >= last.ID.String() {
				t.Fatalf("event %d at %v follows one at %v", i, e.Time(), last.Time())
			}
			last = e
		}
	}
	if got := d.Event(n - 1).Time(); got.Before(oldest) || got.After(oldest.Add(time.Minute)) {
		t.Errorf("oldest event at %v", got)
	}
}

// TestLivelyBounds: since and until cut a set exactly, at and beside its instants.
func TestLivelyBounds(t *testing.T) {
	for _, n := range []int{10, 700, 40_000} {
		s := mockserver.New(mockserver.Options{Data: lively(n), Events: mockserver.Pages{Since: mockserver.Inclusive, Until: mockserver.Exclusive}})
		a, d := newAPI(t, s), s.Dataset()
		for i := 0; i < n; i += max(1, n/40) {
			for _, beside := range []int64{-1, 0, 1} {
				at := d.Event(i).TimestampMS + beside
				after := i // how many events are at the instant or after it
				for after > 0 && d.Event(after-1).TimestampMS < at {
					after--
				}
				for after < n && d.Event(after).TimestampMS >= at {
					after++
				}
				text := strconv.FormatInt(at, 10)
				got := decode(t, a.mustPage(mockserver.EventsPath, "limit", "1", "until", text))
				if len(got) != min(1, n-after) || len(got) > 0 && got[0].ID != d.Event(after).ID.String() {
					t.Fatalf("%d events, until %d: %v, want event %d", n, at, got, after)
				}
				if got := a.mustPage(mockserver.EventsPath, "limit", "5000", "since", text); len(got.Data) != min(after, 5000) {
					t.Fatalf("%d events, since %d: %d events, want %d", n, at, len(got.Data), after)
				}
			}
		}
	}
}

// TestLivelyWalk: pages of any size give each event once, also while the set grows, and each event
// is the same on a page, alone and by its session.
func TestLivelyWalk(t *testing.T) {
	for _, n := range []int{mockserver.NoEvents, 1, 10, 1000, 2500} {
		s := mockserver.New(mockserver.Options{Data: lively(n)})
		a, d := newAPI(t, s), s.Dataset()
		for _, limit := range []int{1, 7, 5000} {
			checkWalk(t, s, a.walk(mockserver.EventsPath, limit, ""))
		}
		first := a.mustPage(mockserver.EventsPath, "limit", "3")
		before := ids(d, 0)
		d.Grow(40)
		if after := ids(d, 40); fmt.Sprint(before) != fmt.Sprint(after) {
			t.Fatalf("%d events: growth changed older ones", n)
		}
		checkWalk(t, s, a.walk(mockserver.EventsPath, 7, ""))
		for i, e := range decode(t, first) {
			if _, body := a.get(mockserver.EventsPath + "/" + e.ID); string(body) != `{"data":`+string(first.Data[i])+`}` {
				t.Errorf("alone: %s, on a page: %s", body, first.Data[i])
			}
		}
		e := d.Event(d.Len() - 1)
		own := map[string]bool{}
		for i := range d.Len() {
			if other := d.Event(i); other.SessionID == e.SessionID {
				own[other.ID.String()] = true
			}
		}
		if got := a.mustPage(mockserver.EventsPath, "limit", "5000", "sessionId", e.SessionID.String()); len(got.Data) != len(own) || *got.Meta.Total != len(own) {
			t.Errorf("%d events: session of %d events, want %d", n, len(got.Data), len(own))
		}
	}
}

// TestLivelyIsAFunctionOfItsSeed: the set is the same on every machine, and another one with another
// seed.
func TestLivelyIsAFunctionOfItsSeed(t *testing.T) {
	digest := func(opts mockserver.DataOptions) string {
		d, hash := mockserver.NewDataset(opts), sha256.New()
		var b []byte
		for i := 0; i < d.Len(); i += 7 {
			b = d.AppendEvent(b[:0], i)
			hash.Write(b)
		}
		return hex.EncodeToString(hash.Sum(nil)[:8])
	}
	other := lively(30_000)
	other.Seed = 1
	for want, opts := range map[string]mockserver.DataOptions{
		"fe1e2d0b992c9238": lively(30_000), "4911c2dbc0f137c1": lively(1000), "080dd7623abe3f3c": other,
	} {
		if got := digest(opts); got != want {
			t.Errorf("%+v: %s, want %s", opts, got, want)
		}
	}
}

// TestLivelySessions: a session has one user, device and browser, and valid ids.
func TestLivelySessions(t *testing.T) {
	for _, n := range []int{1, 10, 1000, 20_000, 300_000} {
		if testing.Short() && n > 20_000 {
			continue
		}
		d := mockserver.NewDataset(lively(n))
		first := map[uuid.UUID]mockserver.Event{}
		for i := range n {
			e := d.Event(i)
			if e.SessionID.Version() != 4 || e.UserID.Version() != 4 {
				t.Fatalf("event %d: %s and %s are no v4 UUIDs", i, e.SessionID, e.UserID)
			}
			if f, ok := first[e.SessionID]; !ok {
				first[e.SessionID] = e
			} else if f.UserID != e.UserID || f.DeviceType != e.DeviceType || f.Browser != e.Browser {
				t.Fatalf("session %s has two users, devices or browsers", e.SessionID)
			}
		}
	}
}

// TestDemoData: late events are additional, and few sets have any.
func TestDemoData(t *testing.T) {
	for _, tt := range []struct {
		shape      mockserver.Shape
		n, at, all int
	}{
		{mockserver.ShapeLively, mockserver.NoEvents, 0, 0},
		{mockserver.ShapeLively, 10, 10, 10},
		{mockserver.ShapeLively, 300_000, 300_000, 300_006},
		{mockserver.ShapeLively, 1_000_000_000, 1_000_000_000, 1_000_000_000},
		{mockserver.ShapeFlat, 300_000, 300_000, 300_000},
	} {
		d := mockserver.NewDataset(mockserver.DemoData(tt.shape, tt.n))
		late := 0
		for i := range min(d.Len(), 1000) {
			if d.Late(i) {
				late++
				if age := newest.Sub(d.Event(i).Time()); age > 10*time.Minute {
					t.Errorf("a late event is %v old, which is outside of the lookback", age)
				}
			}
		}
		if d.Total() != tt.at || d.Len() != tt.all || late != tt.all-tt.at {
			t.Errorf("%v, %d: %d events of %d, %d late", tt.shape, tt.n, d.Total(), d.Len(), late)
		}
		d.Reveal()
		if d.Total() != tt.all {
			t.Errorf("%v, %d: %d events afterwards, want %d", tt.shape, tt.n, d.Total(), tt.all)
		}
	}
}

func TestParseShape(t *testing.T) {
	for _, name := range mockserver.Shapes() {
		if shape, err := mockserver.ParseShape(name); err != nil || shape.String() != name {
			t.Errorf("%s: %v, %v", name, shape, err)
		}
	}
	if _, err := mockserver.ParseShape("round"); err == nil {
		t.Error("round is a shape")
	}
	if err := (mockserver.DataOptions{Shape: 7}).Validate(); err == nil {
		t.Error("a set has an unknown shape")
	}
}
