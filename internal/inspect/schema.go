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
// of an older schema.
func ReadSchema(ctx context.Context, db *sql.DB, path string) ([]Table, error) {
	tables, err := readTables(ctx, db)
	if err != nil {
		return nil, dbfile.Translate(path, err)
	}
	for i := range tables {
		t := &tables[i]
		for j := range t.Columns {
			c := &t.Columns[j]
			if c.Comment == "" {
				c.Comment = comments(t.Name)[c.Name]
			}
		}
	}
	describeView(tables)
	order := []string{"events", "events_flat", "rejected_events", "checkpoint", "checkpoints", "page_log", "runs", "meta"}
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

// comments returns the comments that the file lacks on the columns of one of our tables.
func comments(table string) map[string]string {
	switch table {
	case "events":
		return map[string]string{
			"id":          "the event's id at the API",
			"session_id":  "the session in which it happened",
			"user_id":     "the user; NULL if the API sent none, or no UUID",
			"type":        "what happened, such as page_view",
			"name":        "the event's name; NULL if it came with none",
			"device_type": "the session's device, such as mobile",
			"browser":     "the session's browser",
		}
	case "events_flat":
		return map[string]string{
			"day":  "the day on which it happened, in the connection's time zone",
			"page": "the member page of properties; NULL if it has none",
		}
	case "rejected_events":
		return map[string]string{
			"raw":        "the element's text as it came, with bytes that are no UTF-8 as \\xff",
			"reason":     "why it is no event, such as missing_id",
			"reject_key": "equal whenever the same element comes; each occurs once",
			"id":         "the element's id, if it was a UUID",
			"endpoint":   "which endpoint sent it: events or feed",
			"batch":      "number of the commit that stored the row",
			"timestamp":  "its instant, if that can be read",
		}
	case "checkpoint", "checkpoints":
		return map[string]string{
			"window_id":         "windows are numbered upward, as are their parts",
			"state":             "not_begun, under_way or done",
			"upper":             "the instant of its newest event",
			"lower":             "the lower border of its walk; NULL for the end",
			"cursor":            "asks for the next page; NULL if that is the first",
			"cursor_expires_at": "when the cursor expires, by this machine's clock",
			"last_timestamp":    "everything newer than this is stored",
			"last_id":           "the last event stored, at last_timestamp",
			"whole":             "the window of which this is a part, or the window itself",
			"begins":            "the upper border of a part; NULL if the walk begins at the newest event",
			"first_timestamp":   "the instant of the first event of a part",
			"first_id":          "that event, which the part above must reach",
			"absorbed":          "the part was merged into the one above, which walks it again",
			"pages":             "its pages in page_log",
			"events":            "the events on them",
			"walked":            "elements returned since the walk last began at the newest event",
			"total":             "how many events the API had when the window began",
			"unordered":         "events came out of order in it",
			"updated_at":        "when the row last changed",
			"floor":             "the start bound: events before it are not stored; NULL if there is none",
			"page_total":        "how many events the API had, as of the last page that was read",
			"cursor_before":     "the cursor that asked for the last page that was read; empty for a first page",
			"top_at":            "when the walk began at the newest event; NULL if an older version walked",
			"copies":            "exact copies: elements that the API served twice on a page",
			"ran_out":           "the API had no more pages above the lower border",
			"failed_runs":       "runs in a row that failed at this cursor",
			"writer":            "which of the two concurrent writers wrote the row",
		}
	case "page_log":
		return map[string]string{
			"batch":           "number of the commit that stored the page",
			"run":             "the pull that fetched it, as in runs",
			"window_id":       "the window to which it belongs, as in checkpoint",
			"endpoint":        "events or feed", // the first version of the schema has no comment
			"request_id":      "the API's name of the request",
			"cursor_received": "hash of the cursor that came with the page; NULL for a last page",
			"first_timestamp": "the instant of the page's first event",
			"first_id":        "the id of its first event",
			"last_timestamp":  "the instant of its last event",
			"last_id":         "the id of its last event",
			"returned":        "how many elements it had",
			"stored":          "how many of them were new events",
			"duplicate":       "how many were known already",
			"conflict":        "how many of the duplicates differed from what is stored",
			"rejected":        "how many cannot be events and were not known",
			"resumed":         "it was not asked for by the cursor of the page before",
		}
	case "runs":
		return map[string]string{
			"run":             "names the pull",
			"tool_version":    "the datasync that ran",
			"began_at":        "when it began",
			"ended_at":        "when it ended; NULL while it runs, or if it was killed",
			"outcome":         "running, complete, interrupted, failed or killed",
			"resumed_from":    "the event after which it resumed",
			"stored":          "events that it stored",
			"duplicate":       "elements that were known already",
			"conflict":        "duplicates that differed from what is stored",
			"rejected":        "elements that cannot be events and were not known",
			"events_requests": "requests to the events endpoint",
			"events_429s":     "how many of those were answered by 429",
			"feed_requests":   "requests to the feed",
			"feed_429s":       "how many of those were answered by 429",
			"waiting_s":       "seconds without a request, because of rate limits or failures",
			"fetching_s":      "seconds in which requests were under way",
			"writing_s":       "seconds of writing, which overlap the others",
		}
	case "meta":
		return map[string]string{
			"key":   "such as schema_version or origin",
			"value": "as text",
		}
	}
	return nil
}
