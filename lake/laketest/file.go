package laketest

import (
	"context"
	"database/sql"
	"fmt"
	"path/filepath"
	"testing"

	"datasync/internal/duck"
	"datasync/internal/store"
)

// File is a datasync file of generated events.
type File struct {
	Path, Origin string
}

// NewFile makes an empty file of an API.
func NewFile(t *testing.T, origin string) File {
	t.Helper()
	f := File{filepath.Join(t.TempDir(), "events.duckdb"), origin}
	s, err := store.Open(t.Context(), store.Options{Path: f.Path, Origin: origin, ToolVersion: "test"})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return f
}

// Add adds batches of n events each, and marks them as checked. It spreads the instants over days, from
// 2026-01-01.
func (f File) Add(t *testing.T, batches, n, days int) {
	t.Helper()
	f.Exec(t, fmt.Sprintf(`INSERT INTO events
		SELECT md5('%s' || b || '/' || i)::UUID, md5('s' || i %% 97)::UUID, CASE WHEN i %% 7 > 0 THEN md5('u' || i %% 31)::UUID END,
			['click', 'view', 'buy'][1 + i %% 3], 'name ' || i %% 11,
			make_timestamptz(1767225600000000 + ((b * 7919 + i) %% %d) * 86400000000 + i * 1000003 %% 86400000000),
			'{"n": ' || i || ', "text": "ü"}', CASE WHEN i %% 5 > 0 THEN 'mobile' END, 'firefox', CASE WHEN i %% 3 = 0 THEN '{"more": true}' END, b
		FROM (SELECT coalesce(max(batch), 0) AS last FROM events), generate_series(last + 1, last + %d) AS g(b), generate_series(1, %d) AS h(i)`, f.Origin, days, batches, n),
		`INSERT INTO meta SELECT 'lineage', uuid()::VARCHAR WHERE NOT EXISTS (SELECT 1 FROM meta WHERE key = 'lineage')`,
		`DELETE FROM meta WHERE key = 'checked_batch'`,
		`INSERT INTO meta SELECT 'checked_batch', coalesce(max(batch), 0)::VARCHAR FROM events`)
}

// Exec runs statements on the file.
func (f File) Exec(t *testing.T, statements ...string) {
	t.Helper()
	f.with(t, func(db *sql.DB) {
		for _, s := range statements {
			if _, err := db.ExecContext(context.WithoutCancel(t.Context()), s); err != nil {
				t.Fatalf("%v in %s", err, s)
			}
		}
	})
}

// Row reads the only row of a query.
func (f File) Row(t *testing.T, query string, into ...any) {
	t.Helper()
	f.with(t, func(db *sql.DB) {
		if err := db.QueryRowContext(context.WithoutCancel(t.Context()), query).Scan(into...); err != nil {
			t.Fatalf("%v in %s", err, query)
		}
	})
}

func (f File) with(t *testing.T, do func(*sql.DB)) {
	t.Helper()
	db, err := duck.OpenInstance(context.WithoutCancel(t.Context()), f.Path, duck.Sandbox())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}()
	do(db)
}
