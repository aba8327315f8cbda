package app

import (
	"strings"
	"testing"

	"datasync/export"
)

// TestEndings: a target whose ending contradicts its format is refused, and the error suggests a
// valid one.
func TestEndings(t *testing.T) {
	parquet, jsonLines := export.Layout{Format: export.Parquet}, export.Layout{Format: export.JSONLines}
	csv, tabs, zstd := export.Layout{Format: export.CSV}, export.Layout{Format: export.CSV, Delimiter: '\t'}, export.Layout{Format: export.CSV, Compression: "zstd"}
	folder := export.Layout{Format: export.CSV, Compression: "zstd", PartitionBy: []string{"day"}}
	for _, tc := range []struct {
		target string
		layout export.Layout
		want   string // empty if the name is valid
	}{
		{"a.parquet", parquet, ""},
		{"a.PQ", parquet, ""},
		{"a", parquet, ""},
		{"a.2026", parquet, ""},
		{"a.csv/b", parquet, ""},
		{".csv", csv, ""},
		{"a.csv", csv, ""},
		{"a.csv.gz", csv, ""},
		{"a.txt", csv, ""},
		{"a.tsv", tabs, ""},
		{"a.csv", tabs, ""},
		{"a.csv.zst", zstd, ""},
		{"a", zstd, ""},
		{"lake.csv", folder, ""},
		{"a.jsonl.GZ", jsonLines, ""},
		{"a.ndjson", jsonLines, ""},
		{"a.json", jsonLines, ""},
		{"dir.x/a.csv", parquet, "use --csv dir.x/a.csv, or name it dir.x/a.parquet"},
		{"lake.csv/", parquet, "use --csv lake.csv, or name it lake.parquet"},
		{"a.jsonl", csv, "use --jsonl a.jsonl, or name it a.csv"},
		{"a.json", csv, "use --jsonl a.jsonl, or name it a.csv"},
		{"a.csv.gz", jsonLines, "use --csv a.csv.gz, or name it a.jsonl.gz"},
		{"a.parquet.zst", csv, "use --parquet a.parquet, or name it a.csv.zst"},
		{"a.tsv", csv, "add --delimiter tab, or name it a.csv"},
		{"a.tsv", parquet, "writes no .tsv; name it a.parquet"},
		{"a.XLSX", csv, "use --csv a.csv --excel"},
		{"a.ods", parquet, "use --csv a.csv --excel"},
		{"a.arrow", parquet, "writes no .arrow; name it a.parquet"},
		{"a.zip", csv, "writes no .zip; name it a.csv"},
		{"a.jsonl.bz2", jsonLines, "writes no .bz2; name it a.jsonl.gz or a.jsonl.zst"},
		{"a.parquet.gz", parquet, "name it a.parquet, with --compression gzip"},
		{"a.gz", parquet, "name it a.parquet, with --compression gzip"},
		{"a.csv.gz", zstd, "omit it, or name the file a.csv.zst"},
		{"a.csv", zstd, "with --compression zstd name it a.csv.zst"},
	} {
		err := checkEnding(&export.Options{Target: tc.target, Layout: tc.layout})
		if tc.want == "" && err != nil || tc.want != "" && (err == nil || !strings.Contains(err.Error(), tc.want)) {
			t.Errorf("%s %s: %v, want %q", tc.layout.Format, tc.target, err, tc.want)
		}
	}
}
