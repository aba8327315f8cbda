package inspect

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"slices"
	"strings"

	"datasync/internal/dbfile"
)

// Table is a table or a view of a file. Its JSON is the output of datasync schema --json.
type Table struct {
	// Name is qualified by its schema, unless that is "main".
	Name    string        `json:"name"`
	Kind    string        `json:"kind"` // table or view
	Comment string        `json:"comment"`
	Columns []TableColumn `json:"columns"`
}

// TableColumn is a column of a Table.
type TableColumn struct {
	Name string `json:"name"`
	// Type is DuckDB's name for the type.
	Type string `json:"type"`
	// NotNull says that the column refuses NULL. It is false for a view, whose columns do not tell.
	NotNull bool   `json:"not_null"`
	Comment string `json:"comment"`
}

// ReadSchema returns the tables and views of the file at path, which is open for reading: ours, from
// events on, then others by name. A column without a comment in the file gets ours. The file may be
// of an older schema, and a comment that a migration stored may have a better wording now.
func ReadSchema(ctx context.Context, db *sql.DB, path string) ([]Table, error) {
	tables, err := readTables(ctx, db)
	if err != nil {
		return nil, dbfile.Translate(path, err)
	}
	for i := range tables {
		t := &tables[i]
		t.Comment = reworded(t.Comment)
		for j := range t.Columns {
			c := &t.Columns[j]
			if c.Comment = reworded(c.Comment); c.Comment == "" {
				c.Comment = comments(t.Name)[c.Name]
			}
		}
	}
	describeView(tables)
	order := []string{"events", "events_flat", "rejected_events", "checkpoint", "checkpoints", "page_log", "runs", "batches", "waits", "refusals", "meta"}
	rank := func(t Table) int {
		if i := slices.Index(order, t.Name); i >= 0 {
			return i
		}
		return len(order)
	}
	slices.SortFunc(tables, func(a, b Table) int { return cmp.Or(rank(a)-rank(b), strings.Compare(a.Name, b.Name)) })
	return tables, nil
}

// readTables reads the catalog, one row for each column.
func readTables(ctx context.Context, db *sql.DB) (tables []Table, err error) {
	rows, err := db.QueryContext(ctx, `
		SELECT CASE schema_name WHEN 'main' THEN '' ELSE schema_name || '.' END || r.name, kind, coalesce(r.comment, ''),
			column_name, data_type, NOT is_nullable AND kind = 'table', coalesce(c.comment, '')
		FROM duckdb_columns() c JOIN (
			SELECT table_oid AS oid, table_name AS name, 'table' AS kind, comment FROM duckdb_tables() WHERE NOT internal AND database_name = current_database()
			UNION ALL
			SELECT view_oid, view_name, 'view', comment FROM duckdb_views() WHERE NOT internal AND database_name = current_database()
		) r ON c.table_oid = r.oid AND c.table_name = r.name AND c.database_name = current_database()
		ORDER BY schema_name, r.name, column_index`)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var t Table
		var c TableColumn
		if err := rows.Scan(&t.Name, &t.Kind, &t.Comment, &c.Name, &c.Type, &c.NotNull, &c.Comment); err != nil {
			return nil, err
		}
		if n := len(tables); n == 0 || tables[n-1].Name != t.Name {
			tables = append(tables, t)
		}
		last := &tables[len(tables)-1]
		last.Columns = append(last.Columns, c)
	}
	return tables, rows.Err()
}

// describeView copies the comments of events to their view.
func describeView(tables []Table) {
	comment := map[string]string{}
	for _, t := range tables {
		for _, c := range t.Columns {
			if t.Name == "events" {
				comment[c.Name] = c.Comment
			}
		}
	}
	for _, t := range tables {
		for i := range t.Columns {
			if c := &t.Columns[i]; t.Name == "events_flat" && c.Comment == "" {
				c.Comment = comment[c.Name]
			}
		}
	}
}
