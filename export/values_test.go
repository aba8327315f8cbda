package export_test

import (
	"compress/gzip"
	"database/sql"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"datasync/export"
	"datasync/internal/model"

	"github.com/google/uuid"
	"pgregory.net/rapid"
)

// odd are texts that careless writers of a format break.
var odd = []string{"", " ", "a", `"`, `""`, "'", ",", "a,b", "\n", "\r", "\r\n", "a\nb", "\t", `\`, `\n`, `\"`, "=1+1", "=cmd|' /C calc'!A0", "+1", "-1", "@SUM(1)",
	"NULL", "null", "true", "1", "01", "1e5", "ünï", "日本語", "😀", "\u202e", "\u0001", "\x7f", "{}", "[]", "/", "..", "a=b", "a/b", "%41", "__HIVE_DEFAULT_PARTITION__", "\ufeff"}

func drawText(t *rapid.T, name string) string {
	return rapid.OneOf(rapid.SampledFrom(odd), rapid.StringOfN(rapid.RuneFrom([]rune("a\"',\n\r\\=é😀 ")), 0, 12, -1)).Draw(t, name)
}

func drawEvent(t *rapid.T) model.Event {
	id := func(name string) uuid.UUID {
		return uuid.UUID(rapid.SliceOfN(rapid.Byte(), 16, 16).Draw(t, name))
	}
	null := func(name string) sql.NullString {
		return sql.NullString{String: drawText(t, name), Valid: rapid.Bool().Draw(t, name+" is there")}
	}
	e := model.Event{ID: id("id"), SessionID: id("session"), Type: drawText(t, "type"), Name: null("name"), DeviceType: null("device"), Browser: null("browser"),
		Timestamp: model.Instant(rapid.OneOf(rapid.Int64Range(0, 7_258_118_399_999_999), rapid.SampledFrom([]int64{0, 1, 999_999, 1_000_000, 7_258_118_399_999_999})).Draw(t, "at")),
	}
	e.UserID = uuid.NullUUID{UUID: id("user"), Valid: rapid.Bool().Draw(t, "has user")}
	for _, member := range []*string{&e.Properties, &e.Extra} {
		if rapid.Bool().Draw(t, "has object") {
			b, err := json.Marshal(map[string]any{drawText(t, "key"): drawText(t, "value"), "n": rapid.Int64().Draw(t, "n")})
			if err != nil {
				t.Fatal(err)
			}
			*member = string(b)
		}
	}
	return e
}

// TestUnusualEvents: each value that was stored is read back from each format.
func TestUnusualEvents(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		events := rapid.SliceOfNDistinct(rapid.Custom(drawEvent), 0, 20, func(e model.Event) uuid.UUID { return e.ID }).Draw(rt, "events")
		f := newFixture(t)
		f.commit(model.Done, events)
		want := map[string]model.Event{}
		for _, e := range events {
			want[e.ID.String()] = e
		}
		folder := t.TempDir()
		compareCSV(rt, f, filepath.Join(folder, "a.csv.gz"), want)
		compareJSONLines(rt, f, filepath.Join(folder, "a.jsonl"), want)
		parquet := filepath.Join(folder, "a.parquet")
		f.mustExport(export.Options{Target: parquet})
		compareDuckDB(rt, fmt.Sprintf("read_parquet('%s')", parquet), want)
		if len(events) == 0 {
			return
		}
		hive := filepath.Join(folder, "hive")
		f.mustExport(export.Options{Target: hive, Layout: export.Layout{PartitionBy: []string{"month", "browser"}}})
		checkFolder(rt, hive, len(events))
	})
}

func compareCSV(t *rapid.T, f *fixture, path string, want map[string]model.Event) {
	f.mustExport(export.Options{Target: path, Layout: export.Layout{Format: export.CSV}})
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	plain, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	records, err := csv.NewReader(plain).ReadAll()
	if err != nil || len(records) != len(want)+1 || strings.Join(records[0], " ") != "id session_id user_id type name timestamp properties device_type browser extra batch" {
		t.Fatalf("%d records, %v: %q", len(records), err, records)
	}
	// encoding/csv reads \r\n as \n.
	text := func(s sql.NullString) string { return strings.ReplaceAll(s.String, "\r\n", "\n") }
	for _, r := range records[1:] {
		e := want[r[0]]
		user := ""
		if e.UserID.Valid {
			user = e.UserID.UUID.String()
		}
		name, device, browser := e.Name, e.DeviceType, e.Browser
		for _, s := range []*sql.NullString{&name, &device, &browser} {
			if !s.Valid {
				s.String = ""
			}
		}
		wanted := []string{e.ID.String(), e.SessionID.String(), user, strings.ReplaceAll(e.Type, "\r\n", "\n"), text(name), e.Timestamp.Time().Format(time.RFC3339Nano),
			e.Properties, text(device), text(browser), e.Extra, "1"}
		if !slices.Equal(r, wanted) {
			t.Fatalf("CSV: %q, want %q", r, wanted)
		}
	}
}

