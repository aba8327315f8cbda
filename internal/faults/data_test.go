package faults

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"datasync/internal/e2e/harness"
	"datasync/mockserver"
)

// quoted returns a text as JSON, unchanged where JSON allows that.
func quoted(text string) string {
	b, err := json.Marshal(text)
	if err != nil {
		panic(err) // a string always has JSON
	}
	return string(b)
}

// odd is an event that an API should not send.
type odd struct {
	name string
	// the member's value, as JSON; "-" removes the member
	member, value string
	// reason is why the event is rejected. An event that is stored has this text in column, or in
	// the member of extra after the point; <nil> is NULL.
	reason, column, want string
}

// element returns the nth event with the odd member. Members that events do not have come last.
func (o *odd) element(n int) string {
	event := ownEvent(n)
	at := strings.Index(event, `"`+o.member+`":`)
	switch {
	case o.member == "":
		return strings.ReplaceAll(o.value, "ID", ownID(n))
	case at < 0:
		return strings.TrimSuffix(event, "}") + "," + o.member + ":" + o.value + "}"
	}
	start := at + len(o.member) + 3
	rest := json.NewDecoder(strings.NewReader(event[start:]))
	var old json.RawMessage
	if err := rest.Decode(&old); err != nil {
		panic(err) // a map always has JSON
	}
	end := start + len(old)
	if o.value == "-" {
		return strings.Replace(event[:at]+strings.TrimPrefix(event[end:], ","), ",}", "}", 1)
	}
	return event[:start] + o.value + event[end:]
}

// takes pulls events of which every second one is odd. It looks for each of them in the tables and
// in exports that other implementations read.
func (w *world) takes(cases []odd) {
	w.Helper()
	var elements []string
	for i := range cases {
		elements = append(elements, ownEvent(2*i), cases[i].element(2*i+1))
	}
	w.answer(own(func(string) string { return pageOf(elements, "", fmt.Sprint(len(elements))) }))
	e := w.run(command{Args: []string{"pull"}})
	w.endsWith(e, 0)
	w.peaksBelow(e, 300)
	w.sound()
	w.noTraces()
	events := map[string]map[string]any{}
	for _, row := range w.lines("SELECT * FROM events") {
		events[fmt.Sprint(row["id"])] = row
	}
	rejects := map[string]map[string]any{}
	for _, row := range w.lines("SELECT raw, reason FROM rejected_events") {
		rejects[fmt.Sprint(row["raw"])] = row
	}
	stored := len(cases)
	for i, o := range cases {
		if events[ownID(2*i)] == nil {
			w.Errorf("%s: the event before it is missing", o.name)
		}
		event, element := events[ownID(2*i+1)], elements[2*i+1]
		if o.reason != "" {
			reject := rejects[strings.ReplaceAll(element, "\xff", `\xff`)]
			if reject == nil || reject["reason"] != o.reason || event != nil {
				w.Errorf("%s: rejected %v, stored %v; want %s of %s", o.name, reject, event, o.reason, element)
			}
			continue
		}
		stored++
		if got := fmt.Sprint(columnOf(event, o.column)); got != o.want {
			w.Errorf("%s: %s is %.200q, want %.200q", o.name, o.column, got, o.want)
		}
	}
	if len(events) != stored || len(rejects) != 2*len(cases)-stored {
		w.Errorf("%d events and %d rejects, want %d and %d", len(events), len(rejects), stored, 2*len(cases)-stored)
	}
	w.exports(events)
}

// columnOf returns a column's value, or that of a member of its JSON.
func columnOf(event map[string]any, column string) any {
	column, member, inner := strings.Cut(column, ".")
	value := event[column]
	raw, isJSON := value.(json.RawMessage)
	if !inner {
		if isJSON {
			return string(raw)
		}
		return value
	}
	var members map[string]json.RawMessage
	if err := json.Unmarshal(raw, &members); err != nil {
		return err
	}
	return string(members[member])
}

// lines returns the rows of a query, with texts decoded and objects as raw JSON.
func (w *world) lines(sql string) []map[string]any {
	w.Helper()
	e := w.run(command{Args: []string{"query", "--format", "jsonl", sql}})
	if e.Code != 0 {
		w.Fatal(e)
	}
	return w.decoded([]byte(e.Out))
}

