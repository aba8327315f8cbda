package query_test

import (
	"errors"
	"strings"
	"testing"

	"datasync/query"
)

// TestReadGrid: a grid has the first rows as text with types, and says if there are more.
func TestReadGrid(t *testing.T) {
	s := open(t, file(t), "UTC")
	g, err := query.ReadGrid(t.Context(), s, query.Options{SQL: "SELECT 1 AS a, 'x' AS b, NULL AS c, E'\\x1b[2J' AS d UNION ALL SELECT 2, '', 'y', repeat('z', 20000) ORDER BY a;", MaxRows: 10})
	if err != nil {
		t.Fatal(err)
	}
	if len(g.Columns) != 4 || g.Columns[0] != (query.GridColumn{Name: "a", Type: "int32", Number: true}) || g.Columns[1].Number || len(g.Rows) != 2 || g.More {
		t.Errorf("%+v", g)
	}
	first, second := g.Rows[0], g.Rows[1]
	if first[0].String != "1" || first[1].String != "x" || first[2].Valid || strings.Contains(first[3].String, "\x1b") || !second[1].Valid || second[1].String != "" || len(second[3].String) > 10_010 {
		t.Errorf("%v, %.200v", first, second)
	}
	for text, want := range map[string]struct {
		rows int
		more bool
	}{"FROM range(5)": {5, false}, "FROM range(6)": {5, true}, "FROM range(0)": {0, false}, "CREATE TEMP TABLE t AS SELECT 1": {0, false}} {
		g, err := query.ReadGrid(t.Context(), s, query.Options{SQL: text, MaxRows: 5})
		if err != nil || len(g.Rows) != want.rows || g.More != want.more {
			t.Errorf("%s: %+v, %v", text, g, err)
		}
	}
	plan, err := query.ReadGrid(t.Context(), s, query.Options{SQL: "EXPLAIN FROM range(3)"})
	if err != nil || len(plan.Rows) == 0 || !strings.Contains(plan.Rows[0][1].String, "\n") {
		t.Errorf("%+v, %v", plan, err)
	}
	for text, want := range map[string]error{"SELECT 1; SELECT 2": query.ErrSeveral, "": query.ErrEmpty, "SELECT $a": query.ErrParams} {
		if _, err := query.ReadGrid(t.Context(), s, query.Options{SQL: text}); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", text, err, want)
		}
	}
	_, err = query.ReadGrid(t.Context(), s, query.Options{SQL: "SELECT 1,\n  nothing"})
	if got := query.Excerpt(err, 80); got != "LINE 2:   nothing\n          ^\n" {
		t.Errorf("%v: %q", err, got)
	}
}
