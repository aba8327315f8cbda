package export_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"datasync/export"
	"datasync/internal/dbfile"
	"datasync/internal/model"
	"datasync/internal/outfile"
	"datasync/internal/store/storetest"
)

// ordered counts the rows of Parquet files that are older than the row before them in the same
// file.
const ordered = `SELECT count(*), count(DISTINCT id), count(*) FILTER (before IS NOT NULL AND (moment, id) < (before, id_before)) FROM (
	SELECT id, "timestamp" AS moment, lag("timestamp") OVER f AS before, lag(id) OVER f AS id_before
	FROM read_parquet(?, file_row_number = true, filename = true, hive_partitioning = false, union_by_name = true)
	WINDOW f AS (PARTITION BY filename ORDER BY file_row_number))`

func TestSizes(t *testing.T) {
	sizes := []int{0, 1, 3000, 122_879, 122_880, 122_881}
	if testing.Short() {
		sizes = []int{0, 1, 3000}
	}
	for _, events := range sizes {
		t.Run(fmt.Sprint(events), func(t *testing.T) {
			f := database(t, events)
			folder := t.TempDir()
			parquet := filepath.Join(folder, "it's ünï events.parquet")
			result := f.mustExport(export.Options{Target: parquet})
			info, err := os.Stat(parquet)
			if err != nil || result.Rows != int64(events) || result.Bytes != info.Size() || info.Mode().Perm() != 0o600 || !result.Pull.Complete {
				t.Errorf("%+v, %v, %v", result, info, err)
			}
			equal(t, "order", ask(t, ordered, parquet), events, events, 0)
			groups := (events + export.DefaultRowGroup - 1) / export.DefaultRowGroup
			equal(t, "row groups", ask(t, `SELECT num_rows, num_row_groups FROM parquet_file_metadata(?)`, parquet), events, groups)
			for _, format := range []export.Format{export.CSV, export.JSONLines} {
				target := filepath.Join(folder, format.String())
				if result := f.mustExport(export.Options{Target: target, Layout: export.Layout{Format: format}}); result.Rows != int64(events) {
					t.Errorf("%+v", result)
				}
				if lines := strings.Count(read(t, target), "\n"); lines != events+map[export.Format]int{export.CSV: 1}[format] {
					t.Errorf("%s: %d lines", format, lines)
				}
			}
			for i, layout := range []export.Layout{{PartitionBy: []string{"hour"}}, {FileSize: 1_000_000}} {
				target := filepath.Join(folder, fmt.Sprint(i))
				if result := f.mustExport(export.Options{Target: target, Layout: layout}); result.Rows != int64(events) {
					t.Errorf("%+v", result)
				}
				checkFolder(t, target, events)
			}
		})
	}
}

func TestParquetTypes(t *testing.T) {
	f := database(t, 5000)
	for _, compression := range []string{"zstd", "snappy", "gzip", "lz4", "brotli", "none"} {
		target := filepath.Join(t.TempDir(), "a.parquet")
		f.mustExport(export.Options{Target: target, Layout: export.Layout{Compression: compression, RowGroup: 2048}})
		want := strings.ToUpper(map[string]string{"none": "uncompressed", "lz4": "lz4_raw"}[compression])
		if want == "" {
			want = strings.ToUpper(compression)
		}
		equal(t, compression, ask(t, `SELECT any_value(compression), count(DISTINCT compression), count(DISTINCT row_group_id), count(stats_min_value) FILTER (path_in_schema = 'timestamp') FROM parquet_metadata(?)`, target), want, 1, 3, 3)
		equal(t, "order", ask(t, ordered, target), 5000, 5000, 0)
	}
	const schema = `SELECT string_agg(name || ':' || type || ':' || coalesce(logical_type, ''), ' ' ORDER BY name) FROM parquet_schema(?) WHERE name IN ('id', 'timestamp', 'properties', 'name')`
	const logical, portable = "id:FIXED_LEN_BYTE_ARRAY:UUIDType() name:BYTE_ARRAY: properties:BYTE_ARRAY:JsonType()", "id:BYTE_ARRAY: name:BYTE_ARRAY: properties:BYTE_ARRAY: "
	for layout, want := range map[*export.Layout]string{
		{}: portable, {Types: export.Portable}: portable, {UUID: "string"}: portable, {Types: export.Logical}: logical, {UUID: "uuid"}: logical,
	} {
		target := filepath.Join(t.TempDir(), "a.parquet")
		f.mustExport(export.Options{Target: target, Layout: *layout})
		got := ask(t, schema, target)[0]
		if !strings.Contains(got, want) || !strings.Contains(got, "isAdjustedToUTC=1") || !strings.Contains(got, "MICROS=MicroSeconds") {
			t.Errorf("%s, want %s", got, want)
		}
		equal(t, "ids", ask(t, "SELECT count(DISTINCT id::UUID) FROM read_parquet(?)", target), 5000)
	}
}