func (w *world) decoded(text []byte) (rows []map[string]any) {
	w.Helper()
	for d := json.NewDecoder(bytes.NewReader(text)); ; {
		var row map[string]json.RawMessage
		err := d.Decode(&row)
		if errors.Is(err, io.EOF) {
			return rows
		}
		if err != nil {
			w.Fatal(err)
		}
		values := map[string]any{}
		for name, raw := range row {
			values[name] = raw
			if raw[0] != '{' && raw[0] != '[' {
				var value any
				if err := json.Unmarshal(raw, &value); err != nil {
					w.Fatal(err)
				}
				values[name] = value
			}
		}
		rows = append(rows, values)
	}
}

// TestOddMembers: an element that is no event is kept with its reason. An optional member that is
// missing is NULL, and unknown members go to extra. The events around it are stored.
func TestOddMembers(t *testing.T) {
	t.Parallel()
	cases := []odd{
		{"a new type", "type", `"wormhole \u2192"`, "", "type", "wormhole →"},
		{"another member", `"schema"`, `{"v": [1, null]}`, "", "extra.schema", `{"v":[1,null]}`},
		{"another null", `"schema"`, `null`, "", "extra.schema", `null`},
		{"a member of another case", `"Id"`, `7`, "", "extra.Id", `7`},
		{"no name", "name", "-", "", "name", "<nil>"},
		{"a null for a name", "name", "null", "", "name", "<nil>"},
		{"an empty name", "name", `""`, "", "name", ""},
		{"a number for a name", "name", "5", "", "extra.name", "5"},
		{"a list for properties", "properties", `[1]`, "", "extra.properties", "[1]"},
		{"a text for properties", "properties", `"{}"`, "", "extra.properties", `"{}"`},
		{"empty properties", "properties", `{}`, "", "properties", "{}"},
		{"no session", "session", "-", "", "device_type", "<nil>"},
		{"a list for a session", "session", "[]", "", "extra.session", "[]"},
		{"another session", "session", `{"id":"x","os":"Linux","browser":7}`, "", "extra.session", `{"browser":7,"id":"x","os":"Linux"}`},
		{"no user", "userId", "null", "", "user_id", "<nil>"},
		{"a number for a user", "userId", "12", "", "extra.userId", "12"},
		{"a user that is no UUID", "userId", `"u-1"`, "", "extra.userId", `"u-1"`},
		{"a UUID in capitals", "userId", `"` + strings.ToUpper(ownID(0xabcdef)) + `"`, "", "user_id", ownID(0xabcdef)},

		{"twice", `"name"`, `"again"`, "member_twice", "", ""},
		{"twice alike", `"type"`, `"click"`, "member_twice", "", ""},
		{"an id twice", `"id"`, `"` + ownID(1<<30) + `"`, "member_twice", "", ""},
		{"an id twice by an escape", `"i\u0064"`, `"` + ownID(1<<30) + `"`, "member_twice", "", ""},
		{"an unknown one twice", `"a"`, `1,"a":2`, "member_twice", "", ""},
		{"twice in the session", "session", `{"os":1,"os":2}`, "member_twice", "", ""},
		{"twice in properties", "properties", `{"a":1,"a":2}`, "", "properties", `{"a":1,"a":2}`},

		{"another case of id", "", `{"Id":"ID","type":"click"}`, "missing_id", "", ""},
		{"a null", "", `null`, "not_an_object", "", ""},
		{"a list", "", `[{"id":"ID"}]`, "not_an_object", "", ""},
		{"a text", "", `"ID"`, "not_an_object", "", ""},
		{"an empty object", "", `{}`, "missing_id", "", ""},
	}
	for member, name := range map[string]string{"id": "id", "timestamp": "timestamp", "type": "type", "sessionId": "session_id"} {
		for _, value := range []string{"-", "null", `""`} {
			cases = append(cases, odd{member + " " + value, member, value, "missing_" + name, "", ""})
		}
		for _, value := range []string{"true", "[]", "{}"} {
			cases = append(cases, odd{member + " " + value, member, value, "bad_" + name, "", ""})
		}
	}
	newWorld(t, mockserver.Options{}).takes(cases)
}

