package query_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"datasync/query"
)

func TestSeveralStatements(t *testing.T) {
	s := open(t, file(t), "UTC")
	const text = `CREATE TEMP TABLE x AS SELECT range AS a FROM range(3); -- first; of all
		SELECT ';' AS semicolon; FROM x ORDER BY a DESC LIMIT 1; INSERT INTO x VALUES (9); SELECT max(a) AS m FROM x;`
	if got := ask(t, s, query.Options{SQL: text, Format: query.CSV}); got != "semicolon\n;\na\n2\nm\n9\n" {
		t.Errorf("%q", got)
	}
	var b bytes.Buffer
	err := query.Run(t.Context(), s, query.Options{SQL: "SELECT 1 AS a; SELEC 2; SELECT 3", Format: query.CSV}, &b)
	if err == nil || !strings.Contains(err.Error(), "SELEC") || b.String() != "a\n1\n" {
		t.Errorf("%q, %v", b.String(), err)
	}
}

func TestOtherStatements(t *testing.T) {
	s := open(t, file(t), "UTC")
	for text, want := range map[string]string{
		"SHOW TABLES": "checkpoint\n", "DESCRIBE events": "session_id,UUID,NO", "SUMMARIZE events": "session_id,UUID,", "VALUES (1, 'a')": "1,a",
		"PRAGMA table_info('events')": "1,session_id,UUID,true", "CALL pragma_version()": "v1.5", "EXPLAIN SELECT 1": "DUMMY_SCAN",
		"PIVOT (SELECT 'a' AS k, DATE '2026-01-27' AS d) ON k USING count(*)": "d,a\n2026-01-27,1\n", "FROM range(2)": "range\n0\n1\n",
		"WITH a AS (SELECT 5 AS n) FROM a": "n\n5\n", "PREPARE p AS SELECT 7 AS n; EXECUTE p": "n\n7\n",
	} {
		if got := ask(t, s, query.Options{SQL: text, Format: query.CSV}); !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q in it", text, got, want)
		}
	}
}

func TestParametersAreBound(t *testing.T) {
	s := open(t, file(t), "UTC")
	evil := `'; DROP TABLE events; --`
	for _, tc := range []struct {
		sql    string
		params map[string]string
		want   string
	}{
		{"SELECT $v AS v", map[string]string{"v": evil}, "v\n" + evil + "\n"},
		{"SELECT '$v' AS a, $$ $v $$ AS b, \"$v\" AS c FROM (SELECT 1 AS \"$v\") -- $v\n/* $v */ WHERE $v = 'x'", map[string]string{"v": "x"}, "a,b,c\n$v, $v ,1\n"},
		{"SELECT n FROM range(10) r(n) WHERE n >= $low AND n < $high LIMIT $most", map[string]string{"low": "3", "high": "8", "most": "2"}, "n\n3\n4\n"},
		{"SELECT $when < now() AS past, count(*) AS n FROM events WHERE \"timestamp\" > $when", map[string]string{"when": "2026-01-01"}, "past,n\ntrue,0\n"},
		{"SELECT $a AS a; SELECT $b AS b", map[string]string{"a": "1", "b": "2"}, "a\n1\nb\n2\n"},
		{"SELECT $1 AS v", map[string]string{"1": "x"}, "v\nx\n"},
	} {
		if got := ask(t, s, query.Options{SQL: tc.sql, Format: query.CSV, Params: tc.params}); got != tc.want {
			t.Errorf("%s: %q, want %q", tc.sql, got, tc.want)
		}
	}
	for _, tc := range []struct {
		sql    string
		params map[string]string
		want   string
	}{
		{"SELECT $v", nil, "$v has no value"},
		{"SELECT 1", map[string]string{"v": "1"}, "no parameter $v"},
		{"SELECT '$v'", map[string]string{"v": "1"}, "no parameter $v"},
		{"SELECT $v, $u, $v", map[string]string{"w": "1"}, "no parameter $w, but $v, $u"},
	} {
		err := query.Run(t.Context(), s, query.Options{SQL: tc.sql, Format: query.CSV, Params: tc.params}, &bytes.Buffer{})
		if !errors.Is(err, query.ErrParams) || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want %q", tc.sql, err, tc.want)
		}
	}
	err := query.Run(t.Context(), s, query.Options{SQL: "FROM range(9) WHERE range < $v", Format: query.CSV, Params: map[string]string{"v": "many"}}, &bytes.Buffer{})
	if err == nil || !strings.Contains(err.Error(), "'many'") {
		t.Errorf("%v", err)
	}
}

func TestCancel(t *testing.T) {
	s := open(t, file(t), "UTC")
	for _, text := range []string{
		"SELECT count(*) FROM range(1000000000) a, range(1000000000) b",
		"SELECT a.range FROM range(1000000000) a, range(1000000000) b",
		"WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SELECT max(n) FROM r",
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		err := query.Run(ctx, s, query.Options{SQL: text, Format: query.CSV}, &bytes.Buffer{})
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v", text, err)
		}
	}
	if got := ask(t, s, query.Options{SQL: "SELECT 1 AS a", Format: query.CSV}); got != "a\n1\n" {
		t.Errorf("afterwards: %q", got)
	}
}

func TestWriterFails(t *testing.T) {
	s := open(t, file(t), "UTC")
	for _, f := range []query.Format{query.Table, query.Box, query.CSV, query.TSV, query.JSON, query.JSONLines, query.Markdown, query.Line, query.HTML} {
		text := "FROM range(1000000000000)"
		if f == query.Table || f == query.Box {
			text = "FROM range(100)" // written when all rows have come
		}
		if err := query.Run(t.Context(), s, query.Options{SQL: text, Format: f}, &failing{100}); !errors.Is(err, errFull) {
			t.Errorf("%s: %v", f, err)
		}
	}
}

func TestErrorsAreOneLine(t *testing.T) {
	s := open(t, file(t), "UTC")
	for text, want := range map[string]string{
		"SELECT typ FROM events": "type", "SELEC 1": "SELEC", "SELECT 'a": "unterminated", "SELECT 1\x00; DROP TABLE events": "NUL", "SELECT nosuch(1)": "nosuch",
		"SELECT error('a')": "a",
	} {
		err := query.Run(t.Context(), s, query.Options{SQL: text, Format: query.CSV}, &bytes.Buffer{})
		if err == nil || strings.Contains(err.Error(), "\n") || !strings.Contains(err.Error(), want) || len(err.Error()) > 400 {
			t.Errorf("%q: %v", text, err)
		}
	}
	for _, text := range []string{"", " \n;; ", "-- nothing", "/* */ ;"} {
		if err := query.Run(t.Context(), s, query.Options{SQL: text}, &bytes.Buffer{}); !errors.Is(err, query.ErrEmpty) {
			t.Errorf("%q: %v", text, err)
		}
	}
}
