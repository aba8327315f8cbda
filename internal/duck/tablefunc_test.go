package duck_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"datasync/internal/duck"
)

// Texts of all lengths reach the table: those that a DuckDB string holds, those that are copied into
// memory of C, also of many blocks a chunk, and those that are pinned. Go's memory is collected in
// between, and each text is garbage once its row was filled.
func TestInsertTexts(t *testing.T) {
	c := connect(t)
	if _, err := c.Run("CREATE TABLE texts (n BIGINT, a VARCHAR, b VARCHAR)"); err != nil {
		t.Fatal(err)
	}
	f, err := duck.NewTableFunc(c, "rows_for_texts", "texts")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Forget)
	lengths := []int{0, 1, 12, 13, 100, 4095, 4096, 4097, 70_000}
	text := func(n int) string { return strings.Repeat(string(rune('a'+n%26)), lengths[n%len(lengths)]) }
	rows := 2*duck.VectorSize() + 7
	copied := []int{}
	for range 2 {
		err = f.Insert(rows, func(columns []duck.Column, row, n int) {
			columns[0].Int64(row, int64(n))
			columns[1].Text(row, text(n))
			columns[2].TextOrNull(row, fmt.Sprintf("a text of row %d", n), n%3 > 0)
			if n%500 == 0 {
				runtime.GC()
			}
		}, func(rows int) { copied = append(copied, rows) })
		if err != nil {
			t.Fatal(err)
		}
	}
	seen := 0
	err = c.Rows(t.Context(), "SELECT a, b, n FROM texts ORDER BY n", nil, func(r *duck.Result, row int) {
		n := seen / 2
		a, _ := r.Text(0, row)
		b, ok := r.Text(1, row)
		number, _ := r.Int64(2, row)
		if a != text(n) || ok != (n%3 > 0) || ok && b != fmt.Sprintf("a text of row %d", n) || number != int64(n) {
			t.Errorf("row %d: %d bytes, want %d; %q, %v", n, len(a), len(text(n)), b, ok)
		}
		seen++
	})
	if err != nil || seen != 2*rows {
		t.Errorf("%d rows, want %d; %v", seen, 2*rows, err)
	}
	if len(copied) < 4 || copied[0] != 0 || copied[len(copied)-1] != rows {
		t.Errorf("copied %v", copied)
	}
}

// A statement that fails leaves the function usable.
func TestInsertThatFails(t *testing.T) {
	c := connect(t)
	if _, err := c.Run("CREATE TABLE few (n BIGINT CHECK (n < 5))"); err != nil {
		t.Fatal(err)
	}
	f, err := duck.NewTableFunc(c, "rows_for_few", "few")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Forget)
	fill := func(columns []duck.Column, row, n int) { columns[0].Int64(row, int64(n)) }
	if err := f.Insert(6, fill, nil); err == nil {
		t.Error("a row that the table refuses was inserted")
	}
	if err := f.Insert(5, fill, nil); err != nil {
		t.Error(err)
	}
}

// Rows binds parameters by their names and fails for one without a value.
func TestRowsWithParameters(t *testing.T) {
	c := connect(t)
	var got []string
	each := func(r *duck.Result, row int) {
		v, _ := r.Text(0, row)
		got = append(got, strings.Clone(v))
	}
	if err := c.Rows(t.Context(), "SELECT unnest([$b, $a, $b])", map[string]string{"a": "x", "b": "y"}, each); err != nil || strings.Join(got, "") != "yxy" {
		t.Errorf("%v, %v", got, err)
	}
	if err := c.Rows(t.Context(), "SELECT $a", nil, each); err == nil || !strings.Contains(err.Error(), "$a has no value") {
		t.Errorf("%v", err)
	}
}
