package inspect_test

import (
	"slices"
	"testing"

	"datasync/internal/inspect"
)

// TestNamesInMemory: a session of names binds statements to tables of any name and type, as the file
// would, and has no state to lose.
func TestNamesInMemory(t *testing.T) {
	s, err := inspect.OpenNames(t.Context(), []inspect.Column{
		{Table: "events", Name: "id", Type: "UUID"}, {Table: "events", Name: `odd "name"; DROP`, Type: "STRUCT(a INTEGER)"},
		{Table: `t"; --`, Name: "x", Type: "NO_SUCH_TYPE"}, {Table: "", Name: "skipped", Type: "INTEGER"},
		{Table: "last", Name: "y", Type: "ENUM('a', 'b')"},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}()
	columns, err := s.Columns(t.Context())
	want := []inspect.Column{
		{Table: "events", Name: "id", Type: "UUID"}, {Table: "events", Name: `odd "name"; DROP`, Type: "STRUCT(a INTEGER)"},
		{Table: "last", Name: "y", Type: "ENUM('a', 'b')"}, {Table: `t"; --`, Name: "x", Type: "VARCHAR"},
	}
	if err != nil || !slices.Equal(columns, want) {
		t.Errorf("%+v, %v", columns, err)
	}
	for _, step := range []struct {
		sql  string
		want []string
	}{
		{"SET VARIABLE v = 1", []string{"variable v"}}, {"RESET VARIABLE v", nil}, {"CREATE TEMP TABLE datasync_steps (i INT)", nil},
		{"BEGIN", []string{"the open transaction"}}, {"CREATE TEMP VIEW w AS SELECT 1", []string{"the open transaction", "temporary view w"}},
		{"ROLLBACK", nil}, {"BEGIN", []string{"the open transaction"}}, {"COMMIT", nil},
	} {
		if _, err := s.Exec(t.Context(), step.sql); err != nil {
			t.Fatal(err)
		}
		if state, err := s.State(t.Context()); err != nil || !slices.Equal(state, step.want) {
			t.Errorf("%s: %q, %v, want %q", step.sql, state, err, step.want)
		}
	}
}
