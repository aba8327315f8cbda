package table_test

import (
	"context"
	"database/sql"
	"path/filepath"
	"testing"

	"datasync/internal/bench/table"

	"github.com/google/uuid"
)

// TestReadAgreesWithSum also has a row changed and one doubled.
func TestReadAgreesWithSum(t *testing.T) {
	file := filepath.Join(t.TempDir(), "t.duckdb")
	var sum table.Sum
	sum.Add(uuid.MustParse("ffffffff-b10f-49bc-958d-bd91cdac0a53"), 1_769_541_612_369_001, "click")
	sum.Add(uuid.MustParse("00000a19-5445-4d91-8a47-31626d2b9808"), -1, "page_view")
	want := sum.Fingerprint()
	execute(t, file, `CREATE TABLE e AS SELECT CAST(column0 AS UUID) AS id, make_timestamptz(column1) AS "timestamp", column2 AS type FROM (VALUES
		('00000a19-5445-4d91-8a47-31626d2b9808', -1::BIGINT, 'page_view'), ('ffffffff-b10f-49bc-958d-bd91cdac0a53', 1769541612369001, 'click')) v(column0, column1, column2)`)
	if got := read(t, file); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	execute(t, file, `UPDATE e SET type = 'scroll' WHERE type = 'click'`)
	if err := read(t, file).Compare(want); err == nil {
		t.Error("another type is not seen")
	}
	execute(t, file, `INSERT INTO e SELECT * FROM e LIMIT 1`)
	if got := read(t, file); got.Rows != 3 || got.Distinct != 2 {
		t.Errorf("with a row doubled: %+v", got)
	}
}

func execute(t *testing.T, file, statement string) {
	t.Helper()
	db, err := sql.Open("duckdb", file)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec(statement); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, file string) table.Fingerprint {
	t.Helper()
	f, err := table.Read(context.Background(), file, "e")
	if err != nil {
		t.Fatal(err)
	}
	return f
}
