package figures_test

import (
	"context"
	"database/sql"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"datasync/internal/inspect"
	"datasync/internal/report/figures"
	"datasync/internal/store"
)

// event is an event of a test. user 0, and empty texts but of page, are missing.
type event struct {
	at            time.Time
	session, user int
	kind          string
	page          *string
	device        string
	browser       string
}

// file makes a datasync file with these events and returns its path.
func file(t testing.TB, events []event) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a.duckdb")
	s, err := store.Open(context.Background(), store.Options{Path: path, Origin: "http://api.test:80"})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("duckdb", path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}()
	for len(events) > 0 {
		n := min(len(events), 5000)
		if _, err := db.Exec(insert(events[:n])); err != nil {
			t.Fatal(err)
		}
		events = events[n:]
	}
	return path
}

func insert(events []event) string {
	text := func(s string) string {
		if s == "" {
			return "NULL"
		}
		return "'" + strings.ReplaceAll(s, "'", "''") + "'"
	}
	rows := make([]string, len(events))
	for i, e := range events {
		user, properties := "NULL", "NULL"
		if e.user != 0 {
			user = fmt.Sprintf("'00000000-0000-4000-8000-%012d'", e.user)
		}
		if e.page != nil {
			properties = fmt.Sprintf("json_object('page', '%s')", strings.ReplaceAll(*e.page, "'", "''"))
		}
		rows[i] = fmt.Sprintf("(uuid(), '00000000-0000-4000-8000-%012d', %s, '%s', make_timestamptz(%d), %s, %s, %s, 1)",
			e.session, user, strings.ReplaceAll(e.kind, "'", "''"), e.at.UnixMicro(), properties, text(e.device), text(e.browser))
	}
	return `INSERT INTO events (id, session_id, user_id, type, "timestamp", properties, device_type, browser, batch) VALUES ` + strings.Join(rows, ", ")
}

// read reads the figures of a file.
func read(t testing.TB, path, zone string, opts figures.Options) *figures.Figures {
	t.Helper()
	db, err := inspect.OpenReadOnly(context.Background(), path, zone)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}()
	f, err := figures.Read(context.Background(), db, opts)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// random makes events of few sessions and users around an instant, so that ties are frequent.
func random(r *rand.Rand, around time.Time, n int) (events []event) {
	pick := func(of ...string) string { return of[r.IntN(len(of))] }
	for range n {
		e := event{
			at:      around.Add(time.Duration(r.IntN(20*24*4)-10*24*4) * 15 * time.Minute),
			session: r.IntN(n/4 + 1), user: r.IntN(n / 10),
			kind: pick("page_view", "page_view", "click", "form_submit", "purchase", "error", "it's", ""), device: pick("", "mobile", "desktop"), browser: pick("", "Safari", "'); DROP"),
		}
		if r.IntN(3) == 0 {
			e.at = e.at.Add(time.Duration(r.Int64N(int64(10 * time.Minute)))).Truncate(time.Microsecond)
		}
		if r.IntN(4) > 0 {
			page := pick("", "/home", "/it's", "\u202e", "/移动")
			e.page = &page
		}
		events = append(events, e)
	}
	return events
}

// places are instants at which clocks change, with their time zones.
func places() map[string]time.Time {
	day := func(y int, m time.Month, d, h int) time.Time { return time.Date(y, m, d, h, 0, 0, 0, time.UTC) }
	return map[string]time.Time{
		"UTC":                 day(2026, 1, 20, 0),
		"Europe/Berlin":       day(2025, 10, 26, 1),
		"America/New_York":    day(2026, 3, 8, 7),
		"America/Sao_Paulo":   day(2018, 11, 4, 3), // forward at midnight, which there was not
		"Australia/Lord_Howe": day(2026, 4, 4, 15), // back by half an hour
		"Asia/Kolkata":        day(2026, 1, 19, 18),
		"Pacific/Chatham":     day(2026, 4, 4, 14),
	}
}
