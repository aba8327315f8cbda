package harness

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"testing"

	"datasync/internal/inspect"
	"datasync/mockserver"
)

// Expected returns the events that a complete pull stores, as ids and UTC microseconds since
// 1970, and how many it rejects.
func Expected(api *mockserver.Server) (events map[[16]byte]int64, rejects int) {
	data := api.Dataset()
	events = make(map[[16]byte]int64, data.Len())
	for i := range data.Len() {
		if !data.Expected(i).Storable {
			rejects++
			continue
		}
		e := data.Event(i)
		events[e.ID] = e.Time().UnixMicro()
	}
	return events, rejects
}

// Compare returns an error where the file of a complete pull differs from what the API has, to
// each id and instant.
func Compare(api *mockserver.Server, path string) (err error) {
	db, err := inspect.OpenReadOnly(context.Background(), path, "UTC")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	want, rejects := Expected(api)
	if err := compareEvents(db, want); err != nil {
		return err
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

func compareEvents(db *sql.DB, want map[[16]byte]int64) (err error) {
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
	return nil
}

// Verify returns what datasync verify finds in a file, as an error.
func Verify(path string) (err error) {
	db, err := inspect.OpenReadOnly(context.Background(), path, "UTC")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	findings, err := inspect.Verify(context.Background(), db, path)
	for _, f := range findings {
		err = errors.Join(err, fmt.Errorf("%s: %s", f.Check, f.Detail))
	}
	if err != nil {
		return err
	}
	// The facts of a batch are there if its events are. Batches of older versions have none.
	var strayed int
	err = db.QueryRow(`SELECT count(*) FROM (SELECT batch FROM page_log WHERE endpoint <> 'closing check' AND batch >= (SELECT min(batch) FROM batches)) l
		FULL JOIN (SELECT batch FROM batches UNION ALL SELECT batch FROM waits WHERE batch IS NOT NULL UNION ALL SELECT batch FROM refusals WHERE batch IS NOT NULL) f USING (batch)
		WHERE l.batch IS NULL OR f.batch IS NULL`).Scan(&strayed)
	if err == nil && strayed > 0 {
		err = fmt.Errorf("%d facts of batches that are not there, or batches without facts", strayed)
	}
	return err
}

// Change runs statements on a file, which datasync never would.
func Change(tb testing.TB, path string, statements ...string) {
	tb.Helper()
	db, err := sql.Open("duckdb", path)
	if err != nil {
		tb.Fatal(err)
	}
	db.SetMaxOpenConns(1) // settings hold for a connection
	for _, s := range statements {
		if _, errExec := db.Exec(s); errExec != nil {
			err = errors.Join(err, fmt.Errorf("%s: %w", s, errExec))
			break
		}
	}
	if err := errors.Join(err, db.Close()); err != nil {
		tb.Fatal(err)
	}
}

// One returns the one text that a query of a file gives, "" for NULL.
func One(tb testing.TB, path, query string) (text string) {
	tb.Helper()
	db, err := inspect.OpenReadOnly(tb.Context(), path, "UTC")
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	var value sql.NullString
	if err := db.QueryRow(query).Scan(&value); err != nil {
		tb.Fatal(err)
	}
	return value.String
}

// holderName is the name of a test binary that only holds a file open.
const holderName = "datasync-test-holder"

// Hold starts another process that opens the file with DuckDB, to "read" or to "write", and
// keeps it open until letGo. The error is DuckDB's, where the file could not be opened.
func Hold(tb testing.TB, path, how string) (pid int, letGo func(), err error) {
	tb.Helper()
	self, err := os.Executable()
	if err != nil {
		tb.Fatal(err)
	}
	cmd := exec.Cmd{Path: self, Args: []string{holderName, path, how}}
	in, err1 := cmd.StdinPipe()
	out, err2 := cmd.StdoutPipe()
	if err := errors.Join(err1, err2, cmd.Start()); err != nil {
		tb.Fatal(err)
	}
	letGo = sync.OnceFunc(func() { _ = in.Close(); _ = cmd.Wait() })
	tb.Cleanup(letGo)
	said := make([]byte, 1000)
	n, _ := out.Read(said)
	if text := string(said[:n]); text != "open" {
		letGo()
		return 0, nil, errors.New(text)
	}
	return cmd.Process.Pid, letGo, nil
}

// hold is that process. It prints "open", or why it could not open the file, and ends when its
// stdin does.
func hold(args []string) int {
	name := args[0]
	if args[1] == "read" {
		name += "?access_mode=read_only"
	}
	db, err := sql.Open("duckdb", name)
	if err == nil {
		err = db.Ping()
	}
	if err != nil {
		fmt.Print(err)
		return 1
	}
	fmt.Print("open")
	_, _ = io.Copy(io.Discard, os.Stdin)
	_ = db.Close()
	return 0
}
