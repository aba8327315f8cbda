package export_test

import (
	"database/sql"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"datasync/export"
)

var benchDB = flag.String("db", "", "database to time exports of; else one of 300,000 events is made")

// BenchmarkAgainstCopy times exports in turn with DuckDB's COPY with all defaults. The metric x is
// the ratio of the medians, which is more reliable than either on a busy machine.
func BenchmarkAgainstCopy(b *testing.B) {
	f := &fixture{t: b, path: *benchDB}
	if f.path == "" {
		f = database(b, 300_000)
	}
	const sorted = `SELECT * FROM events ORDER BY "timestamp", id`
	for _, tc := range []struct {
		name   string
		layout export.Layout
		copied string
	}{
		{"parquet", export.Layout{}, "COPY (" + sorted + ") TO '%s' (FORMAT parquet, COMPRESSION zstd)"},
		{"parquet-to-unsorted", export.Layout{}, "COPY events TO '%s' (FORMAT parquet, COMPRESSION zstd)"},
		{"csv", export.Layout{Format: export.CSV}, "COPY events TO '%s' (FORMAT csv)"},
		{"jsonl", export.Layout{Format: export.JSONLines}, "COPY events TO '%s' (FORMAT json)"},
		{"day", export.Layout{PartitionBy: []string{"day"}}, `COPY (SELECT *, CAST("timestamp" AS DATE) AS day FROM events ORDER BY "timestamp", id) TO '%s' (FORMAT parquet, COMPRESSION zstd, PARTITION_BY (day))`},
		{"day-type", export.Layout{PartitionBy: []string{"day", "type"}}, `COPY (SELECT *, CAST("timestamp" AS DATE) AS day FROM events ORDER BY "timestamp", id) TO '%s' (FORMAT parquet, COMPRESSION zstd, PARTITION_BY (day, type))`},
	} {
		b.Run(tc.name, func(b *testing.B) {
			target := filepath.Join(b.TempDir(), "a")
			var ours, theirs []time.Duration
			took := func(do func()) time.Duration {
				if err := os.RemoveAll(target); err != nil {
					b.Fatal(err)
				}
				began := time.Now()
				do()
				return time.Since(began)
			}
			for b.Loop() {
				ours = append(ours, took(func() { f.mustExport(export.Options{Target: target, Layout: tc.layout}) }))
				theirs = append(theirs, took(func() { copyByDuckDB(b, f.path, fmt.Sprintf(tc.copied, target)) }))
			}
			slices.Sort(ours)
			slices.Sort(theirs)
			median := func(d []time.Duration) float64 { return d[len(d)/2].Seconds() }
			b.ReportMetric(median(ours), "ours-s")
			b.ReportMetric(median(theirs), "copy-s")
			b.ReportMetric(median(ours)/median(theirs), "x")
			b.ReportMetric(0, "ns/op")
		})
	}
}

func copyByDuckDB(b *testing.B, path, statement string) {
	b.Helper()
	db, err := sql.Open("duckdb", path+"?access_mode=read_only")
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if _, err := db.Exec("SET TimeZone = 'UTC'"); err != nil {
		b.Fatal(err)
	}
	if _, err := db.Exec(statement); err != nil {
		b.Fatal(err)
	}
}
