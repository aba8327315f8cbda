package query_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"datasync/internal/store"
	"datasync/query"
)

// file makes an empty database of ours and returns its path.
func file(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a.duckdb")
	s, err := store.Open(context.Background(), store.Options{Path: path, Origin: "http://api.test:80"})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func open(t *testing.T, path, zone string) *sql.DB {
	t.Helper()
	db, err := store.OpenReadOnly(context.Background(), path, zone)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func TestTypesComeOutRight(t *testing.T) {
	db := open(t, file(t), "Asia/Tokyo")
	tokyo, err := time.LoadLocation("Asia/Tokyo")
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct{ sql, csv, json string }{
		{"NULL", "\"\"", "null"},
		{"true", "true", "true"},
		{"9223372036854775807", "9223372036854775807", "9223372036854775807"},
		{"170141183460469231731687303715884105727::HUGEINT", "170141183460469231731687303715884105727", "170141183460469231731687303715884105727"},
		{"1.50::DECIMAL(9,2)", "1.50", "1.50"},
		{"0.1::DOUBLE", "0.1", "0.1"},
		{"'inf'::DOUBLE", "inf", `"inf"`},
		{"'a,\"b\n'", "\"a,\"\"b\n\"", `"a,\"b\n"`},
		{"'<&>'", "<&>", `"<&>"`},
		{"TIMESTAMPTZ '2026-01-27 19:20:12.369+00'", "2026-01-28T04:20:12.369+09:00", `"2026-01-28T04:20:12.369+09:00"`},
		{"TIMESTAMP '2026-01-27 19:20:12'", "2026-01-27T19:20:12", `"2026-01-27T19:20:12"`},
		{"DATE '2026-01-27'", "2026-01-27", `"2026-01-27"`},
		{"TIME '19:20:12'", "19:20:12", `"19:20:12"`},
		{"INTERVAL 1 DAY", "1 day", `"1 day"`},
		{"'6f1b0c3e-0000-4000-8000-000000000001'::UUID", "6f1b0c3e-0000-4000-8000-000000000001", `"6f1b0c3e-0000-4000-8000-000000000001"`},
		{"'\\x00ab'::BLOB", "\\x00ab", `"\\x00ab"`},
		{"[1, NULL]", "\"[1, NULL]\"", "[1,null]"},
		{"{'a': 1, 'b': 'x'}", "\"{'a': 1, 'b': x}\"", `{"a":1,"b":"x"}`},
		{"MAP {'k': 1}", "{k=1}", `{"k":1}`},
		{`'{"z": 1, "a": 10000000000000000000000001}'::JSON`, `"{""z"": 1, ""a"": 10000000000000000000000001}"`, `{"z": 1, "a": 10000000000000000000000001}`},
	} {
		t.Run(tc.sql, func(t *testing.T) {
			for format, want := range map[query.Format]string{query.CSV: "v\n" + tc.csv + "\n", query.JSON: "[\n{\"v\":" + tc.json + "}\n]\n"} {
				var b bytes.Buffer
				err := query.Run(t.Context(), db, query.Options{SQL: "SELECT " + tc.sql + " AS v -- so", Format: format, Location: tokyo}, &b)
				if err != nil || b.String() != want {
					t.Errorf("%s: %q, %v; want %q", format, b.String(), err, want)
				}
				if format == query.JSON && !json.Valid(b.Bytes()) {
					t.Errorf("no JSON: %s", b.String())
				}
			}
		})
	}
}

func TestTablesShowHeadAndTail(t *testing.T) {
	db := open(t, file(t), "UTC")
	var b bytes.Buffer
	if err := query.Run(t.Context(), db, query.Options{SQL: "SELECT range AS n FROM range(1000003) ORDER BY n", Format: query.Table}, &b); err != nil {
		t.Fatal(err)
	}
	text := b.String()
	for _, want := range []string{"│       0 │", "│      19 │", "│ 1000002 │", "│  999983 │", "1000003 rows, 40 shown"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
	if strings.Contains(text, "│      20 │") || strings.Contains(text, "│  999982 │") || strings.Index(text, "999983") > strings.Index(text, "1000002") {
		t.Errorf("not head and tail:\n%s", text)
	}
}

func TestNothingMovesTheCursor(t *testing.T) {
	db := open(t, file(t), "UTC")
	var b bytes.Buffer
	text := "SELECT 'a' || chr(27) || '[2J' || chr(8238) || chr(155) || chr(10) || chr(127) AS \"n\x1b]0;x\x07\""
	if err := query.Run(t.Context(), db, query.Options{SQL: text, Format: query.Table}, &b); err != nil {
		t.Fatal(err)
	}
	if strings.ContainsAny(b.String(), "\x1b\x07\x7f\u202e\u009b") {
		t.Errorf("%q", b.String())
	}
	if !strings.Contains(b.String(), `a\x1b[2J\u{202e}\x9b\n\x7f`) {
		t.Errorf("%q", b.String())
	}
}

// A query leaves the folder as it was, also where it needs more memory than it has.
func TestAQueryLeavesNothingOnDisk(t *testing.T) {
	path := file(t)
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	db := open(t, path, "UTC")
	for _, text := range []string{
		"SELECT count(*) FROM (SELECT range, md5(range::VARCHAR) AS m FROM range(3000000) ORDER BY m)",
		"CREATE TEMP TABLE t AS SELECT 1 AS a; SELECT a FROM t",
		"INSERT INTO meta VALUES ('a', 'b')", "CREATE TABLE t (a INT)", "DROP TABLE events", "CHECKPOINT", "SET profiling_output = 'x'",
		"COPY (SELECT 1) TO 'out.csv'", "EXPORT DATABASE 'out'", "ATTACH 'other.duckdb'", "SET temp_directory = 'tmp'",
		"SELECT * FROM glob('*')", "SELECT * FROM read_text('/etc/hostname')", "SELECT getenv('HOME')", "INSTALL httpfs", "LOAD httpfs",
	} {
		err := query.Run(t.Context(), db, query.Options{SQL: text, Format: query.CSV}, &bytes.Buffer{})
		if wanted := strings.Contains(text, "md5") || strings.Contains(text, "TEMP") || text == "CHECKPOINT"; (err == nil) != wanted {
			t.Errorf("%s: %v", text, err)
		}
		files, errRead := os.ReadDir(filepath.Dir(path))
		if errRead != nil || len(files) != 1 {
			t.Errorf("%s: files %v, %v", text, files, errRead)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	if after, err := os.ReadFile(path); err != nil || sha256.Sum256(after) != sha256.Sum256(before) {
		t.Errorf("the file has changed (%v)", err)
	}
}

func TestAnEndlessQueryCanBeStopped(t *testing.T) {
	db := open(t, file(t), "UTC")
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	err := query.Run(ctx, db, query.Options{SQL: "SELECT count(*) FROM range(1000000000) a, range(1000000000) b", Format: query.CSV}, &bytes.Buffer{})
	if err == nil || ctx.Err() == nil {
		t.Errorf("%v", err)
	}
}

func TestEmptySQL(t *testing.T) {
	db := open(t, file(t), "UTC")
	for _, text := range []string{"", " \n;; "} {
		if err := query.Run(t.Context(), db, query.Options{SQL: text}, &bytes.Buffer{}); !errors.Is(err, query.ErrEmpty) {
			t.Errorf("%q: %v", text, err)
		}
	}
}