func TestFormulaSafe(t *testing.T) {
	f := newFixture(t)
	e := storetest.Event(0)
	e.Type, e.Name, e.Browser = "=1+1", sql.NullString{String: "@SUM(1)", Valid: true}, sql.NullString{String: "a=1", Valid: true}
	e.DeviceType = sql.NullString{String: "\t=1", Valid: true}
	f.commit(model.Done, []model.Event{e})
	target := filepath.Join(t.TempDir(), "a.csv")
	for safe, want := range map[bool]string{true: "'=1+1,'@SUM(1),", false: "=1+1,@SUM(1),"} {
		f.mustExport(export.Options{Target: target, Force: true, Layout: export.Layout{Format: export.CSV, Safe: safe}})
		if text := read(t, target); !strings.Contains(text, ","+want) || !strings.Contains(text, ",a=1,") || strings.Contains(text, "'\t=1") != safe {
			t.Errorf("%v: %s", safe, text)
		}
	}
	f.mustExport(export.Options{Target: target, Force: true, Selection: export.Selection{Query: `SELECT -1 AS n, -1.5 AS d, '-1' AS "=t", NULL::VARCHAR AS e`}, Layout: export.Layout{Format: export.CSV, Safe: true}})
	if text := read(t, target); text != "n,d,'=t,e\n-1,-1.5,'-1,\n" {
		t.Errorf("%q", text)
	}
	f.mustExport(export.Options{Target: target, Force: true, Layout: export.Layout{Format: export.CSV, Safe: true}, Selection: export.Selection{
		Query: `SELECT unnest(['=', '+', '-', '@', chr(9), chr(10), chr(13), chr(0), '＝', '＋', '－', '＠', '', 'a', 'é']) || '1' AS "＝t"`}})
	if text := read(t, target); strings.Count(text, "'") != 13 || !strings.HasPrefix(text, "'＝t\n") || !strings.HasSuffix(text, "'＠1\n1\na1\né1\n") {
		t.Errorf("%q", text)
	}
}

// Rows keep their order with --csv-safe, also where several threads write.
func TestFormulaSafeKeepsTheOrder(t *testing.T) {
	f := database(t, 400_000)
	var texts [2]string
	for i := range texts {
		target := filepath.Join(t.TempDir(), "a.csv")
		f.mustExport(export.Options{Target: target, Layout: export.Layout{Format: export.CSV, Safe: i == 1}})
		texts[i] = read(t, target)
	}
	if texts[0] != texts[1] {
		t.Error("without a formula in it, a file is the same with --csv-safe")
	}
}

func TestCompression(t *testing.T) {
	f := database(t, 500)
	for _, format := range []export.Format{export.CSV, export.JSONLines} {
		plain := filepath.Join(t.TempDir(), "a")
		f.mustExport(export.Options{Target: plain, Layout: export.Layout{Format: format}})
		for name, compression := range map[string]string{"a.gz": "", "a.ZST": "", "b": "gzip", "c.gz": "zstd", "d.gz": "none"} {
			target := filepath.Join(t.TempDir(), name)
			f.mustExport(export.Options{Target: target, Layout: export.Layout{Format: format, Compression: compression}})
			want := map[string]string{"a.gz": "gzip", "a.ZST": "zstd", "b": "gzip", "c.gz": "zstd", "d.gz": "none"}[name]
			magic := map[string]string{"gzip": "\x1f\x8b", "zstd": "\x28\xb5\x2f\xfd", "none": read(t, plain)}[want]
			if text := read(t, target); !strings.HasPrefix(text, magic) {
				t.Errorf("%s: %q", name, text[:10])
			}
			equal(t, name, ask(t, fmt.Sprintf("SELECT count(*) FROM read_csv('%s', compression = '%s', header = false, columns = {'line': 'VARCHAR'}, delim = chr(1), quote = '', escape = '')", target, want)),
				500+map[export.Format]int{export.CSV: 1}[format])
		}
	}
}

