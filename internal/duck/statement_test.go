package duck_test

import (
	"context"
	"errors"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"datasync/internal/duck"
)

// connect opens a new file with an empty table events.
func connect(t *testing.T) *duck.Conn {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a.duckdb")
	db, err := duck.OpenInstance(t.Context(), path, duck.Sandbox())
	if err != nil {
		t.Fatal(err)
	}
	c, err := duck.Connect(path, duck.Sandbox())
	if err != nil {
		t.Fatal(err, db.Close())
	}
	t.Cleanup(func() {
		c.Close()
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	if _, err := c.Run("CREATE TABLE events (id UUID, type VARCHAR, batch BIGINT)"); err != nil {
		t.Fatal(err)
	}
	return c
}

func prepare(t *testing.T, c *duck.Conn, text string) *duck.Statement {
	t.Helper()
	st, err := c.Prepare(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	t.Cleanup(st.Close)
	return st
}

func TestTypeNames(t *testing.T) {
	c := connect(t)
	for _, name := range []string{
		"BOOLEAN", "TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT", "FLOAT", "DOUBLE",
		"DECIMAL(18,3)", "DECIMAL(38,0)", "VARCHAR", "BLOB", "BIT", "BIGNUM", "UUID", "DATE", "TIME", "TIME WITH TIME ZONE", "TIMESTAMP", "TIMESTAMP_S", "TIMESTAMP_MS",
		"TIMESTAMP_NS", "TIMESTAMP WITH TIME ZONE", "INTERVAL", "JSON", "INTEGER[]", "VARCHAR[][]", "INTEGER[3]", "MAP(VARCHAR, INTEGER[])",
		`STRUCT("a b" INTEGER, "c""d" VARCHAR)`, `UNION("i" INTEGER, "s" VARCHAR)`, "ENUM('a', 'it''s')",
	} {
		st := prepare(t, c, "SELECT NULL::"+name+` AS "the value"`)
		if want := (duck.ColumnType{Name: "the value", Type: name}); len(st.Columns) != 1 || st.Columns[0] != want {
			t.Errorf("%+v, want %+v", st.Columns, want)
		}
	}
}

func TestStatementsAreDescribed(t *testing.T) {
	c := connect(t)
	for text, want := range map[string]duck.StatementKind{
		"SELECT 1": duck.Select, "FROM events": duck.Select, "SHOW TABLES": duck.Select, "CALL pragma_version()": duck.Select,
		"EXPLAIN SELECT 1": duck.Explain, "CREATE TEMP TABLE a AS SELECT 1": duck.Other, "DELETE FROM events": duck.Other,
	} {
		st, err := c.Prepare(text)
		if err != nil || st.Kind != want {
			t.Fatalf("%s: %v, %v", text, st, err)
		}
		st.Close()
	}
	st := prepare(t, c, "SELECT count(*) FROM events WHERE type = $t AND batch > $b LIMIT $n")
	if len(st.Parameters) != 3 || st.Parameters[0] != (duck.Parameter{Name: "t", Type: "VARCHAR"}) || st.Parameters[1] != (duck.Parameter{Name: "b", Type: "BIGINT"}) || st.Parameters[2].Name != "n" {
		t.Errorf("%+v", st.Parameters)
	}
	for _, text := range []string{"SELECT 1; SELECT 2", "PIVOT (SELECT 1 AS a) ON a USING count(*)"} {
		if _, err := c.Prepare(text); !errors.Is(err, duck.ErrSeveral) {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func TestResultsAreCompleteAndInOrder(t *testing.T) {
	c := connect(t)
	st := prepare(t, c, `SELECT CASE WHEN n % 3 > 0 THEN repeat('x', (n % 30)::INT) || n END, CASE WHEN n % 5 > 0 THEN n END FROM range(300000) r(n) ORDER BY n`)
	r, err := st.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	n := 0
	for {
		rows, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		if rows == 0 {
			break
		}
		for row := range rows {
			text, ok := r.Text(0, row)
			if want := strings.Repeat("x", n%30) + strconv.Itoa(n); ok != (n%3 > 0) || ok && text != want {
				t.Fatalf("row %d: %q, %v", n, text, ok)
			}
			if v, ok := r.Int64(1, row); ok != (n%5 > 0) || ok && v != int64(n) {
				t.Fatalf("row %d: %d, %v", n, v, ok)
			}
			n++
		}
	}
	if n != 300_000 {
		t.Errorf("%d rows", n)
	}
}

func TestStatementsThatFailAfterTheirFirstRows(t *testing.T) {
	c := connect(t)
	st := prepare(t, c, "SELECT CASE WHEN n = 200000 THEN error('here') ELSE 'a' END FROM range(300000) r(n)")
	r, err := st.Run(t.Context())
	for err == nil {
		var rows int
		if rows, err = r.Next(); rows == 0 {
			break
		}
	}
	// DuckDB interrupts its other threads and sometimes returns that error.
	if err == nil || !strings.Contains(err.Error(), "here") && !strings.Contains(err.Error(), "INTERRUPT") {
		t.Errorf("%v", err)
	}
	if r != nil {
		r.Close()
	}
	// The connection can still be used.
	if n, err := c.Exec(t.Context(), "CREATE TEMP TABLE a AS SELECT 1"); err != nil {
		t.Errorf("%d, %v", n, err)
	}
}

func TestStatementsEndWithTheirContext(t *testing.T) {
	c := connect(t)
	ctx, cancel := context.WithCancel(t.Context())
	st := prepare(t, c, "FROM range(1000000000000)")
	r, err := st.Run(ctx)
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	for err == nil {
		_, err = r.Next()
	}
	r.Close()
	if !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	if _, err := st.Run(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
	ctx, cancel = context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := c.Exec(ctx, "CREATE TEMP TABLE a AS SELECT count(*) FROM range(1000000000) a, range(1000000000) b"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
	if _, err := c.Exec(t.Context(), "CREATE TEMP TABLE a AS SELECT 1"); err != nil {
		t.Error(err)
	}
}

func TestPlainValues(t *testing.T) {
	c := connect(t)
	st := prepare(t, c, "SELECT true, -5::TINYINT, -500::SMALLINT, -70000, -5000000000, 200::UTINYINT, 60000::USMALLINT, 4000000000::UINTEGER, 18000000000000000000::UBIGINT, 0.5::FLOAT, 1e300::DOUBLE, 'text', NULL::INT, [1]")
	r, err := st.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if rows, err := r.Next(); rows != 1 || err != nil {
		t.Fatalf("%d, %v", rows, err)
	}
	for i, want := range []string{"true", "-5", "-500", "-70000", "-5000000000", "200", "60000", "4000000000", "18000000000000000000", "0.5", "1e+300", "text"} {
		if got, ok, err := r.Plain(i, 0); got != want || !ok || err != nil {
			t.Errorf("%q, %v, %v; want %q", got, ok, err, want)
		}
	}
	if _, ok, err := r.Plain(12, 0); ok || err != nil {
		t.Errorf("%v, %v", ok, err)
	}
	if got, _, err := r.Plain(13, 0); err == nil {
		t.Errorf("a list is %q", got)
	}
}