func compareJSONLines(t *rapid.T, f *fixture, path string, want map[string]model.Event) {
	f.mustExport(export.Options{Target: path, Layout: export.Layout{Format: export.JSONLines}})
	d := json.NewDecoder(strings.NewReader(read(t, path)))
	d.DisallowUnknownFields()
	rows := 0
	for ; d.More(); rows++ {
		var got struct {
			ID, SessionID, UserID, Type, Name, Timestamp, DeviceType, Browser *string
			Properties, Extra                                                 *json.RawMessage
			Batch                                                             int64
		}
		var raw map[string]json.RawMessage
		if err := d.Decode(&raw); err != nil || len(raw) != 11 {
			t.Fatal(len(raw), err)
		}
		for name, target := range map[string]any{"id": &got.ID, "session_id": &got.SessionID, "user_id": &got.UserID, "type": &got.Type, "name": &got.Name,
			"timestamp": &got.Timestamp, "device_type": &got.DeviceType, "browser": &got.Browser, "properties": &got.Properties, "extra": &got.Extra, "batch": &got.Batch} {
			if err := json.Unmarshal(raw[name], target); err != nil {
				t.Fatal(name, err)
			}
		}
		e := want[*got.ID]
		same := *got.SessionID == e.SessionID.String() && (got.UserID != nil) == e.UserID.Valid && *got.Type == e.Type &&
			isText(got.Name, e.Name) && isText(got.DeviceType, e.DeviceType) && isText(got.Browser, e.Browser) &&
			*got.Timestamp == e.Timestamp.Time().Format(time.RFC3339Nano) && isJSON(got.Properties, e.Properties) && isJSON(got.Extra, e.Extra) && got.Batch == 1
		if !same {
			t.Fatalf("JSON: %s, want %+v", raw, e)
		}
	}
	if rows != len(want) {
		t.Fatalf("%d lines of JSON, want %d", rows, len(want))
	}
}

func isText(got *string, want sql.NullString) bool {
	return (got != nil) == want.Valid && (got == nil || *got == want.String)
}

func isJSON(got *json.RawMessage, want string) bool {
	if got == nil || string(*got) == "null" {
		return want == ""
	}
	return string(*got) == want
}

func compareDuckDB(t *rapid.T, relation string, want map[string]model.Event) {
	db, err := sql.Open("duckdb", "")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	rows, err := db.Query(`SELECT id::VARCHAR, session_id::VARCHAR, user_id::VARCHAR, type, name, epoch_us("timestamp"), coalesce(properties::VARCHAR, ''), device_type, browser, coalesce(extra::VARCHAR, '') FROM ` + relation)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	n := 0
	for ; rows.Next(); n++ {
		var id, session string
		var user sql.NullString
		var got model.Event
		if err := rows.Scan(&id, &session, &user, &got.Type, &got.Name, &got.Timestamp, &got.Properties, &got.DeviceType, &got.Browser, &got.Extra); err != nil {
			t.Fatal(err)
		}
		e := want[id]
		got.ID, got.SessionID, got.UserID = e.ID, uuid.MustParse(session), uuid.NullUUID{Valid: user.Valid}
		for _, s := range []*sql.NullString{&e.Name, &e.DeviceType, &e.Browser} {
			if !s.Valid {
				s.String = ""
			}
		}
		if !user.Valid {
			e.UserID.UUID = uuid.Nil
		} else {
			got.UserID.UUID = uuid.MustParse(user.String)
		}
		if got != e {
			t.Fatalf("%s: %+v, want %+v", relation, got, e)
		}
	}
	if err := rows.Err(); err != nil || n != len(want) {
		t.Fatalf("%s: %d rows, %v; want %d", relation, n, err, len(want))
	}
}
