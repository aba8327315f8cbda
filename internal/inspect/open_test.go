package inspect_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"datasync/internal/inspect"
)

func TestReadOnlyRefusesEveryChange(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, "a.duckdb")
	newFile(t, path)
	before, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	db, err := inspect.OpenReadOnly(context.Background(), path, "UTC")
	if err != nil {
		t.Fatal(err)
	}
	for _, statement := range []string{
		"INSERT INTO meta VALUES ('a', 'b')", "DROP TABLE events", "CREATE TABLE t (a INT)",
		"COPY meta TO '" + filepath.Join(folder, "out.csv") + "'", "SELECT * FROM read_text('/etc/hostname')",
		"ATTACH '" + filepath.Join(folder, "b.duckdb") + "'", "INSTALL httpfs", "LOAD httpfs",
		"SET lock_configuration = false", "SET enable_external_access = true", "SET memory_limit = '1GB'",
	} {
		if _, err := db.Exec(statement); err == nil {
			t.Errorf("%s: succeeded", statement)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	after, err := os.ReadFile(path)
	if err != nil || string(after) != string(before) {
		t.Errorf("the file was changed (%v)", err)
	}
	if names, err := os.ReadDir(folder); err != nil || len(names) != 1 {
		t.Errorf("files %v, %v", names, err)
	}
}