func TestIncompletePull(t *testing.T) {
	f := newFixture(t)
	f.commit(model.UnderWay, series(0, 5))
	result := f.mustExport(export.Options{Target: filepath.Join(t.TempDir(), "a.parquet")})
	if result.Pull.Complete || result.Rows != 5 || result.Pull.Status.Windows[0].State != model.UnderWay {
		t.Errorf("%+v", result)
	}
}

// TestOlderFile: a file of the first schema has no status, so the missing events are unknown.
func TestOlderFile(t *testing.T) {
	script, err := os.ReadFile("../internal/store/migrations/0001_init.sql")
	if err != nil {
		t.Fatal(err)
	}
	f := newFixture(t)
	db, err := sql.Open("duckdb", f.path)
	if err != nil {
		t.Fatal(err)
	}
	_, err = db.Exec(string(script) + `; INSERT INTO meta VALUES ('application', 'datasync'), ('schema_version', '1'), ('origin', 'http://old.test:80');
		INSERT INTO events (id, session_id, type, "timestamp", batch) SELECT uuid(), uuid(), 'click', make_timestamptz(n), 1 FROM range(1, 500) r(n);
		INSERT INTO checkpoint SELECT 1, 'done', make_timestamptz(500), NULL, NULL, NULL, NULL, NULL, 1, 499, 499, 499, false, now();
		INSERT INTO page_log SELECT 1, uuid(), 1, 'events', NULL, NULL, NULL, make_timestamptz(499), NULL, make_timestamptz(1), NULL, 499, 499, 0, 0, 0, false`)
	if err := errors.Join(err, db.Close()); err != nil {
		t.Fatal(err)
	}
	target := filepath.Join(t.TempDir(), "a")
	result := f.mustExport(export.Options{Target: target, Layout: export.Layout{PartitionBy: []string{"day"}}})
	if !result.Pull.Complete || result.Pull.Status != nil || result.Pull.Origin != "http://old.test:80" {
		t.Errorf("%+v", result)
	}
	if m := checkFolder(t, target, 499); !m.Complete || m.Missing != nil {
		t.Errorf("%+v", m)
	}
}

func TestFailedExportKeepsTarget(t *testing.T) {
	f := database(t, 5000)
	for _, layout := range []export.Layout{{}, {Format: export.CSV}, {PartitionBy: []string{"type"}}} {
		folder := t.TempDir()
		target := filepath.Join(folder, "a")
		opts := export.Options{Target: target, Layout: layout, Force: true, Database: f.path, Keep: dbfile.FilesOf(f.path)}
		f.mustExport(opts)
		before := tree(t, folder)
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		if _, err := export.Run(ctx, opts); !errors.Is(err, context.Canceled) {
			t.Errorf("ended before it began: %v", err)
		}
		opts.Query = "SELECT type, error('no ' || type) AS e FROM events"
		if _, err := f.export(opts); err == nil {
			t.Error("exported an error")
		}
		opts.Selection = export.Selection{}
		opts.Database = filepath.Join(folder, "missing.duckdb")
		if _, err := export.Run(context.Background(), opts); !errors.Is(err, dbfile.ErrMissing) {
			t.Error(err)
		}
		if after := tree(t, folder); after != before {
			t.Errorf("%s, before %s", after, before)
		}
	}
	for _, target := range []string{f.path, f.path + ".wal", f.path + ".lock", filepath.Dir(f.path) + "/./a.duckdb"} {
		before := read(t, f.path)
		if _, err := f.export(export.Options{Target: target, Force: true}); !errors.Is(err, outfile.ErrTarget) {
			t.Errorf("%s: %v", target, err)
		}
		if read(t, f.path) != before {
			t.Error("the database has changed")
		}
	}
}
