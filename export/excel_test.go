package export_test

import (
	"database/sql"
	"encoding/csv"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"datasync/export"
	"datasync/internal/model"
	"datasync/internal/store/storetest"
)

// excel is the layout of a file for Excel.
func excel(timezone string, delimiter byte) export.Layout {
	return export.Layout{Format: export.CSV, Excel: true, Timezone: timezone, Delimiter: delimiter}
}

// records reads CSV for Excel: a byte order mark, CRLF after each record, and LF alone in cells.
func records(t testing.TB, path string, delimiter rune) [][]string {
	t.Helper()
	text, hasMark := strings.CutPrefix(read(t, path), "\ufeff")
	if !hasMark || !strings.HasSuffix(text, "\r\n") || strings.Contains(text, "\ufeff") {
		t.Errorf("%.80q", text)
	}
	if lines := strings.ReplaceAll(text, "\r\n", ""); strings.Contains(lines, "\r") {
		t.Errorf("a carriage return alone in %q", text)
	}
	r := csv.NewReader(strings.NewReader(text))
	r.Comma = delimiter
	all, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestExcel(t *testing.T) {
	f := newFixture(t)
	e := storetest.Event(0)
	e.Timestamp = 1_769_534_712_999_999 // 2026-01-27T17:25:12.999999Z
	e.Type, e.Name, e.Browser = "=cmd|' /C calc'!A0", sql.NullString{String: "0012", Valid: true}, sql.NullString{String: "a\r\nb\rc", Valid: true}
	f.commit(model.Done, []model.Event{e})
	for _, tc := range []struct {
		zone, want string
		delimiter  byte
	}{{"", "2026-01-27 17:25:12", 0}, {"UTC", "2026-01-27 17:25:12", ';'}, {"Europe/Berlin", "2026-01-27 18:25:12", '\t'}, {"America/St_Johns", "2026-01-27 13:55:12", '|'}} {
		target := filepath.Join(t.TempDir(), "a.csv")
		result := f.mustExport(export.Options{Target: target, Layout: excel(tc.zone, tc.delimiter)})
		comma := rune(tc.delimiter)
		if comma == 0 {
			comma = ','
		}
		got := records(t, target, comma)
		if len(got) != 2 || got[0][0] != "id" || got[1][0] != e.ID.String() || got[1][3] != "'=cmd|' /C calc'!A0" || got[1][4] != "'0012" || got[1][5] != tc.want || got[1][8] != "a\nb\nc" ||
			result.Rows != 1 || result.Longest != 1 {
			t.Errorf("%s: %q", tc.zone, got)
		}
	}
}

// TestExcelValues: values that Excel would run or round are texts.
func TestExcelValues(t *testing.T) {
	f := database(t, 1)
	target := filepath.Join(t.TempDir(), "a.csv")
	for query, want := range map[string]string{
		`SELECT unnest(['=1', '+1', '-1', '@a', '12', '0', '007', '123456789012345', '1234567890123456', '1e5', '12E345', '1e', 'e5', '1.5', '', 'é', '1x']) AS v`: "'=1 '+1 '-1 '@a 12 0 '007 123456789012345 '1234567890123456 '1e5 '12E345 1e e5 1.5  é 1x",
		`SELECT unnest([0, -5, 999999999999999, -999999999999999, 1000000000000000, -9223372036854775807])::BIGINT AS v`:                                           "0 -5 999999999999999 -999999999999999 '1000000000000000 '-9223372036854775807",
		`SELECT unnest([1.5, -123456789012345.6])::DECIMAL(20, 1) AS v`:                                                                                            "1.5 '-123456789012345.6",
		`SELECT 12345678901234567890123::HUGEINT AS v`:                                                                                                             "'12345678901234567890123",
		`SELECT -1.25::DOUBLE AS v`:                                                  "-1.25",
		`SELECT JSON('-1') AS v UNION ALL SELECT JSON('12345678901234567')`:          "-1 '12345678901234567",
		`SELECT INTERVAL '-1 day' AS v`:                                              "'-1 day",
		`SELECT TIMESTAMP '2026-01-31 12:00:00.9' AS v UNION ALL SELECT NULL`:        "2026-01-31 12:00:00",
		`SELECT TIMESTAMP_NS '2026-01-31 12:00:00.999999999' AS v`:                   "2026-01-31 12:00:00",
		`SELECT 'infinity'::TIMESTAMPTZ AS v UNION ALL SELECT 'infinity'::TIMESTAMP`: "infinity infinity",
		`SELECT DATE '2026-01-31' AS v UNION ALL SELECT NULL`:                        "2026-01-31",
		`SELECT [TIMESTAMP '2026-01-31 12:00:00', NULL] AS v`:                        "['2026-01-31 12:00:00', NULL]",
		`SELECT true AS v`: "true",
		`SELECT uuid AS v FROM (SELECT UUID '12345678-1234-4234-8234-123456789012' AS uuid)`: "12345678-1234-4234-8234-123456789012",
	} {
		f.mustExport(export.Options{Target: target, Force: true, Selection: export.Selection{Query: query}, Layout: excel("Europe/Berlin", ';')})
		var got []string
		for _, r := range records(t, target, ';')[1:] {
			got = append(got, r[0])
		}
		if text := strings.Join(got, " "); text != want {
			t.Errorf("%s: %q, want %q", query, text, want)
		}
	}
}

// TestExcelHeads: names of columns are quoted after the byte order mark, and a file without rows
// has them too.
func TestExcelHeads(t *testing.T) {
	f := database(t, 3)
	target := filepath.Join(t.TempDir(), "a.csv")
	for rows, query := range map[int]string{
		0: `SELECT 1 AS "a,""b""", 2 AS "=c" WHERE false`,
		1: `SELECT 1 AS "a,""b""", 2 AS "=c"`,
		3: `SELECT n AS "a,""b""", 2 AS "=c" FROM range(3) r(n)`,
	} {
		f.mustExport(export.Options{Target: target, Force: true, Selection: export.Selection{Query: query}, Layout: excel("", 0)})
		if got := records(t, target, ','); len(got) != rows+1 || !slices.Equal(got[0], []string{`a,"b"`, "'=c"}) {
			t.Errorf("%q", got)
		}
	}
}

// TestExcelFolders: the days of a folder for Excel follow the time zone, and so do those of its
// increments.
func TestExcelFolders(t *testing.T) {
	f := newFixture(t)
	e := storetest.Event(0)
	e.Timestamp = 1_769_554_799_000_000 // 2026-01-27T22:59:59Z
	f.commit(model.Done, []model.Event{e})
	layout := excel("Europe/Berlin", ';')
	layout.PartitionBy = []string{"day", "hour"}
	opts := export.Options{Target: filepath.Join(t.TempDir(), "a"), Incremental: true, Layout: layout}
	f.mustExport(opts)
	later := storetest.Event(1)
	later.Timestamp = e.Timestamp + 1_000_000
	f.commit(model.Done, []model.Event{later})
	f.mustExport(opts)
	m := checkFolder(t, opts.Target, 2)
	for i, want := range []string{"day=2026-01-27/hour=2026-01-27T23", "day=2026-01-28/hour=2026-01-28T00"} {
		path := m.Files[i].Path
		if filepath.Dir(path) != want || len(records(t, filepath.Join(opts.Target, path), ';')) != 2 {
			t.Errorf("%s, want %s", path, want)
		}
	}
	for what, other := range map[string]export.Layout{
		"form for Excel": {Format: export.CSV, Safe: true, Delimiter: ';', Timezone: "Europe/Berlin"}, "delimiter": excel("Europe/Berlin", 0), "time zone": excel("", ';'),
	} {
		other.PartitionBy = layout.PartitionBy
		if _, err := f.export(export.Options{Target: opts.Target, Incremental: true, Layout: other}); err == nil || !strings.Contains(err.Error(), "its "+what+" is ") {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// TestEmptyTextsInFolders: Spark refuses a folder that ends with =, so the result reports it.
func TestEmptyTextsInFolders(t *testing.T) {
	f := newFixture(t)
	f.commit(model.Done, typed(0, "a", ""))
	layout := export.Layout{PartitionBy: []string{"day", "type"}}
	for where, want := range map[string]string{"": "type", "type <> ''": ""} {
		result := f.mustExport(export.Options{Target: filepath.Join(t.TempDir(), "a"), Selection: export.Selection{Where: where}, Layout: layout})
		if result.Empty != want {
			t.Errorf("%q: %+v", where, result)
		}
	}
}

func TestExcelIsCSV(t *testing.T) {
	f := database(t, 1)
	for name, layout := range map[string]export.Layout{
		"Parquet":        {Excel: true},
		"JSON Lines":     {Excel: true, Format: export.JSONLines},
		"gzip":           {Excel: true, Format: export.CSV, Compression: "gzip"},
		"delimited JSON": {Format: export.JSONLines, Delimiter: ';'},
	} {
		if _, err := f.export(export.Options{Target: filepath.Join(t.TempDir(), "a"), Layout: layout}); !errors.Is(err, export.ErrOptions) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := f.export(export.Options{Target: filepath.Join(t.TempDir(), "a.csv.gz"), Layout: excel("", 0)}); !errors.Is(err, export.ErrOptions) {
		t.Error(err)
	}
}
