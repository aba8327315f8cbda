package query_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestNamedCases: small tables whose answers were worked out by hand.
func TestNamedCases(t *testing.T) {
	at := func(session int, kind, text string) event { return event{at: when(text), session: session, kind: kind} }
	by := func(user int, e event) event { e.user = user; return e }
	viewing := func(properties string, e event) event { e.properties = properties; return e }
	for _, tc := range []struct {
		name, zone, query, params string
		events                    []event
		want                      string // rows, with blanks between the cells
	}{
		{"the hour that there is twice", "Europe/Berlin", "events_per_hour", "", []event{
			at(1, "a", "2025-10-26T00:59:59.999999Z"), at(1, "a", "2025-10-26T00:00:00Z"), at(1, "a", "2025-10-26T01:00:00Z"), at(1, "b", "2025-10-26T01:59:59Z"), at(1, "a", "2025-10-26T02:00:00Z"),
		}, `2025-10-26T03:00:00+01:00 a 1
			2025-10-26T02:00:00+01:00 a 1
			2025-10-26T02:00:00+01:00 b 1
			2025-10-26T02:00:00+02:00 a 2`},
		{"equal numbers stand by name, and the limit counts rows", "UTC", "events_per_hour", "limit=2", []event{
			at(1, "b", "2026-01-20T10:00:00Z"), at(1, "a", "2026-01-20T10:59:59Z"), at(1, "c", "2026-01-20T10:10:00Z"), at(1, "c", "2026-01-20T10:20:00Z"),
		}, `2026-01-20T10:00:00Z c 2
			2026-01-20T10:00:00Z a 1`},
		{"since counts, until does not, both in the zone", "Asia/Tokyo", "events_per_hour", "since=2026-01-20;until=2026-01-20 01:00", []event{
			at(1, "early", "2026-01-19T14:59:59.999999Z"), at(1, "first", "2026-01-19T15:00:00Z"), at(1, "last", "2026-01-19T15:59:59.999999Z"), at(1, "late", "2026-01-19T16:00:00Z"),
		}, `2026-01-20T00:00:00+09:00 first 1
			2026-01-20T00:00:00+09:00 last 1`},
		{"an instant with a zone of its own", "Asia/Tokyo", "events_per_hour", "since=2026-01-19T15:00:00Z;until=2026-01-19T16:00:00+00:00", []event{
			at(1, "early", "2026-01-19T14:59:59Z"), at(1, "first", "2026-01-19T15:00:00Z"), at(1, "late", "2026-01-19T16:00:00Z"),
		}, `2026-01-20T00:00:00+09:00 first 1`},
		{"since after until", "UTC", "events_per_hour", "since=2026-02-01;until=2026-01-01", []event{at(1, "a", "2026-01-20T10:00:00Z")}, ``},

		{"two of four, none of one", "UTC", "error_rate", "by=day", []event{
			at(1, "error", "2026-01-20T10:00:00Z"), at(1, "error", "2026-01-20T11:00:00Z"), at(1, "Error", "2026-01-20T12:00:00Z"), at(1, "a", "2026-01-20T23:59:59Z"), at(1, "a", "2026-01-21T00:00:00Z"),
		}, `2026-01-21T00:00:00Z 0 1 0
			2026-01-20T00:00:00Z 2 4 0.5`},
		{"a type with a comma", "UTC", "error_rate", "by=hour;errors='a, b',error", []event{
			at(1, "a, b", "2026-01-20T10:00:00Z"), at(1, "a", "2026-01-20T10:00:00Z"), at(1, "error", "2026-01-20T10:30:00Z"),
		}, `2026-01-20T10:00:00Z 2 3 0.6667`},
		{"a day that has no midnight", "America/Sao_Paulo", "error_rate", "", []event{
			at(1, "error", "2018-11-04T02:59:59Z"), at(1, "a", "2018-11-04T03:00:00Z"),
		}, `2018-11-04T01:00:00-02:00 0 1 0
			2018-11-03T00:00:00-03:00 1 1 1`},

		{"who is no user", "UTC", "daily_active_users", "", []event{
			by(1, at(1, "a", "2026-01-20T10:00:00Z")), by(1, at(2, "a", "2026-01-20T10:00:00Z")), at(2, "a", "2026-01-20T10:00:00Z"), at(3, "a", "2026-01-20T10:00:00Z"), by(2, at(3, "a", "2026-01-21T10:00:00Z")),
		}, `2026-01-21 1 1 0 1
			2026-01-20 1 3 1 4`},
		{"nobody", "UTC", "daily_active_users", "", []event{at(1, "a", "2026-01-20T10:00:00Z")}, `2026-01-20 0 1 1 1`},
		{"the days of the zone", "Asia/Kolkata", "daily_active_users", "", []event{
			by(1, at(1, "a", "2026-01-19T18:29:59.999999Z")), by(1, at(1, "a", "2026-01-19T18:30:00Z")),
		}, `2026-01-20 1 1 0 1
			2026-01-19 1 1 0 1`},

		{"past midnight and bounced", "UTC", "sessions", "", []event{
			at(1, "a", "2026-01-20T23:00:00Z"), at(1, "a", "2026-01-21T00:00:00Z"), at(1, "a", "2026-01-21T01:00:00.5Z"), at(2, "a", "2026-01-20T05:00:00Z"), at(3, "a", "2026-01-21T05:00:00Z"), at(3, "a", "2026-01-21T05:00:00Z"),
		}, `2026-01-21 1 0 0 0 2 0
			2026-01-20 2 3600.25 3600.25 7200.5 2 0.5`},
		{"across the night in which clocks are set back", "Europe/Berlin", "sessions", "", []event{
			at(1, "a", "2025-10-25T22:00:00Z"), at(1, "a", "2025-10-26T23:00:00Z"),
		}, `2025-10-26 1 90000 90000 90000 2 0`},
		{"a pause of just the gap does not part, a longer one does", "UTC", "sessions", "gap=30 minutes", []event{
			at(1, "a", "2026-01-20T10:00:00Z"), at(1, "a", "2026-01-20T10:30:00Z"), at(1, "a", "2026-01-20T11:00:00.000001Z"), at(1, "a", "2026-01-20T11:00:00.000001Z"),
		}, `2026-01-20 2 900 900 1800 2 0`},
		{"whole sessions that began in the time", "UTC", "sessions", "since=2026-01-20;until=2026-01-21", []event{
			at(1, "a", "2026-01-19T23:00:00Z"), at(1, "a", "2026-01-20T01:00:00Z"), at(2, "a", "2026-01-20T23:00:00Z"), at(2, "a", "2026-01-22T00:00:00Z"),
		}, `2026-01-20 1 90000 90000 90000 2 0`},

		{"order counts, ties have none, what lies between does not matter", "UTC", "funnel", "steps=a,b,c", []event{
			at(1, "a", "2026-01-20T10:00:00Z"), at(1, "x", "2026-01-20T10:00:01Z"), at(1, "b", "2026-01-20T10:00:02Z"), at(1, "c", "2026-01-20T10:00:03Z"),
			at(2, "b", "2026-01-20T10:00:00Z"), at(2, "a", "2026-01-20T10:00:01Z"), at(2, "c", "2026-01-20T10:00:02Z"),
			at(3, "a", "2026-01-20T10:00:00Z"), at(3, "b", "2026-01-20T10:00:00Z"), at(3, "c", "2026-01-20T10:00:02Z"),
			at(4, "c", "2026-01-20T09:00:00Z"), at(4, "a", "2026-01-20T10:00:00Z"), at(4, "b", "2026-01-20T10:00:00.000001Z"),
			at(5, "b", "2026-01-20T10:00:00Z"), at(5, "c", "2026-01-20T10:00:01Z"),
		}, `1 a 4 1 1
			2 b 2 0.5 0.5
			3 c 1 0.25 0.5`},
		{"a later try goes further", "UTC", "funnel", "steps=a,b,c;within=10 minutes", []event{
			at(1, "a", "2026-01-20T10:00:00Z"), at(1, "b", "2026-01-20T10:10:00Z"), at(1, "a", "2026-01-20T10:05:00Z"), at(1, "c", "2026-01-20T10:15:00Z"),
			at(2, "a", "2026-01-20T10:00:00Z"), at(2, "b", "2026-01-20T10:10:00.000001Z"),
		}, `1 a 2 1 1
			2 b 1 0.5 0.5
			3 c 1 0.5 1`},
		{"a day is one of the calendar", "Europe/Berlin", "funnel", "steps=a,b;within=1 day", []event{
			at(1, "a", "2025-10-25T10:00:00Z"), at(1, "b", "2025-10-26T11:00:00Z"), at(2, "a", "2025-10-25T10:00:00Z"), at(2, "b", "2025-10-26T11:00:00.000001Z"),
		}, `1 a 2 1 1
			2 b 1 0.5 0.5`},
		{"one event is not two steps", "UTC", "funnel", "steps=a,a,'a, b'", []event{
			at(1, "a", "2026-01-20T10:00:00Z"), at(2, "a", "2026-01-20T10:00:00Z"), at(2, "a", "2026-01-20T10:00:00Z"), at(3, "a", "2026-01-20T10:00:00Z"), at(3, "a", "2026-01-20T10:00:01Z"), at(3, "a, b", "2026-01-20T10:00:02Z"),
		}, `1 a 3 1 1
			2 a 1 0.3333 0.3333
			3 a, b 1 0.3333 1`},
		{"a type that nobody sends", "UTC", "funnel", "steps=nothing,a", []event{at(1, "a", "2026-01-20T10:00:00Z")}, `1 nothing 0 NULL NULL
			2 a 0 NULL NULL`},
		{"a session past midnight and past until", "UTC", "funnel", "steps=a,b,c;until=2026-01-21 00:00:02", []event{
			at(1, "a", "2026-01-20T23:59:59Z"), at(1, "b", "2026-01-21T00:00:01Z"), at(1, "c", "2026-01-21T00:00:02Z"),
		}, `1 a 1 1 1
			2 b 1 1 1
			3 c 0 0 0`},

		{"zeroes stand, the newest day is the last, nobody is no user", "UTC", "retention", "", []event{
			by(1, at(1, "a", "2026-01-20T10:00:00Z")), by(1, at(1, "a", "2026-01-22T10:00:00Z")), by(2, at(2, "a", "2026-01-20T23:59:59Z")), by(3, at(3, "a", "2026-01-22T00:00:00Z")), at(1, "a", "2026-01-23T10:00:00Z"),
		}, `2026-01-22 0 1 1 1
			2026-01-22 1 1 0 0
			2026-01-20 0 2 2 1
			2026-01-20 1 2 0 0
			2026-01-20 2 2 1 0.5
			2026-01-20 3 2 0 0`},
		{"users first seen in the time, followed past it", "UTC", "retention", "since=2026-01-21;until=2026-01-22;days=1", []event{
			by(1, at(1, "a", "2026-01-20T10:00:00Z")), by(1, at(1, "a", "2026-01-21T10:00:00Z")), by(2, at(2, "a", "2026-01-21T10:00:00Z")), by(2, at(2, "a", "2026-01-22T10:00:00Z")), by(2, at(2, "a", "2026-01-23T10:00:00Z")),
		}, `2026-01-21 0 1 1 1
			2026-01-21 1 1 1 1`},
		{"a day of 25 hours is one day", "Europe/Berlin", "retention", "", []event{
			by(1, at(1, "a", "2025-10-25T22:00:00Z")), by(1, at(1, "a", "2025-10-26T22:59:59Z")), by(1, at(1, "a", "2025-10-26T23:00:00Z")),
		}, `2025-10-26 0 1 1 1
			2025-10-26 1 1 1 1`},

		{"pages that are none, or odd", "UTC", "top_pages", "", []event{
			viewing(`{"page":"/b"}`, by(1, at(1, "page_view", "2026-01-20T10:00:00Z"))), viewing(`{"page":"/b","a":1}`, by(1, at(2, "page_view", "2026-01-20T10:00:00Z"))), viewing(`{"page":"/a"}`, at(1, "page_view", "2026-01-20T10:00:00Z")),
			viewing(`{"page":"/a"}`, at(1, "page_view", "2026-01-20T10:00:01Z")), viewing(`{"page":"/a"}`, at(1, "click", "2026-01-20T10:00:01Z")), at(1, "page_view", "2026-01-20T10:00:00Z"),
			viewing(`{"page":null}`, at(1, "page_view", "2026-01-20T10:00:00Z")), viewing(`["/a"]`, at(1, "page_view", "2026-01-20T10:00:00Z")), viewing(`{"page":7}`, at(1, "page_view", "2026-01-20T10:00:00Z")),
			viewing(`{"page":{"path":"/a"}}`, at(1, "page_view", "2026-01-20T10:00:00Z")),
		}, `NULL 3 0 1 0.3333
			/a 2 0 1 0.2222
			/b 2 1 2 0.2222
			7 1 0 1 0.1111
			{"path":"/a"} 1 0 1 0.1111`},

		{"a session with two devices and none", "UTC", "devices", "", []event{
			{at: when("2026-01-20T10:00:00Z"), session: 1, user: 1, kind: "a", device: "mobile"}, {at: when("2026-01-20T10:00:00Z"), session: 1, kind: "a", device: "tablet"},
			{at: when("2026-01-20T10:00:00Z"), session: 1, kind: "a"}, {at: when("2026-01-20T10:00:00Z"), session: 2, user: 1, kind: "a", device: "mobile"},
		}, `mobile 2 1 1 2 0.5
			tablet 1 0.5 0 1 0.25
			NULL 1 0.5 0 1 0.25`},
		{"equal numbers stand by name", "UTC", "browsers", "limit=2", []event{
			{at: when("2026-01-20T10:00:00Z"), session: 1, kind: "a", browser: "b"}, {at: when("2026-01-20T10:00:00Z"), session: 2, kind: "a", browser: "a"}, {at: when("2026-01-20T10:00:00Z"), session: 3, kind: "a", browser: "c"},
		}, `a 1 0.3333 0 1 0.3333
			b 1 0.3333 0 1 0.3333`},
	} {
		t.Run(tc.query+": "+tc.name, func(t *testing.T) {
			path := file(t)
			insert(t, path, tc.events)
			zone, err := time.LoadLocation(tc.zone)
			if err != nil {
				t.Fatal(err)
			}
			given := map[string]string{}
			for param := range strings.SplitSeq(tc.params, ";") {
				name, value, _ := strings.Cut(param, "=")
				given[name] = value
			}
			rows, err := askNamed(openDB(t, path, tc.zone), zone, tc.query, given)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, row := range rows {
				got = append(got, strings.Join(row, " "))
			}
			if diff := cmp.Diff(strings.ReplaceAll(tc.want, "\t", ""), strings.Join(got, "\n")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
