package dbfile_test

import (
	"os"
	"path/filepath"
	"testing"

	"datasync/internal/dbfile"
)

// Only files of DuckDB are removed, and their folder only when it is empty.
func TestRemoveLeftovers(t *testing.T) {
	for _, tc := range []struct {
		name          string
		spilled, kept []string // beside the database
	}{
		{"files of DuckDB", []string{"x.duckdb.tmp/duckdb_temp_storage_DEFAULT-0.tmp", "x.duckdb.tmp/duckdb_temp_block-7.block"}, nil},
		{"another file among them", []string{"x.duckdb.tmp/duckdb_temp_storage_S32K-0.tmp"}, []string{"x.duckdb.tmp/notes"}},
		{"a folder among them", nil, []string{"x.duckdb.tmp/duckdb_temp_mine/notes"}},
		{"a file with the folder's name", nil, []string{"x.duckdb.tmp"}},
		{"another database's", nil, []string{"y.duckdb.tmp/duckdb_temp_storage_DEFAULT-0.tmp"}},
		{"nothing", nil, nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			folder := t.TempDir()
			for _, name := range append(tc.spilled, tc.kept...) {
				path := filepath.Join(folder, name)
				if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte("text"), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if err := dbfile.RemoveLeftovers(filepath.Join(folder, "x.duckdb")); err != nil {
				t.Fatal(err)
			}
			for _, name := range tc.spilled {
				if _, err := os.Stat(filepath.Join(folder, name)); err == nil {
					t.Errorf("%s is still there", name)
				}
			}
			for _, name := range tc.kept {
				if text, err := os.ReadFile(filepath.Join(folder, name)); string(text) != "text" {
					t.Errorf("%s: %q, %v", name, text, err)
				}
			}
			if _, err := os.Stat(filepath.Join(folder, "x.duckdb.tmp")); err == nil && len(tc.kept) == 0 {
				t.Error("the folder is still there")
			}
		})
	}
}
