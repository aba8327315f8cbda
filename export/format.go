package export

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Format is a format of files.
type Format int

// The formats.
const (
	Parquet Format = iota
	CSV
	JSONLines
)

// String is the format's name in a manifest.
func (f Format) String() string { return [...]string{"parquet", "csv", "jsonl"}[f] }

// compressions are those that a format knows, the default first.
func (f Format) compressions() []string {
	if f == Parquet {
		return []string{"zstd", "snappy", "gzip", "lz4", "brotli", "none"}
	}
	return []string{"none", "gzip", "zstd"}
}

// complete checks the layout and fills in defaults; what is not said about compression,
// the target's ending says.
func (l *Layout) complete(target string) error {
	if l.Format != Parquet {
		switch {
		case l.RowGroup != 0:
			return unfit("row groups are for Parquet")
		case l.UUIDText:
			return unfit("only Parquet has UUIDs in more than one form")
		}
	}
	if l.Safe && l.Format != CSV {
		return unfit("formulas can only be a danger in CSV")
	}
	if l.Compression == "" && l.Format != Parquet {
		l.Compression = map[string]string{".gz": "gzip", ".zst": "zstd"}[ending(target)]
	}
	known := l.Format.compressions()
	if l.Compression = cmp.Or(l.Compression, known[0]); !slices.Contains(known, l.Compression) {
		return unfit("no compression %q in %s: take one of %s", l.Compression, l.Format, strings.Join(known, ", "))
	}
	if l.RowGroup = cmp.Or(l.RowGroup, DefaultRowGroup); l.RowGroup < minRowGroup {
		return unfit("a row group of %d rows is too small: %d is the least", l.RowGroup, minRowGroup)
	}
	if l.FileSize != 0 && l.FileSize < minFileSize {
		return unfit("a file size of %d bytes is too small: %d is the least", l.FileSize, minFileSize)
	}
	return nil
}

const (
	minRowGroup = 2048 // DuckDB's vectors are not divided
	minFileSize = 1_000_000
)

func ending(target string) string {
	if n := strings.LastIndexByte(target, '.'); n >= 0 {
		return strings.ToLower(target[n:])
	}
	return ""
}

// ending is that of the names of files in a folder.
func (l *Layout) ending() string {
	suffix := ""
	if l.Format != Parquet {
		suffix = map[string]string{"gzip": ".gz", "zstd": ".zst"}[l.Compression]
	}
	return "." + l.Format.String() + suffix
}

// copyTo is a COPY of rows to a path. DuckDB is kept from a temporary name of its own.
func (l *Layout) copyTo(rows, path string) string {
	options := ""
	switch l.Format {
	case Parquet:
		options = fmt.Sprintf("FORMAT parquet, ROW_GROUP_SIZE %d", l.RowGroup)
	case CSV:
		options = "FORMAT csv, HEADER true"
	case JSONLines:
		// The one column is a line already.
		options = `FORMAT csv, HEADER false, QUOTE '', ESCAPE '', DELIMITER E'\x01'`
	}
	compression := l.Compression
	if compression == "none" && l.Format == Parquet {
		compression = "uncompressed"
	}
	return fmt.Sprintf("COPY (%s) TO %s (%s, COMPRESSION %s, USE_TMP_FILE false)", rows, text(path), options, compression)
}

// text is a string in SQL.
func text(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// name is a name in SQL.
func name(s string) string { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }
