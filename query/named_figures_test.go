package query_test

import (
	"database/sql"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/url"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"datasync/ingest"
	"datasync/ingest/api"
	"datasync/internal/inspect"
	"datasync/internal/store"
	"datasync/mockserver"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
)

// when parses an RFC 3339 time.
func when(text string) time.Time {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		panic(err)
	}
	return t
}

// insert inserts events into a closed datasync file.
func insert(t *testing.T, path string, events []event) {
	t.Helper()
	if len(events) == 0 {
		return
	}
	text := func(s string) string {
		if s == "" {
			return "NULL"
		}
		return "'" + strings.ReplaceAll(s, "'", "''") + "'"
	}
	id := func(n int) string { return text(fmt.Sprintf("00000000-0000-4000-8000-%012d", n)) }
	rows := make([]string, len(events))
	for i, e := range events {
		user := "NULL"
		if e.user != 0 {
			user = id(e.user)
		}
		rows[i] = fmt.Sprintf("(%s, %s, %s, %s, make_timestamptz(%d), %s, %s, %s, 1)",
			id(i), id(e.session), user, text(e.kind), e.at.UnixMicro(), text(e.properties), text(e.device), text(e.browser))
	}
	db, err := sql.Open("duckdb", path)
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.Exec(`INSERT INTO events (id, session_id, user_id, type, "timestamp", properties, device_type, browser, batch) VALUES ` + strings.Join(rows, ", "))
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

// compareAll runs all named queries and compares the results with those that Go computes.
func compareAll(t *testing.T, db *sql.DB, zone *time.Location, events []event, q question) {
	t.Helper()
	for name, reference := range references() {
		got, err := askNamed(db, zone, name, q.given())
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(reference(events, q, zone), got); diff != "" {
			t.Errorf("%s with %v in %s (-want +got):\n%.3000s", name, q.given(), zone, diff)
		}
	}
}

// places are instants at which clocks change, with their time zones.
func places() map[string]time.Time {
	return map[string]time.Time{
		"UTC":                 when("2026-01-20T00:00:00Z"),
		"Europe/Berlin":       when("2025-10-26T01:00:00Z"), // set back by an hour
		"America/New_York":    when("2026-03-08T07:00:00Z"), // set forward by an hour
		"America/Sao_Paulo":   when("2018-11-04T03:00:00Z"), // forward at midnight, which there was not
		"Australia/Lord_Howe": when("2026-04-04T15:00:00Z"), // back by half an hour
		"Asia/Kolkata":        when("2026-01-19T18:30:00Z"), // half an hour off
		"America/St_Johns":    when("1970-01-01T00:00:00Z"), // before 1970 there
	}
}

// random makes events of few sessions and users at few instants, so that ties are frequent, and
// leaves optional values out at random.
func random(r *rand.Rand, around time.Time) []event {
	pick := func(of ...string) string { return of[r.IntN(len(of))] }
	sessions, users := 1+r.IntN(30), 1+r.IntN(8)
	var events []event
	for range r.IntN(300) {
		at := around.Add(time.Duration(r.IntN(6*24*4)-3*24*4) * 15 * time.Minute)
		if r.IntN(3) == 0 {
			at = around.Add(time.Duration(r.Int64N(int64(100 * time.Hour)))).Truncate(time.Microsecond)
		}
		if at.Before(time.Unix(0, 0)) {
			continue
		}
		events = append(events, event{
			at: at, session: 1 + r.IntN(sessions), user: r.IntN(users + 1),
			kind:   pick("page_view", "page_view", "click", "form_submit", "purchase", "error", "a, b", "Error"),
			device: pick("", "mobile", "desktop"), browser: pick("", "Chrome", "Firefox", "Lynx"),
			properties: pick("", `{}`, `{"page":"/home"}`, `{"page":"/home","page2":1}`, `{"page":"/é'\u0041"}`, `{"page":""}`, `{"page":null}`, `{"page":7}`,
				`{"page":{"a":"b"}}`, `{"Page":"/no"}`, `[{"page":"/no"}]`, `"page"`, `3`, `null`),
		})
	}
	return events
}

// questions returns parameters for all queries, with bounds at instants of events.
func questions(r *rand.Rand, events []event) []question {
	plain := question{days: 30, steps: []string{"page_view", "click", "form_submit", "purchase"}, kind: "page_view", errors: []string{"error"}, by: "day"}
	all := []question{plain}
	if len(events) == 0 {
		return all
	}
	some := func() time.Time { return events[r.IntN(len(events))].at }
	narrow := plain
	narrow.since, narrow.until, narrow.limit, narrow.by, narrow.days = some(), some(), 1+r.IntN(5), "hour", r.IntN(4)
	narrow.gap, narrow.within = 15*time.Minute, 15*time.Minute
	narrow.steps, narrow.errors = []string{"page_view", "page_view", "click"}, []string{"Error", "a, b"}
	from := plain
	from.since, from.gap, from.within, from.kind = some(), 3*time.Hour, 10*time.Hour, "a, b"
	from.steps, from.errors, from.by = []string{"a, b", "purchase", "a, b", "error", "click", "purchase"}, []string{"nothing"}, "hour"
	to := plain
	to.until, to.steps, to.kind, to.gap = some(), []string{"nothing", "click"}, "nothing", time.Microsecond
	return append(all, narrow, from, to)
}

// TestNamedAgainstGo: small random tables full of ties and NULLs, around changes of clocks.
func TestNamedAgainstGo(t *testing.T) {
	seed := uint64(0)
	for _, name := range slices.Sorted(maps.Keys(places())) {
		zone, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			seed++
			r := rand.New(rand.NewPCG(seed, 4))
			events := random(r, places()[name])
			path := file(t)
			insert(t, path, events)
			t.Run(fmt.Sprintf("%s/%d", name, seed), func(t *testing.T) {
				db := openDB(t, path, name)
				for _, q := range questions(r, events) {
					compareAll(t, db, zone, events, q)
				}
			})
		}
	}
	t.Run("no events", func(t *testing.T) {
		db := openDB(t, file(t), "UTC")
		compareAll(t, db, time.UTC, nil, questions(nil, nil)[0])
	})
}

// TestNamedOnPulledEvents: pulled events, some of them malformed, against the data set itself.
func TestNamedOnPulledEvents(t *testing.T) {
	for _, data := range []mockserver.DataOptions{
		{Events: 20_000, Seed: 3},
		{Events: 12_000, Seed: 4, DirtyEvery: 3, TieSize: 40, TieEvery: 60},
	} {
		t.Run(fmt.Sprint(data.Seed), func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "a.duckdb")
			server := mockserver.New(mockserver.Options{Data: data})
			pull(t, path, server)
			events := stored(server.Dataset())
			r := rand.New(rand.NewPCG(data.Seed, 0))
			for _, name := range []string{"UTC", "Asia/Kolkata"} {
				zone, err := time.LoadLocation(name)
				if err != nil {
					t.Fatal(err)
				}
				db, err := inspect.OpenReadOnly(t.Context(), path, name)
				if err != nil {
					t.Fatal(err)
				}
				for _, q := range questions(r, events) {
					compareAll(t, db, zone, events, q)
				}
				if err := db.Close(); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// pull pulls all events of the API into a new file.
func pull(t *testing.T, path string, server *mockserver.Server) {
	t.Helper()
	base, err := url.Parse(mockserver.BaseURL)
	if err != nil {
		t.Fatal(err)
	}
	s, err := store.Open(t.Context(), store.Options{Path: path, Origin: api.Origin(base), ToolVersion: "test"})
	if err != nil {
		t.Fatal(err)
	}
	summary, err := ingest.Run(t.Context(), ingest.Options{
		Store: s, Transport: server.Transport(), BaseURL: base, Key: "ds_test_key", PageSize: 100_000, MaxWait: time.Minute, MaxRetryTime: time.Second,
	})
	if err != nil || !summary.Complete {
		t.Fatalf("%v, %+v", err, summary)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// stored returns the events of the data set that a correct client stores.
func stored(data *mockserver.Dataset) (events []event) {
	numbers := map[uuid.UUID]int{{}: 0}
	number := func(id uuid.UUID) int {
		if _, ok := numbers[id]; !ok {
			numbers[id] = len(numbers)
		}
		return numbers[id]
	}
	for i := range data.Len() {
		if e := data.Event(i); data.Expected(i).Storable {
			events = append(events, event{
				at: e.Time(), session: number(e.SessionID), user: number(e.UserID), kind: e.Type, properties: e.Properties, device: e.DeviceType, browser: e.Browser,
			})
		}
	}
	return events
}
