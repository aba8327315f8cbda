package app

import (
	"strings"
	"testing"

	"datasync/internal/inspect"
)

// TestSchemaTextOfOddTables: names that others chose are shown, and cannot move the cursor.
func TestSchemaTextOfOddTables(t *testing.T) {
	got := schemaText([]inspect.Table{
		{Name: "a\x1b[2J", Kind: "view", Columns: []inspect.TableColumn{{Name: "日本", Type: "STRUCT(a TIMESTAMP WITH TIME ZONE)"}, {Name: "b", Type: "INTEGER", NotNull: true, Comment: "x\ny\u202e"}}},
		{Name: "long", Kind: "table", Comment: strings.Repeat("word ", 20), Columns: []inspect.TableColumn{
			{Name: strings.Repeat("n", 70), Type: "INTEGER", Comment: "it has room for some words all the same, and then breaks"},
			{Name: "b", Type: "INTEGER", Comment: strings.Repeat("w", 90)}}},
		{Name: "none", Kind: "table"},
	})
	want := `a\x1b[2J (view)
  日本  STRUCT(a TIMESTAMPTZ)
  b     INTEGER                not null  x\ny\u{202e}

long: word word word word word word word word word word word word word word word
  word word word word word
  ` + strings.Repeat("n", 70) + `  INTEGER  it has room for some
` + strings.Repeat(" ", 83) + `words all the same, and
` + strings.Repeat(" ", 83) + `then breaks
  b` + strings.Repeat(" ", 69) + `  INTEGER  ` + strings.Repeat("w", 90) + `

none
`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
