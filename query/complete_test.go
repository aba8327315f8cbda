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
