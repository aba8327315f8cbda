package main

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"datasync/internal/inspect"
	"datasync/mockserver"
)

// compare says where a file of a complete pull differs from what the API has, to each
// id and instant.
func compare(api *mockserver.Server, path string) (err error) {
	db, err := inspect.OpenReadOnly(context.Background(), path, "UTC")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	data := api.Dataset()
	want := make(map[[16]byte]int64, data.Len())
	rejects := 0
	for i := range data.Len() {
		if !data.Expected(i).Storable {
			rejects++
			continue
		}
		e := data.Event(i)
		want[e.ID] = e.Time().UnixMicro()
	}
	rows, err := db.Query(`SELECT id, epoch_us("timestamp") FROM events`)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	stored := 0
	for rows.Next() {
		var id []byte
		var at int64
		if err := rows.Scan(&id, &at); err != nil {
			return err
		}
		stored++
		if got, ok := want[[16]byte(id)]; !ok || got != at {
			return fmt.Errorf("event %x at %d, want %d (%v)", id, at, got, ok)
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	if stored != len(want) {
		return fmt.Errorf("%d rows, want %d", stored, len(want))
	}
	for query, want := range map[string]int{
		"SELECT count(DISTINCT id) FROM events":                                                     len(want),
		"SELECT sum(stored)::BIGINT FROM page_log":                                                  len(want),
		"SELECT count(*) FROM rejected_events WHERE NOT resolved":                                   rejects,
		"SELECT count(*) FROM checkpoint WHERE state <> 'done'":                                     0,
		"SELECT count(*) FROM runs WHERE outcome = 'running'":                                       0,
		"SELECT count(*) FROM rejected_events WHERE resolved AND id NOT IN (SELECT id FROM events)": 0,
	} {
		var got sql.NullInt64
		if err := db.QueryRow(query).Scan(&got); err != nil || got.Int64 != int64(want) {
			return fmt.Errorf("%s: %d, %w; want %d", query, got.Int64, err, want)
		}
	}
	return nil
}

// soundness says what verify finds in a file.
func soundness(path string) (err error) {
	db, err := inspect.OpenReadOnly(context.Background(), path, "UTC")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	findings, err := inspect.Verify(context.Background(), db, path)
	for _, f := range findings {
		err = errors.Join(err, fmt.Errorf("%s: %s", f.Check, f.Detail))
	}
	return err
}
