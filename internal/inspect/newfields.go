package inspect

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"
)

// NewField is a member of events without a column, which is kept in the column extra.
type NewField struct {
	// Name is the member's name, or session.NAME for a member of the event's session, cut to 100 characters.
	Name string `json:"name"`
	// Events is how many stored events have it.
	Events int64 `json:"events"`
	// FirstSeen is when the pull that stored the first of them began; nil if no run says so.
	FirstSeen *time.Time `json:"first_seen"`
	// Batch is the first batch that has such an event.
	Batch int64 `json:"-"`
}

// FieldsKey is the key in table meta of the new fields up to a batch.
const FieldsKey = "new_fields"

// maxFields is the largest number of new fields that are counted: an API may use ids as names.
const maxFields = 1000

// countedFields is the value of FieldsKey. Batch is the last batch that is counted.
type countedFields struct {
	Batch  int64          `json:"batch"`
	Fields []countedField `json:"fields"`
}

type countedField struct {
	Name   string `json:"name"`
	Events int64  `json:"events"`
	Batch  int64  `json:"batch"`
}

// Querier reads a database: a *sql.DB or a *sql.Tx.
type Querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// membersOf is the SQL expression of the members' names in a value of the column extra.
const membersOf = `CASE WHEN json_type(extra, '$.session') = 'OBJECT'
	THEN list_concat(list_filter(json_keys(extra), lambda k: k <> 'session'), list_transform(json_keys(extra, '$.session'), lambda k: 'session.' || k))
	ELSE json_keys(extra) END`

// ReadNewFields counts the members of events without a column, by their first batch. It reads only events of
// batches after those that FieldsKey covers.
func ReadNewFields(ctx context.Context, q Querier, meta map[string]string) ([]NewField, error) {
	var counted countedFields
	if text, ok := meta[FieldsKey]; ok && json.Unmarshal([]byte(text), &counted) != nil {
		counted = countedFields{} // count all again
	}
	found := map[string]NewField{}
	for _, f := range counted.Fields {
		found[f.Name] = NewField{Name: f.Name, Events: f.Events, Batch: f.Batch}
	}
	if err := countMembers(ctx, q, counted.Batch, found); err != nil {
		return nil, err
	}
	fields := make([]NewField, 0, len(found))
	for _, f := range found {
		fields = append(fields, f)
	}
	slices.SortFunc(fields, func(a, b NewField) int { return cmp.Or(cmp.Compare(a.Batch, b.Batch), cmp.Compare(a.Name, b.Name)) })
	fields = fields[:min(len(fields), maxFields)]
	return fields, readFirstSeen(ctx, q, fields)
}

// countMembers adds the members in events of batches after the given one.
func countMembers(ctx context.Context, q Querier, after int64, found map[string]NewField) error {
	rows, err := q.QueryContext(ctx, fmt.Sprintf(`SELECT left(name, 100) AS name, count(*), min(batch) FROM (
			SELECT batch, unnest(list_distinct(%s)) AS name FROM events WHERE extra IS NOT NULL AND batch > %d)
		GROUP BY ALL ORDER BY min(batch), name LIMIT %d`, membersOf, after, maxFields))
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var f NewField
		if err := rows.Scan(&f.Name, &f.Events, &f.Batch); err != nil {
			return err
		}
		if before, ok := found[f.Name]; ok {
			f.Events, f.Batch = f.Events+before.Events, before.Batch
		}
		found[f.Name] = f
	}
	return rows.Err()
}

// readFirstSeen sets when each field was first seen.
func readFirstSeen(ctx context.Context, q Querier, fields []NewField) (err error) {
	if len(fields) == 0 {
		return nil
	}
	rows, err := q.QueryContext(ctx, "SELECT p.batch, any_value(r.began_at) FROM page_log p JOIN runs r USING (run) GROUP BY p.batch")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	began := map[int64]time.Time{}
	for rows.Next() {
		var batch int64
		var at time.Time
		if err := rows.Scan(&batch, &at); err != nil {
			return err
		}
		began[batch] = at.UTC()
	}
	for i := range fields {
		if at, ok := began[fields[i].Batch]; ok {
			fields[i].FirstSeen = &at
		}
	}
	return rows.Err()
}

// NewFieldsValue returns the value of FieldsKey for fields that were counted up to a batch.
func NewFieldsValue(fields []NewField, batch int64) (string, error) {
	c := countedFields{Batch: batch, Fields: []countedField{}}
	for _, f := range fields {
		c.Fields = append(c.Fields, countedField{f.Name, f.Events, f.Batch})
	}
	text, err := json.Marshal(c)
	return string(text), err
}
