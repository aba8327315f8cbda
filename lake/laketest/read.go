package laketest

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"datasync/internal/duck"

	"datasync/lake/catalog"

	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"
)

// Table is the current state of a table in a catalog.
type Table struct {
	*table.Table
	Files *catalog.Files
	// Data are the locations of the live data files.
	Data []string
}

// Catalog opens a catalog of the server.
func (s Server) Catalog(t *testing.T, url string) catalog.Catalog {
	t.Helper()
	Environment(t)
	c, err := catalog.Open(t.Context(), catalog.Options{URL: url, Endpoint: s.S3, Credential: s.Credential})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// Load loads a table.
func (s Server) Load(t *testing.T, url, name string) Table {
	t.Helper()
	ident, err := catalog.Name(name)
	if err != nil {
		t.Fatal(err)
	}
	loaded, err := s.Catalog(t, url).Load(t.Context(), ident)
	if err != nil {
		t.Fatal(err)
	}
	l := Table{Table: loaded}
	if l.Files, err = catalog.FilesOf(t.Context(), loaded); err != nil {
		t.Fatal(err)
	}
	head := loaded.CurrentSnapshot()
	if head == nil {
		return l
	}
	manifests, err := head.Manifests(l.Files)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range manifests {
		for e, err := range m.Entries(l.Files, true) {
			if err != nil {
				t.Fatal(err)
			}
			if e.DataFile().ContentType() == iceberg.EntryContentData {
				l.Data = append(l.Data, e.DataFile().FilePath())
			}
		}
	}
	return l
}

// Row reads the only row of a query on the view lake, which has all rows of the table. DuckDB reads the
// data files in its manifests. Renamed columns have their names in the files.
func (l Table) Row(t *testing.T, query string, into ...any) {
	t.Helper()
	folder := t.TempDir()
	var local []string
	for i, location := range l.Data {
		content, err := l.Files.ReadFile(location)
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(folder, fmt.Sprint(i, ".parquet"))
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		local = append(local, duck.Quote(path))
	}
	db, err := duck.OpenInstance(t.Context(), ":memory:", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if len(local) > 0 {
		execute(t, db, "CREATE VIEW lake AS SELECT * FROM read_parquet(["+strings.Join(local, ", ")+"], union_by_name = true)")
	}
	if err := db.QueryRowContext(t.Context(), query).Scan(into...); err != nil {
		t.Fatalf("%v in %s", err, query)
	}
}

func execute(t *testing.T, db *sql.DB, statement string) {
	t.Helper()
	if _, err := db.ExecContext(context.WithoutCancel(t.Context()), statement); err != nil {
		t.Fatalf("%v in %s", err, statement)
	}
}

// Sums are the values that must be equal in table and file: rows, distinct ids, and a sum over all columns.
type Sums struct {
	Rows, Distinct, Batches int64
	Digest                  string
}

const sums = `SELECT count(*), count(DISTINCT id), coalesce(sum(batch), 0)::BIGINT,
	coalesce(sum(hash(id::VARCHAR, session_id::VARCHAR, user_id::VARCHAR, type, name, epoch_us("timestamp"), properties::VARCHAR, device_type, browser, extra::VARCHAR, batch)::HUGEINT), 0)::VARCHAR FROM `

// Sums returns the sums of a table's rows of one origin.
func (l Table) Sums(t *testing.T, origin string) (s Sums) {
	t.Helper()
	if len(l.Data) == 0 {
		return Sums{Digest: "0"}
	}
	l.Row(t, sums+"lake WHERE origin = "+duck.Quote(origin), &s.Rows, &s.Distinct, &s.Batches, &s.Digest)
	return s
}

// Sums returns the sums of a file's events up to a batch.
func (f File) Sums(t *testing.T, batch int64) (s Sums) {
	t.Helper()
	f.Row(t, fmt.Sprintf("%s events WHERE batch <= %d", sums, batch), &s.Rows, &s.Distinct, &s.Batches, &s.Digest)
	return s
}
