package inspect_test

import (
	"database/sql"
	"errors"
	"path/filepath"
	"slices"
	"testing"

	"datasync/internal/inspect"
)

func schema(t *testing.T, path string) []inspect.Table {
	t.Helper()
	db, err := inspect.OpenReadOnly(t.Context(), path, "UTC")
	if err != nil {
		t.Fatal(err)
	}
	tables, err := inspect.ReadSchema(t.Context(), db, path)
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	return tables
}

func names(tables []inspect.Table) (names []string) {
	for _, t := range tables {
		names = append(names, t.Name)
	}
	return names
}

func find(t *testing.T, tables []inspect.Table, table, column string) inspect.TableColumn {
	t.Helper()
	for _, r := range tables {
		for _, c := range r.Columns {
			if r.Name == table && c.Name == column {
				return c
			}
		}
	}
	t.Fatalf("no %s.%s", table, column)
	return inspect.TableColumn{}
}

// Every table and column of a new file has a comment.
func TestSchemaCommentsOnEachColumn(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.duckdb")
	newFile(t, path)
	tables := schema(t, path)
	if got := names(tables); !slices.Equal(got, []string{"events", "events_flat", "rejected_events", "checkpoint", "checkpoints", "page_log", "runs", "batches", "waits", "refusals", "meta"}) {
		t.Errorf("tables %v", got)
	}
	for _, r := range tables {
		kind := "table"
		if r.Name == "events_flat" || r.Name == "checkpoint" {
			kind = "view"
		}
		if r.Comment == "" || r.Kind != kind {
			t.Errorf("%s: %s, comment %q", r.Name, r.Kind, r.Comment)
		}
		for _, c := range r.Columns {
			if c.Comment == "" {
				t.Errorf("%s.%s has no comment", r.Name, c.Name)
			}
			if !hasColumn(t, path, r.Name, c.Name, c.Type) {
				t.Errorf("%s.%s is no %s", r.Name, c.Name, c.Type)
			}
		}
	}
	if c := find(t, tables, "events", "id"); c != (inspect.TableColumn{Name: "id", Type: "UUID", NotNull: true, Comment: "the event's id at the API"}) {
		t.Errorf("%+v", c)
	}
	if c := find(t, tables, "events", "user_id"); c.NotNull {
		t.Errorf("%+v", c)
	}
	if c := find(t, tables, "events_flat", "timestamp"); c.NotNull || c.Comment != find(t, tables, "events", "timestamp").Comment {
		t.Errorf("%+v", c)
	}
}

// The file's own comments come before ours, and tables of others are listed after ours.
func TestSchemaOfAFileWithForeignTables(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.duckdb")
	newFile(t, path)
	db, err := sql.Open("duckdb", path)
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.Exec(`COMMENT ON COLUMN events.id IS 'mine'; COMMENT ON TABLE events IS NULL; COMMENT ON COLUMN events_flat.page IS 'a page';
		CREATE TABLE zones (a INT[3] NOT NULL, "b ""c" STRUCT(x INT)); CREATE SCHEMA mine; CREATE VIEW mine.events AS SELECT 1 AS id;
		CREATE TABLE mine.zones (id INT)`)
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	tables := schema(t, path)
	if got := names(tables)[11:]; !slices.Equal(got, []string{"mine.events", "mine.zones", "zones"}) {
		t.Errorf("others are %v", got)
	}
	if tables[0].Name != "events" || tables[0].Comment != "" {
		t.Errorf("%+v", tables[0])
	}
	if c := find(t, tables, "events", "id"); c.Comment != "mine" {
		t.Errorf("%+v", c)
	}
	if c := find(t, tables, "events_flat", "page"); c.Comment != "a page" {
		t.Errorf("%+v", c)
	}
	if c := find(t, tables, "mine.events", "id"); c.Comment != "" || c.Type != "INTEGER" {
		t.Errorf("%+v", c)
	}
	if c := find(t, tables, "zones", "a"); !c.NotNull || c.Type != "INTEGER[3]" {
		t.Errorf("%+v", c)
	}
	if c := find(t, tables, "zones", `b "c`); c.Type != "STRUCT(x INTEGER)" {
		t.Errorf("%+v", c)
	}
	if n := len(tables[10].Columns); n != 2 {
		t.Errorf("%d columns", n)
	}
}

// hasColumn reports whether DuckDB's catalog has a column of that type.
func hasColumn(t *testing.T, path, table, column, typ string) bool {
	t.Helper()
	db, err := inspect.OpenReadOnly(t.Context(), path, "UTC")
	if err != nil {
		t.Fatal(err)
	}
	var n int
	err = db.QueryRow("SELECT count(*) FROM duckdb_columns() WHERE table_name = ? AND column_name = ? AND data_type = ?", table, column, typ).Scan(&n)
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	return n == 1
}
