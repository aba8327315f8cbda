package query_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"datasync/query"

	"github.com/google/go-cmp/cmp"
)

// bound binds the values to a named query, as of noon of 27 January 2026 in UTC.
func bound(t *testing.T, name, zone string, given map[string]string) (query.Bound, error) {
	t.Helper()
	n, err := query.FindNamed(name)
	if err != nil {
		t.Fatal(err)
	}
	return n.Bind(given, when("2026-01-27T12:00:00Z"), location(t, zone))
}

func location(t *testing.T, zone string) *time.Location {
	t.Helper()
	l, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestBind(t *testing.T) {
	for _, tc := range []struct{ query, zone, param, value, want, note string }{
		{"daily_active_users", "UTC", "since", "yesterday", "2026-01-26T00:00:00Z", "days in UTC, since 2026-01-26T00:00:00Z"},
		{"daily_active_users", "Asia/Tokyo", "since", "yesterday", "2026-01-25T15:00:00Z", "days in Asia/Tokyo, since 2026-01-26T00:00:00+09:00"},
		{"daily_active_users", "Pacific/Auckland", "since", "today", "2026-01-27T11:00:00Z", "days in Pacific/Auckland, since 2026-01-28T00:00:00+13:00"},
		{"events_per_hour", "Europe/Berlin", "until", "7d", "2026-01-19T23:00:00Z", "hours in Europe/Berlin, until 2026-01-20T00:00:00+01:00"},
		{"events_per_hour", "UTC", "since", "90m", "2026-01-27T10:30:00Z", "hours in UTC, since 2026-01-27T10:30:00Z"},
		{"error_rate", "Europe/Berlin", "since", "2026-01-20", "2026-01-19T23:00:00Z", "days in Europe/Berlin, since 2026-01-20T00:00:00+01:00"},
		{"error_rate", "UTC", "by", "hour", "hour", "hours in UTC"},
		{"error_rate", "UTC", "errors", `error,'a, b',"it's"`, `'error','a, b','it\'s'`, "days in UTC"},
		{"top_pages", "Asia/Tokyo", "since", "2026-01-20 19:00", "2026-01-20T10:00:00Z", "since 2026-01-20T19:00:00+09:00"},
		{"top_pages", "UTC", "limit", "1,000", "1000", ""},
		{"top_pages", "UTC", "limit", "ALL", "all", ""},
		{"top_pages", "UTC", "since", "-infinity", "-infinity", ""},
		{"retention", "UTC", "days", "2w", "14", "days in UTC"},
		{"retention", "UTC", "days", "7", "7", "days in UTC"},
		{"funnel", "UTC", "within", "7d", "7 days 0 microseconds", ""},
		{"funnel", "UTC", "within", "1d12h", "1 days 43200000000 microseconds", ""},
		{"funnel", "UTC", "within", "24h", "0 days 86400000000 microseconds", ""},
		{"funnel", "UTC", "within", "90000 seconds", "0 days 90000000000 microseconds", ""},
		{"funnel", "UTC", "within", "3 months", "3 months", ""},
		{"funnel", "UTC", "within", "NONE", "none", ""},
		{"sessions", "UTC", "gap", "30 minutes", "0 days 1800000000 microseconds", "days in UTC"},
	} {
		b, err := bound(t, tc.query, tc.zone, map[string]string{tc.param: tc.value})
		if err != nil || b.Params[tc.param] != tc.want || b.Note != tc.note {
			t.Errorf("%s in %s, %s=%s: %q, note %q, %v; want %q, %q", tc.query, tc.zone, tc.param, tc.value, b.Params[tc.param], b.Note, err, tc.want, tc.note)
		}
	}
}

// TestBindOnDaysOfOtherLengths: days of 23 and 25 hours, and one without a midnight, begin and end where the
// query's own days do.
func TestBindOnDaysOfOtherLengths(t *testing.T) {
	for _, tc := range []struct{ zone, now, since string }{
		{"Europe/Berlin", "2025-10-27T11:00:00Z", "2025-10-25T22:00:00Z"},     // 25 hours
		{"Europe/Berlin", "2026-03-30T11:00:00Z", "2026-03-28T23:00:00Z"},     // 23 hours
		{"America/Sao_Paulo", "2018-11-05T12:00:00Z", "2018-11-04T03:00:00Z"}, // it begins at 01:00
		{"Australia/Lord_Howe", "2026-04-06T00:00:00Z", "2026-04-04T13:00:00Z"},
	} {
		path, since, until := file(t), when(tc.since), when(tc.now)
		var events []event
		for at, user := since.Add(-2*time.Hour), 1; at.Before(until); at, user = at.Add(30*time.Minute), user+1 {
			events = append(events, event{at: at, session: user, user: user, kind: "click"})
		}
		insert(t, path, events)
		n, err := query.FindNamed("daily_active_users")
		if err != nil {
			t.Fatal(err)
		}
		b, err := n.Bind(map[string]string{"since": "yesterday", "until": "today"}, until, location(t, tc.zone))
		if err != nil || b.Params["since"] != tc.since {
			t.Errorf("%s: yesterday was at %s, %v; want %s", tc.zone, b.Params["since"], err, tc.since)
		}
		opts := query.Options{Format: query.CSV, Location: location(t, tc.zone)}
		b.Into(&opts)
		got := ask(t, open(t, path, tc.zone), opts)
		end, _ := time.Parse(time.RFC3339, b.Params["until"])
		want := fmt.Sprintf("day,users,sessions,anonymous_sessions,events\n%s,%[2]d,%[2]d,0,%[2]d\n", since.In(location(t, tc.zone)).Format(time.DateOnly), int(end.Sub(since)/(30*time.Minute)))
		if got != want {
			t.Errorf("%s: %s, want %s", tc.zone, got, want)
		}
	}
}

// TestBindRefuses: the error of a wrong value names its parameter and a valid value, which Bind
// accepts.
func TestBindRefuses(t *testing.T) {
	for _, tc := range []struct{ query, param, value, want string }{
		{"events_per_hour", "since", "yesterdy", "parameters: since=yesterdy is not a date; write 2026-01-31 or 7d"},
		{"events_per_hour", "since", "31.1.2026", "parameters: since=31.1.2026 is not a date; write 2026-01-31 or 7d"},
		{"events_per_hour", "until", "5", "parameters: until=5 has no unit; write 5d or 5h"},
		{"events_per_hour", "until", "", `parameters: until="" is not a date; write 2026-01-31 or 7d`},
		{"events_per_hour", "limit", "ten", "parameters: limit=ten is not a count; write 20 or all"},
		{"events_per_hour", "limit", "-1", "parameters: limit=-1 is less than 0; write 20 or all"},
		{"retention", "days", "many", "parameters: days=many is not a count; write 30"},
		{"retention", "days", "36h", "parameters: days=36h is not a count; write 30"},
		{"error_rate", "by", "minute", "parameters: by=minute is not known; write hour or day"},
		{"sessions", "gap", "30", "parameters: gap=30 has no unit; write 30m or 30h"},
		{"funnel", "within", "-1h", "parameters: within=-1h is less than 0; write 30m or 7d"},
		{"funnel", "within", "soon", "parameters: within=soon is not a duration; write 10m or 2h"},
		{"funnel", "steps", "page_view,'click", "parameters: steps=page_view,'click has an open quote; write page_view,click,form_submit,purchase"},
		{"funnel", "steps", "page_view,,click", "parameters: steps=page_view,,click has an empty part; write page_view,click,form_submit,purchase"},
		{"funnel", "steps", "'a'b", "parameters: steps='a'b has text after a quote; write page_view,click,form_submit,purchase"},
		{"funnel", "steps", "a\x1b,", `parameters: steps="a\x1b," has an empty part; write page_view,click,form_submit,purchase`},
		{"funnel", "step", "a,b", "parameters: funnel has no parameter step, but steps, within, since, until; did you mean steps?"},
		{"funnel", "limit", "5", "parameters: funnel has no parameter limit, but steps, within, since, until"},
	} {
		_, err := bound(t, tc.query, "UTC", map[string]string{tc.param: tc.value})
		if !errors.Is(err, query.ErrParams) || err.Error() != tc.want {
			t.Errorf("%s: %v, want %s", tc.query, err, tc.want)
			continue
		}
		if _, write, ok := strings.Cut(err.Error(), "; write "); ok {
			for value := range strings.SplitSeq(write, " or ") {
				if _, err := bound(t, tc.query, "UTC", map[string]string{tc.param: value}); err != nil {
					t.Errorf("%s: the error says to write %s: %v", tc.want, value, err)
				}
			}
		}
	}
}

// TestUnknownTypes: a query for event types that no event has says so, and lists the known ones.
func TestUnknownTypes(t *testing.T) {
	path := file(t)
	insert(t, path, []event{{at: when("2026-01-20T10:00:00Z"), session: 1, kind: "page_view"}, {at: when("2026-01-20T10:00:00Z"), session: 1, kind: "a, b"}})
	s := open(t, path, "UTC")
	for _, tc := range []struct{ query, param, value, want string }{
		{"funnel", "steps", "page_view,'a, b'", ""},
		{"funnel", "steps", "pageview,'a, b',nothing,pageview", `no event has the type pageview or nothing; did you mean page_view? (types: "a, b", page_view)`},
		{"funnel", "since", "2026-01-01", `no event has the type click or form_submit or purchase (types: "a, b", page_view)`},
		{"top_pages", "type", "page", `no event has the type page; did you mean page_view? (types: "a, b", page_view)`},
		{"error_rate", "errors", "eror", `no event has the type eror (types: "a, b", page_view)`},
		{"error_rate", "by", "day", ""},
		{"devices", "since", "2026-01-01", ""},
	} {
		b, err := bound(t, tc.query, "UTC", map[string]string{tc.param: tc.value})
		if err != nil {
			t.Fatal(err)
		}
		said := ""
		opts := query.Options{Format: query.CSV, Remark: func(text string) { said += text }}
		b.Into(&opts)
		if err := query.Run(t.Context(), s, opts, io.Discard); err != nil || said != tc.want {
			t.Errorf("%s %s=%s: %q, %v; want %q", tc.query, tc.param, tc.value, said, err, tc.want)
		}
	}
	b, err := bound(t, "funnel", "UTC", nil)
	if err != nil {
		t.Fatal(err)
	}
	said := ""
	opts := query.Options{Format: query.CSV, Remark: func(text string) { said += text }}
	b.Into(&opts)
	if err := query.Run(t.Context(), open(t, file(t), "UTC"), opts, io.Discard); err != nil || said != "no events are stored" {
		t.Errorf("%q, %v", said, err)
	}
}

// TestNotes: the line below a table names the zone of its days.
func TestNotes(t *testing.T) {
	s := open(t, file(t), "Europe/Berlin")
	b, err := bound(t, "daily_active_users", "Europe/Berlin", map[string]string{"since": "7d"})
	if err != nil {
		t.Fatal(err)
	}
	for format, want := range map[query.Format]string{
		query.Table: "0 rows; days in Europe/Berlin, since 2026-01-20T00:00:00+01:00\n", query.Box: "┘\ndays in Europe/Berlin, since 2026-01-20T00:00:00+01:00\n",
		query.CSV: "day,users,sessions,anonymous_sessions,events\n",
	} {
		opts := query.Options{Format: format, Location: location(t, "Europe/Berlin")}
		b.Into(&opts)
		if got := ask(t, s, opts); !strings.HasSuffix(got, want) {
			t.Errorf("%s:\n%s", format, got)
		}
	}
}

// TestInstantsOfParameters: an instant parameter of plain SQL accepts dates as people write them.
func TestInstantsOfParameters(t *testing.T) {
	s := open(t, file(t), "Asia/Tokyo")
	opts := query.Options{Format: query.CSV, Location: location(t, "Asia/Tokyo"), SQL: "SELECT TIMESTAMPTZ '2026-01-20 00:00:00+09' = $since AS same, now() > $then AS past, $text AS text",
		Params: map[string]string{"since": "2026-01-20", "then": "yesterday", "text": "yesterday"}}
	if got := ask(t, s, opts); got != "same,past,text\ntrue,true,yesterday\n" {
		t.Errorf("%q", got)
	}
	opts.Params["then"] = "yesterdy"
	var b bytes.Buffer
	err := query.Run(t.Context(), s, opts, &b)
	if err == nil || !strings.Contains(err.Error(), "yesterdy") || !strings.Contains(query.Excerpt(err, 0), "$then") {
		t.Errorf("%v\n%s", err, query.Excerpt(err, 0))
	}
}

func TestWriteNamed(t *testing.T) {
	var b bytes.Buffer
	if err := query.WriteNamed(&b, query.Options{Format: query.JSONLines}); err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(b.String(), "\n")
	want := `{"name":"events_per_hour","title":"Events per hour and type","parameters":[{"name":"since","type":"TIMESTAMPTZ","default":"-infinity","description":"events from this instant on"},{"name":"until","type":"TIMESTAMPTZ","default":"infinity","description":"events before this instant"},{"name":"limit","type":"BIGINT","default":"all","description":"the maximum number of rows, from the top"}],"description":"How many events`
	if !strings.HasPrefix(first, want) || strings.Count(b.String(), "\n") != 9 {
		t.Error(cmp.Diff(want, first))
	}
	b.Reset()
	if err := query.WriteNamed(&b, query.Options{Format: query.CSV}); err != nil || !strings.Contains(b.String(), "\ntop_pages,Top pages,since=-infinity until=infinity type=page_view limit=20,") {
		t.Errorf("%v, %s", err, b.String())
	}
}
