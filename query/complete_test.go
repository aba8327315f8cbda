package query_test

import (
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"testing"

	"datasync/internal/term"
	"datasync/query"
)

// odd are names that tables and columns of a hostile file can have. DuckDB itself refuses U+0000.
var odd = []string{
	"zz\x1b]0;x\a", "zz\x1b[2J", "zz\n; SELECT 2", "zz\u202egnp", "zz\u200b", "zz\u00a0x", "zz\u009bx", "zz\ufeff", "zz\r", "zz\t",
	"zz x", "zz1;DROP TABLE x", "zz--", "zz/*", "zz'q", `zz"d`, `zz"`, "zz$x", "zz.x", "zzß", "zz_plain", "ZZ_case", "zz" + strings.Repeat("z", 100_000),
	"select", "left", "order", "1zz", "", " ", "zz😀", "zz\u0301",
}

// TestCompletionOfHostileNames: a completion shows the real name and can be run, after an opening
// quote and without one.
func TestCompletionOfHostileNames(t *testing.T) {
	path := file(t)
	db, err := sql.Open("duckdb", path)
	if err != nil {
		t.Fatal(err)
	}
	for i, name := range odd {
		if name == "" {
			continue
		}
		name = strings.ReplaceAll(name, `"`, `""`)
		for _, s := range []string{`CREATE TABLE t%d ("%s" INT)`, `CREATE TABLE "%[2]s" (i%[1]d INT)`} {
			if _, err := db.Exec(fmt.Sprintf(s, i, name)); err != nil {
				t.Logf("DuckDB refuses %.40q: %v", name, err)
			}
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	s := open(t, path, "UTC")
	all := 0
	for _, before := range []string{"FROM zz", `FROM "zz`, `FROM "zz `, `FROM "zz1;`, `FROM "zz""`, "FROM sel", `FROM "sel`, "FROM ord", `FROM "`, `FROM "1`, "SELECT zz", `SELECT "zz`, `SELECT "ZZ`, `FROM t0 WHERE le`} {
		words, begin, err := query.Complete(t.Context(), s, before, "")
		if err != nil {
			t.Errorf("%s: %v", before, err)
		}
		for _, word := range words {
			if term.Visible(word) != word || len(word) > 300 {
				t.Errorf("%s: %.60q is offered", before, word)
			}
			text := before[:begin] + word
			if !strings.HasPrefix(before, "FROM") || strings.HasSuffix(word, " ") || strings.Contains(before, "WHERE") {
				continue
			}
			if strings.Contains(word, "_") && !strings.Contains(word, "zz") || strings.ContainsAny(word, "([") {
				continue // a function
			}
			all++
			if _, err := query.Texts(t.Context(), s, "SELECT count(*)::VARCHAR FROM ("+text+")", nil); err != nil && strings.Contains(strings.ToLower(word), "zz") {
				t.Errorf("%s cannot be run: %v", text, err)
			}
		}
	}
	if all < 10 {
		t.Errorf("only %d names are offered", all)
	}
	for before, want := range map[string][]string{
		`FROM "zz1`: {`zz1;DROP TABLE x"`}, `FROM "zz""d`: {`zz""d"`}, `FROM "sele`: {`select"`}, "FROM zz_p": {"zz_plain"}, `FROM "zz_p`: {`zz_plain"`}, "FROM zz1": nil, "FROM sele": nil,
	} {
		words, _, err := query.Complete(t.Context(), s, before, "")
		words = slices.DeleteFunc(words, func(w string) bool { return strings.HasSuffix(w, " ") })
		if err != nil || !slices.Equal(words, want) {
			t.Errorf("%s: %q, want %q, %v", before, words, want, err)
		}
	}
}

func TestCompletion(t *testing.T) {
	s := open(t, file(t), "UTC")
	for _, tc := range []struct {
		text, want string
		begin      int
	}{
		{"SELECT * FROM ev", "events", 14}, {"SELECT * FROM rejec", "rejected_events", 14}, {"sel", "select", 0}, {"SEL", "SELECT", 0},
		{"SELECT sess", "session_id", 7}, {"SELECT type FROM events WHERE brow", "browser", 30}, {"SELECT ty", "type", 7},
	} {
		words, begin, err := query.Complete(t.Context(), s, tc.text, "")
		if err != nil || begin != tc.begin || len(words) == 0 {
			t.Errorf("%q: %q at %d, %v", tc.text, words, begin, err)
			continue
		}
		found := false
		for _, w := range words {
			found = found || strings.TrimSpace(w) == tc.want
			if !strings.HasPrefix(w, tc.text[begin:]) {
				t.Errorf("%q: %q", tc.text, w)
			}
		}
		if !found {
			t.Errorf("%q: %q, want %q among them", tc.text, words, tc.want)
		}
	}
}

// TestCompletionInScope: columns of the tables, aliases and common table expressions of the statement
// come before functions, and those of other tables not at all. The cursor is at the bar.
func TestCompletionInScope(t *testing.T) {
	s := open(t, file(t), "UTC")
	for _, tc := range []struct {
		text string
		want []string // the first completions
		not  string   // it is not offered
	}{
		{"SELECT e.| FROM events e", []string{"id", "session_id", "user_id", "type"}, "count"},
		{"SELECT e.| FROM events AS e", []string{"id", "session_id"}, "count"},
		{"SELECT E.| FROM main.events e WHERE true", []string{"id", "session_id"}, "count"},
		{"SELECT e.se| FROM events e", []string{"session_id"}, "second"},
		{"SELECT \"e\".\"se| FROM events e", []string{`session_id"`}, ""},
		{"SELECT events.se| FROM events", []string{"session_id"}, "second"},
		{"SELECT events.se|", []string{"session_id"}, "second"},
		{"FROM events e SELECT e.dev|", []string{"device_type"}, ""},
		{"FROM e: events SELECT e.dev|", []string{"device_type"}, ""},
		{"SELECT * FROM events e JOIN runs r ON e.batch = r.| WHERE true", []string{"run", "tool_version"}, "batch"},
		{"SELECT * FROM runs r, events e WHERE e.dev|", []string{"device_type"}, ""},
		{"SELECT * FROM runs r LEFT JOIN events e USING (x) WHERE e.dev|", []string{"device_type"}, ""},
		{"SELECT | FROM events", []string{"id", "session_id", "user_id"}, "tool_version"},
		{"SELECT c| FROM runs r", []string{"conflict"}, "cursor"},
		{"SELECT dev|, type FROM events", []string{"device_type"}, ""},
		{"SELECT dev|ice FROM events", []string{"device_type"}, ""},
		{"SELECT count(dev|) FROM events", []string{"device_type"}, ""},
		{"SELECT * FROM events WHERE s|", []string{"session_id"}, "stored"},
		{"SELECT s|", []string{"session_id"}, ""},
		{"WITH daily AS (SELECT day, count(*) AS visits FROM events_flat GROUP BY day) SELECT vi| FROM daily", []string{"visits"}, ""},
		{"WITH daily AS (SELECT day, count(*) AS visits FROM events_flat GROUP BY day) SELECT d.| FROM daily d", []string{"day", "visits"}, "id"},
		{"WITH daily(den, dings) AS (SELECT 1, 2) SELECT d| FROM daily", []string{"den", "dings"}, "session_id"},
		{"WITH a AS (SELECT 1 AS xa), b AS (SELECT xa AS xb FROM a) SELECT b.| FROM b", []string{"xb"}, "xa"},
		{"WITH a AS (SELECT 1 AS xa), b AS (SELECT x| FROM a) SELECT 1", []string{"xa"}, ""},
		{"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT n.| FROM n) FROM n", nil, "id"},
		{"WITH daily AS (SELECT 1 AS visits) SELECT * FROM da|", []string{"daily"}, ""},
		{"SELECT s.| FROM (SELECT id AS one, type AS two FROM events) s", []string{"one", "two"}, "id"},
		{"SELECT (SELECT max(e.|) FROM runs r) FROM events e", []string{"id", "session_id"}, ""},
		{"SELECT * FROM (SELECT dev| FROM events) s", []string{"device_type"}, ""},
		{"SELECT one FROM range(3) t(one) WHERE t.|", []string{"one"}, "id"},
		{"SELECT began_at FROM runs UNION ALL SELECT b| FROM events", []string{"browser", "batch"}, "began_at"},
		{"SELECT type, count(*) AS number FROM events GROUP BY type ORDER BY num|", []string{"number"}, ""},
		{"SELECT extract(year FROM ts|) FROM (SELECT now() AS tsx) t", nil, ""},
		{"SELECT 1; SELECT e.dev| FROM events e; SELECT 2", []string{"device_type"}, ""},
		{"SELECT 'FROM runs r' AS x, e.dev| FROM events e -- FROM runs", []string{"device_type"}, ""},
		{"SELECT * FROM events wh|", []string{"where"}, ""},
		{"SELECT * FROM events |", nil, "session_id"},
		{"SELECT * FROM ev|", []string{"events"}, "extra"},
		{"SELECT nowhere.| FROM events", nil, ""},
		{"SELECT ((((e.|", nil, ""},
		{") ) FROM events e WHERE e.dev|", []string{"device_type"}, ""},
		{"WITH", nil, ""}, {"WITH a AS (|", nil, ""}, {"FROM (|", nil, ""}, {"|", nil, "session_id"}, {"FROM events e, |", []string{"batches", "checkpoint", "checkpoints", "events"}, "session_id"},
		{"FROM ev|", []string{"events", "events_flat"}, "event"}, {"SELECT * FROM runs JOIN ev|", []string{"events", "events_flat"}, "event"},
		{"INSERT INTO ev|", []string{"events", "events_flat"}, "event"}, {"UPDATE ev|", []string{"events"}, "event"},
		{"DESCRIBE |", []string{"batches", "checkpoint", "checkpoints", "events"}, "session_id"}, {"SHOW ta|", []string{"tables"}, ""}, {"FROM read_c|", []string{"read_csv"}, ""},
		{"FROM main.ev|", []string{"events", "events_flat"}, "every"}, {"FROM main.|", []string{"batches", "checkpoint"}, "left"}, {"FROM nowhere.|", nil, "left"},
		{"WITH evening AS (SELECT 1 AS one) FROM ev|", []string{"evening", "events", "events_flat"}, "event"},
		{"SELECT e.us|", []string{"user_id"}, "use"}, {"SELECT e.|", []string{"id", "session_id"}, "order"}, {"SELECT x.us|", []string{"user_id"}, "use"},
		{"SELECT x.us| FROM events e", nil, "use"}, {"SELECT r.| FROM events e", nil, "run"},
	} {
		before, after, _ := strings.Cut(tc.text, "|")
		words, _, err := query.Complete(t.Context(), s, before, after)
		for i := range words {
			words[i] = strings.TrimSpace(words[i])
		}
		if len(slices.Compact(slices.Sorted(slices.Values(words)))) != len(words) {
			t.Errorf("%s: %.200q has one twice", tc.text, words)
		}
		if err != nil || len(words) < len(tc.want) || !slices.Equal(words[:len(tc.want)], tc.want) {
			t.Errorf("%s: %.200q, want %q first; %v", tc.text, words, tc.want, err)
		}
		if tc.not != "" && slices.Contains(words, tc.not) {
			t.Errorf("%s: %q is offered", tc.text, tc.not)
		}
	}
}