// TestOddTexts: a text is stored unchanged and reaches every export unchanged, or the event is
// rejected and kept.
func TestOddTexts(t *testing.T) {
	t.Parallel()
	cases := []odd{
		{"no UTF-8", "name", "\"a\xff\"", "bad_text", "", ""},
		{"no UTF-8 in properties", "properties", "{\"a\":\"\xff\"}", "bad_text", "", ""},
		{"no UTF-8 in a name", "properties", "{\"\xff\":1}", "bad_text", "", ""},
		{"no UTF-8 in extra", `"a"`, "\"\xff\"", "bad_text", "", ""},
		{"no UTF-8 in the browser", "browser", "\"\xff\"", "bad_text", "", ""},
		{"half a pair", "name", `"a\ud83d"`, "bad_text", "", ""},
		{"the other half", "properties", `{"a":"\udE00\ud83d"}`, "bad_text", "", ""},
		{"a pair", "name", `"\ud83d\uDE00"`, "", "name", "😀"},
		{"a pair in properties", "properties", `{"a":"\ud83d\ude00"}`, "", "properties", `{"a":"\ud83d\ude00"}`},
		{"U+FFFD", "name", `"\ufffd�"`, "", "name", "��"},
		{"U+0000", "name", `"a\u0000b"`, "", "name", "a\x00b"},
		{"U+0000 alone", "type", `"\u0000"`, "", "type", "\x00"},
		{"U+0000 in properties", "properties", `{"a\u0000":"\u0000"}`, "", "properties", `{"a\u0000":"\u0000"}`},
		{"a BOM", "name", `"\ufeffa"`, "", "name", "\ufeffa"},
		{"U+FFFF", "name", `"\uffff"`, "", "name", "\uffff"},
		{"not composed", "name", `"e\u0301 Å"`, "", "name", "e\u0301 Å"},
		{"a slash", "name", `"\/"`, "", "name", "/"},
		{"line ends", "name", `"a\r\n\nb\r"`, "", "name", "a\r\n\nb\r"},
		{"line separators", "name", `"\u2028\u2029\u0085"`, "", "name", "\u2028\u2029\u0085"},
		{"quotes and commas", "name", `"\"a\",'b',\"\"\"\\"`, "", "name", `"a",'b',"""\`},
		{"white space", "name", `"  \t "`, "", "name", "  \t "},
		{"NULL as a text", "name", `"NULL"`, "", "name", "NULL"},
		{"erase", "name", `"\u001b[2J\u001b]0;x\u0007"`, "", "name", "\x1b[2J\x1b]0;x\x07"},
		{"erase in properties", "properties", `{"page":"\u001b[2J"}`, "", "properties", `{"page":"\u001b[2J"}`},
		{"the clipboard", "type", `"\u001b]52;c;ZXZpbA==\u0007"`, "", "type", "\x1b]52;c;ZXZpbA==\x07"},
		{"controls of eight bits", "browser", `"\u009b2J\u0090"`, "", "browser", "\u009b2J\u0090"},
		{"from right to left", "deviceType", `"\u202egpj.exe\u2066"`, "", "device_type", "\u202egpj.exe\u2066"},
		{"a formula", "name", `"=cmd|' /C calc'!A0"`, "", "name", "=cmd|' /C calc'!A0"},
		{"SQL", "name", `"'; DROP TABLE events; --"`, "", "name", "'; DROP TABLE events; --"},
		{"SQL in another member", `"'; DROP TABLE events; --"`, `"$1"`, "", "extra.'; DROP TABLE events; --", `"$1"`},
		{"100,000 characters", "name", quoted(strings.Repeat("é", 100_000)), "", "name", strings.Repeat("é", 100_000)},
	}
	w := newWorld(t, mockserver.Options{})
	w.takes(cases)
	w.leavesTerminalsAlone()
}

// TestElementsThatAreNoJSON: one element that is no valid JSON is kept as text, if its quotes and
// brackets show where it ends. The events around it are stored.
func TestElementsThatAreNoJSON(t *testing.T) {
	t.Parallel()
	deep := func(levels int) string { return strings.Repeat("[", levels) + strings.Repeat("]", levels) }
	no := func(name, member, value string) odd { return odd{name, member, value, "bad_json", "", ""} }
	newWorld(t, mockserver.Options{}).takes([]odd{
		no("a control in a text", "name", "\"a\x01\""),
		no("NUL in a text", "name", "\"a\x00\""),
		no("a line break in a text", "name", "\"a\nb\""),
		no("an escape that is none", "name", `"\x41"`),
		no("half an escape", "name", `"\u12"`),
		no("NaN", "timestamp", "NaN"),
		no("Infinity", "properties", `{"a":-Infinity}`),
		no("a leading zero", "properties", `{"a":01}`),
		no("a plus", "properties", `{"a":+1}`),
		no("no digit behind a point", "properties", `{"a":1.}`),
		no("no digit of an exponent", "properties", `{"a":1e}`),
		no("half a literal", "session", "nul"),
		no("a capital", "session", "True"),
		no("a comma too many", "properties", `{"a":1,}`),
		no("a comma too few", "properties", `{"a":1 "b":2}`),
		no("no colon", "properties", `{"a" 1}`),
		no("single quotes", "properties", `{'a':'b'}`),
		no("no quotes", "properties", `{a:1}`),
		no("a comment", "properties", `{/* a */}`),
		no("quotes in a text", "name", `"a "b" c"`),
		no("two objects", "", `{"id":"ID"} {"id":"ID"}`),
		no("a BOM before it", "", "\ufeff"+`{"id":"ID"}`),
		no("a number", "", "01"),
		no("a word", "", "undefined"),
		no("a zero too many and no UTF-8", "properties", "{\"a\":01,\"b\":\"\xff\"}"),
		{"10,001 levels in an event", "name", deep(10_001), "too_deep", "", ""},
		{"10,001 levels in properties", "properties", `{"a":` + deep(10_001) + `}`, "too_deep", "", ""},
		{"a million levels in an event", "name", deep(1_000_000), "too_deep", "", ""},
		{"a million levels in properties", "properties", `{"a":` + deep(1_000_000) + `}`, "too_deep", "", ""},
		{"a million levels and no more", "", deep(1_000_000), "too_deep", "", ""},
	})
}

// TestOddNumbers: numbers in properties keep every digit.
func TestOddNumbers(t *testing.T) {
	t.Parallel()
	var cases []odd
	for _, n := range []string{
		"9007199254740993", "9223372036854775807", "-9223372036854775808", "18446744073709551615", "1e400", "-1E-400", "-0", "-0.0", "0.10", "1.0", "1e2",
		"123456789012345678901234567890", "0.1234567890123456789012345678901234567890", strings.Repeat("9", 5000),
	} {
		cases = append(cases, odd{n, "properties", `{"n":` + n + `}`, "", "properties", `{"n":` + n + `}`},
			odd{n + " in extra", `"n"`, n, "", "extra.n", n})
		cases = append(cases, odd{n + " for an id", "id", n, "bad_id", "", ""}, odd{n + " for a type", "type", n, "bad_type", "", ""})
	}
	newWorld(t, mockserver.Options{}).takes(cases)
}

// TestOddInstants: a timestamp is the same to the microsecond in every notation, or the event is
// rejected. Seconds and microseconds are not guessed.
func TestOddInstants(t *testing.T) {
	t.Parallel()
	at := func(value, want string) odd { return odd{value, "timestamp", value, "", "timestamp", want} }
	no := func(value, reason string) odd { return odd{value, "timestamp", value, reason, "", ""} }
	const far = "timestamp_out_of_range"
	newWorld(t, mockserver.Options{}).takes([]odd{
		at("0", "1970-01-01T00:00:00Z"), at("-0", "1970-01-01T00:00:00Z"), at("1", "1970-01-01T00:00:00.001Z"),
		at("1769541612", "1970-01-21T11:32:21.612Z"), // seconds are read as milliseconds
		at("1769541612369", "2026-01-27T19:20:12.369Z"), at(`"1769541612369"`, "2026-01-27T19:20:12.369Z"),
		at("1769541612369.4567", "2026-01-27T19:20:12.369456Z"), at("1.769541612369e12", "2026-01-27T19:20:12.369Z"),
		at("7258118399999", "2199-12-31T23:59:59.999Z"),
		no("7258118400000", far), no("1769541612369000", far), no("-1", far), no("-0.0001", far), no("9007199254740993", far), no("9223372036854775807", far),
		no("18446744073709551615", far), no("1e400", far), no("-1e400", far), at("1e-400", "1970-01-01T00:00:00Z"), no(`"99999999999999999999999"`, far),
		at(`"2026-01-28T09:20:12.369+14:00"`, "2026-01-27T19:20:12.369Z"), at(`"2026-01-27T07:20:12-12:00"`, "2026-01-27T19:20:12Z"),
		at(`"2026-01-27T19:20:12.1234567Z"`, "2026-01-27T19:20:12.123456Z"), at(`"2026-01-27t19:20:12z"`, "2026-01-27T19:20:12Z"),
		at(`"2016-12-31T23:59:60Z"`, "2017-01-01T00:00:00Z"), at(`"1970-01-01T00:00:00Z"`, "1970-01-01T00:00:00Z"),
		at(`"2024-02-29T00:00:00Z"`, "2024-02-29T00:00:00Z"), at(`"2199-12-31T23:59:59.999999Z"`, "2199-12-31T23:59:59.999999Z"),
		no(`"1969-12-31T23:59:59.999Z"`, far), no(`"9999-12-31T23:59:59Z"`, far), no(`"0001-01-01T00:00:00Z"`, far), no(`"2200-01-01T00:00:00Z"`, far),
		no(`"10000-01-01T00:00:00Z"`, "bad_timestamp"), no(`"2026-01-27T19:20:12"`, "bad_timestamp"), no(`"2026-01-27"`, "bad_timestamp"),
		no(`"2025-02-29T00:00:00Z"`, "bad_timestamp"), no(`"2026-01-27T24:00:00Z"`, "bad_timestamp"), no(`"2026-01-27T19:20:61Z"`, "bad_timestamp"),
		no(`"-1769541612369"`, "bad_timestamp"), no(`"1769541612369.5"`, "bad_timestamp"), at(`" \ufeff1769541612369\u0000"`, "2026-01-27T19:20:12.369Z"), no(`"now"`, "bad_timestamp"),
		no(`"infinity"`, "bad_timestamp"), no(`"NaN"`, "bad_timestamp"), no(`"2026-01-27T19:20:12 Europe/Berlin"`, "bad_timestamp"),
	})
}

// TestFewEvents: no event, one event, exactly one page or an empty last page make a complete pull
// with valid exports.
func TestFewEvents(t *testing.T) {
	t.Parallel()
	for _, tc := range harness.Some([]struct {
		name         string
		events, size int
		emptyEnd     bool
	}{
		{"none", 0, 10, false}, {"one", 1, 10, false}, {"just a page", 10, 10, false}, {"an empty last page", 20, 10, true},
		{"pages of one", 12, 1, false}, {"one more than a page", 11, 10, false}, {"none, on two pages", 0, 10, true},
	}, 2) {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, mockserver.Options{})
			page := listed(ownEvents(0, tc.events), tc.size)
			w.answer(own(func(cursor string) string {
				if cursor == "end" {
					return pageOf(nil, "", fmt.Sprint(tc.events))
				}
				text := page(cursor)
				if tc.emptyEnd {
					text = strings.Replace(text, `"hasMore":false,"nextCursor":null`, `"hasMore":true,"nextCursor":"end"`, 1)
				}
				return text
			}))
			for range 2 { // the second pull finds nothing new
				e := w.run(command{Args: []string{"pull"}})
				w.endsWith(e, 0)
				w.says(e, "complete")
			}
			w.hasOwn(tc.events)
			events := map[string]map[string]any{}
			for _, row := range w.lines("SELECT * FROM events") {
				events[fmt.Sprint(row["id"])] = row
			}
			w.exports(events)
		})
	}
}
