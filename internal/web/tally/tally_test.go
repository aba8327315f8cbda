package tally_test

import (
	"database/sql"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"datasync/ingest"
	"datasync/internal/inspect"
	"datasync/internal/model"
	"datasync/internal/report/figures"
	"datasync/internal/store"
	"datasync/internal/web/tally"
	"datasync/mockserver"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// zone is a time zone by its name.
func zone(t *testing.T, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// pull pulls from a mock server into a file, with counters.
func pull(t testing.TB, path string, data mockserver.DataOptions, counters func() model.Tally) (storedBefore int64) {
	t.Helper()
	s, err := store.Open(t.Context(), store.Options{Path: path, Origin: "demo", ToolVersion: "test", Tally: counters})
	if err != nil {
		t.Fatal(err)
	}
	storedBefore = s.OpenedAt()
	base, err := url.Parse(mockserver.BaseURL)
	if err != nil {
		t.Fatal(err)
	}
	mock := mockserver.New(mockserver.Options{Data: data, Events: mockserver.Pages{Cap: 700}})
	_, err = ingest.Run(t.Context(), ingest.Options{
		Store: s, Transport: mock.Transport(), BaseURL: base, Key: "ds_test_demo", PageSize: 700, Lookback: time.Hour, MaxWait: time.Minute, MaxRetryTime: time.Minute, Restart: storedBefore > 0,
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return storedBefore
}

// counted reads counts by SQL.
func counted(t *testing.T, path, timezone string, upTo int64) (counts *figures.Counts, first, last time.Time) {
	t.Helper()
	db, err := inspect.OpenReadOnly(t.Context(), path, timezone)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	counts, first, last, err = figures.ReadCounts(t.Context(), db, upTo)
	if err != nil {
		t.Fatal(err)
	}
	return counts, first, last
}

// same compares the counts with SQL's.
func same(t *testing.T, what string, got tally.Now, path, timezone string) {
	t.Helper()
	want, first, last := counted(t, path, timezone, 0)
	if diff := cmp.Diff(*want, got.Counts, cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("%s, %s: SQL (-) and counters (+) differ:\n%s", what, timezone, diff)
	}
	if !got.First.Equal(first) || !got.Last.Equal(last) || !got.Known || !got.PagesKnown {
		t.Errorf("%s, %s: from %v to %v, known %v, %v; want from %v to %v", what, timezone, got.First, got.Last, got.Known, got.PagesKnown, first, last)
	}
}

// TestAgainstSQL: the counters of a pull say what SQL says of its file, in each time zone.
func TestAgainstSQL(t *testing.T) {
	for _, timezone := range []string{"UTC", "Europe/Berlin", "Asia/Kolkata", "Australia/Lord_Howe"} {
		path := filepath.Join(t.TempDir(), "a.duckdb")
		c := tally.New(zone(t, timezone))
		c.Seed(&figures.Counts{}, time.Time{}, time.Time{}, 0)
		pull(t, path, mockserver.DataOptions{Events: 20_000, Shape: mockserver.ShapeLively, DirtyEvery: 50}, c.Batch)
		same(t, "a first pull", c.Now(), path, timezone)
	}
}

// TestSeed: counters of a later pull, which reads all events again and stores only new ones, begin with those that
// were stored before.
func TestSeed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.duckdb")
	pull(t, path, mockserver.DataOptions{Events: 3000, Shape: mockserver.ShapeLively}, tally.New(time.UTC).Batch)
	c := tally.New(time.UTC)
	if c.Now().Known {
		t.Error("counts are known before the stored events are")
	}
	before := pull(t, path, mockserver.DataOptions{Events: 5000, Shape: mockserver.ShapeLively}, c.Batch)
	if before == 0 || c.Now().Known {
		t.Fatalf("%d batches before, known %v", before, c.Now().Known)
	}
	counts, first, last := counted(t, path, "UTC", before)
	c.Seed(counts, first, last, before)
	same(t, "a later pull", c.Now(), path, "UTC")
}

// TestPanic: a panic while an event is counted reaches no caller. The number of events stays known, the counts do not.
func TestPanic(t *testing.T) {
	c := tally.New(time.UTC)
	c.Seed(nil, time.Time{}, time.Time{}, 3)
	if batch, events, seeded := c.Batches(); batch != 3 || events != 0 || !seeded || c.Failure() == "" {
		t.Errorf("after a seed of nothing: batch %d, %d events, seeded %v, failure %q", batch, events, seeded, c.Failure())
	}
	c = tally.New(time.UTC)
	c.Seed(&figures.Counts{}, time.Time{}, time.Time{}, 0)
	b := c.Batch()
	b.Add(&model.Event{Type: "click", Timestamp: 1})
	b.Add(nil)
	b.Add(&model.Event{Type: "click", Timestamp: 2})
	if c.Failure() != "" {
		t.Error("a batch that is not committed has failed")
	}
	b.Committed(1)
	if batch, events, _ := c.Batches(); batch != 1 || events != 3 || c.Now().Known || !strings.Contains(c.Failure(), "nil pointer") {
		t.Errorf("batch %d, %d events, known %v, failure %q", batch, events, c.Now().Known, c.Failure())
	}
}

// TestUncommitted: a batch that is not committed counts nothing.
func TestUncommitted(t *testing.T) {
	c := tally.New(time.UTC)
	c.Seed(&figures.Counts{}, time.Time{}, time.Time{}, 0)
	b := c.Batch()
	b.Add(&model.Event{Type: "click", Timestamp: 1, Properties: `{"page":"/"}`})
	if n := c.Now(); n.Events() != 0 || n.Batch != 0 || len(n.Pages) != 0 {
		t.Errorf("%+v", n)
	}
	b.Committed(7)
	if n := c.Now(); n.Events() != 1 || n.Batch != 7 || len(n.Pages) != 1 {
		t.Errorf("%+v", n)
	}
}

// TestBounds: whatever events contain, memory has a bound. Counts that are given up are not known.
func TestBounds(t *testing.T) {
	long := strings.Repeat("x", 1<<20)
	for _, tc := range []struct {
		what              string
		event             func(n int) model.Event
		known, pagesKnown bool
	}{
		{"few", func(n int) model.Event {
			return model.Event{Type: "click", Properties: fmt.Sprintf(`{"page":"/%d"}`, n%1000)}
		}, true, true},
		{"pages", func(n int) model.Event {
			return model.Event{Type: "click", Properties: fmt.Sprintf(`{"page":"/%d"}`, n)}
		}, true, false},
		{"long pages", func(n int) model.Event {
			return model.Event{Type: "click", Properties: fmt.Sprintf(`{"page":"/%d%s"}`, n%20, long)}
		}, true, false},
		{"types", func(n int) model.Event { return model.Event{Type: fmt.Sprint("type", n)} }, false, false},
		{"devices", func(n int) model.Event {
			return model.Event{Type: "click", DeviceType: sql.NullString{String: fmt.Sprint(n), Valid: true}}
		}, false, false},
		{"hours", func(n int) model.Event {
			return model.Event{Type: "click", Timestamp: model.Instant(n) * 3_600_000_000}
		}, false, false},
	} {
		c := tally.New(time.UTC)
		c.Seed(&figures.Counts{}, time.Time{}, time.Time{}, 0)
		const batches, each = 3, 70_000
		for batch := range batches {
			b := c.Batch()
			for n := range each {
				if strings.HasPrefix(tc.what, "long") && n >= 20 {
					break
				}
				e := tc.event(batch*each + n)
				b.Add(&e)
			}
			b.Committed(int64(batch) + 1)
		}
		if n := c.Now(); n.Known != tc.known || n.PagesKnown != tc.pagesKnown || n.Batch != batches {
			t.Errorf("%s: known %v and %v, batch %d", tc.what, n.Known, n.PagesKnown, n.Batch)
		}
	}
}

// TestPages: the page of an event is the one that DuckDB finds, or is not known.
func TestPages(t *testing.T) {
	session, err := inspect.OpenNames(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = session.Close() }()
	unknown := 0
	for _, properties := range []string{
		``, `{}`, `{"page":"/home"}`, `{"a":1,"page":"/home"}`, `{"page":""}`, `{"page":null}`, `{"page":"/a","page":"/b"}`, `{"a":{"page":"/in"}}`,
		`{"a":{"page":"/in"},"page":"/out"}`, `{"a":[{"page":"/in"}],"page":"/out"}`, `{"a":[1,2],"page":"/out","b":{}}`, `{"a":"{","page":"/out"}`,
		`{"x\"page":"/not","page":"/yes"}`, `{"a":"\"page\":\"/not\""}`, `{"p\u0061ge":"/escaped"}`, `{"page":"/with \"quotes\" and \\"}`, `{"page":"\u00e9\n\t"}`,
		`{"page":"\ud83d\ude00"}`, `{"page":"/ünï"}`, `{"page":true}`, `{"page":false}`, `{"page":12}`, `{"page":-7}`, `{"page":1.50}`, `{"page":1e3}`, `{"page":-0}`,
		`{"page":[1,2]}`, `{"page":{"a":1}}`, `{"Page":"/no"}`, `{"page ":"/no"}`, `{"":"/no","page":"/yes"}`, `{"pages":"/no"}`, `{"page":"a,\"page\":\"b"}`,
		`{"page":123456789012345678}`, `{"page":123456789012345678901234567890}`,
	} {
		got, valid, known := tally.PageOf(properties)
		if !known {
			unknown++
			continue
		}
		want := tally.SQLPage(t.Context(), t, session, properties)
		if got != want.String || valid != want.Valid {
			t.Errorf("%s: %q, %v; SQL says %+v", properties, got, valid, want)
		}
	}
	if unknown > 6 {
		t.Errorf("%d pages are not known", unknown)
	}
}
