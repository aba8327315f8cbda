package export

import (
	"cmp"
	"database/sql"
	"io"
	"slices"
	"strings"

	"datasync/internal/human"
	"datasync/internal/model"
)

// Options say what to export, and where to.
type Options struct {
	// Database is the file to read.
	Database string
	// Keep lists files that no export replaces, such as those of the database.
	Keep []string
	// Target is the file or folder to write, unless Stdout is set.
	Target string
	// Stdout, if not nil, receives the bytes of a single file. Parquet is refused there.
	Stdout io.Writer
	// Scratch is the folder for DuckDB's temporary data if there is no target.
	Scratch string
	// Force allows an existing target to be replaced.
	Force bool
	// Incremental makes the target a folder, and adds to it the batches that were committed
	// since the last export there.
	Incremental bool

	Selection
	Layout
	// MemoryLimit bounds DuckDB's buffers, in bytes; 0 is DefaultMemory.
	MemoryLimit int64
	// Progress, if not nil, reports how far the export is.
	Progress *Progress
	// Tool is the program's name and version, for the manifest.
	Tool string
}

// Selection says which rows to export.
type Selection struct {
	// Query is a SELECT whose rows are exported instead of events.
	Query string
	// Where is an SQL condition that events must meet.
	Where string
	// Since and Until bound the instants of events: Since is inclusive, Until exclusive.
	Since, Until sql.Null[model.Instant]
}

// Layout says how the rows are written.
type Layout struct {
	Format Format
	// Compression is one of the format's. Empty is the default: zstd for Parquet; for the
	// others what the target's extension says, else none.
	Compression string
	// RowGroup is the number of rows in a row group of Parquet; 0 is DefaultRowGroup.
	RowGroup int64
	// Types is the set of types in Parquet. If it is empty, UUID selects the set by an older name:
	// "uuid" for Logical, "string" for Portable.
	Types Types
	UUID  string
	// Safe puts ' before texts in CSV that a spreadsheet could take for a formula.
	Safe bool
	// Excel makes CSV that Excel opens directly: with a byte order mark and local times, and with '
	// before texts that Excel would run or change.
	Excel bool
	// Delimiter separates the fields of CSV; 0 is a comma.
	Delimiter byte
	// Timezone is the zone of days to partition by, and of times for Excel. Empty is UTC.
	Timezone string
	// PartitionBy lists columns, or day, month, year or hour. Rows with the same values share
	// a folder.
	PartitionBy []string
	// FileSize is the approximate size of each file of a folder, in bytes; 0 is unbounded.
	FileSize int64
}

// Result says what an export wrote.
type Result struct {
	Rows, Bytes, Files int64
	// Longest is the number of rows in the longest file.
	Longest int64
	// Empty names a partition column that has empty texts, or is empty. Spark refuses the folder of
	// such a text.
	Empty string
	// UpToDate says that an incremental export had nothing to add.
	UpToDate bool
	// Broken says that the reader of Stdout closed it before the end.
	Broken bool
	// Pull is the state of the pull that committed the events.
	Pull Pull
}

const (
	// DefaultMemory bounds DuckDB's buffers by default, in bytes: sorting 3,000,000 events
	// takes no longer than with unlimited memory.
	DefaultMemory = 850_000_000
	// DefaultRowGroup is the default number of rows in a row group.
	DefaultRowGroup = 122_880

	minRowGroup = 2048 // rows: DuckDB does not split its vectors
	minFileSize = 1_000_000
)

// timeLayout is RFC 3339 in UTC, for instants in CSV, JSON Lines and manifests.
const timeLayout = "2006-01-02T15:04:05.999999Z07:00"

// IsFolder reports whether the options ask for a folder of files.
func (o *Options) IsFolder() bool {
	return o.Incremental || len(o.PartitionBy) > 0 || o.FileSize > 0
}

// complete validates the options and fills in defaults. It fails with ErrOptions.
func (o *Options) complete() error {
	switch {
	case o.Query != "" && (o.Where != "" || o.Since.Valid || o.Until.Valid):
		return invalid("a query selects its own rows: put conditions and time bounds into it")
	case o.Since.Valid && o.Until.Valid && o.Since.V >= o.Until.V:
		return invalid("the end %s is not after the beginning %s", o.Until.V.Time().Format(timeLayout), o.Since.V.Time().Format(timeLayout))
	case o.Query != "" && o.Incremental:
		return invalid("a query cannot be exported incrementally, as its new rows cannot be told from its old ones")
	case o.Stdout != nil && o.IsFolder():
		return invalid("a folder cannot be written to stdout")
	case o.Stdout != nil && o.Format == Parquet:
		return invalid("Parquet cannot be written to stdout: name a file")
	}
	o.MemoryLimit = cmp.Or(o.MemoryLimit, DefaultMemory)
	return o.Layout.complete(o.Target)
}

// complete validates the layout and fills in defaults. It fails with ErrOptions.
func (l *Layout) complete(target string) error {
	if l.Format != Parquet && l.RowGroup != 0 {
		return invalid("row groups are for Parquet")
	}
	if err := l.completeTypes(); err != nil {
		return err
	}
	switch {
	case l.Format == CSV:
	case l.Safe:
		return invalid("formulas can only be a danger in CSV")
	case l.Excel:
		return invalid("Excel opens CSV, and no other format of an export")
	case l.Delimiter != 0:
		return invalid("a delimiter is for CSV")
	}
	if l.Timezone == "UTC" {
		l.Timezone = ""
	}
	l.Safe = l.Safe || l.Excel
	if l.Compression == "" && l.Format != Parquet {
		l.Compression = compressionOf(target)
	}
	known := l.Format.Compressions()
	if l.Compression = cmp.Or(l.Compression, known[0]); !slices.Contains(known, l.Compression) {
		return invalid("unknown compression %q for %s: use one of %s", l.Compression, l.Format, strings.Join(known, ", "))
	}
	if l.Excel && l.Compression != "none" {
		return invalid("Excel opens no compressed file: name it without .gz or .zst")
	}
	if l.RowGroup = cmp.Or(l.RowGroup, DefaultRowGroup); l.RowGroup < minRowGroup {
		return invalid("a row group of %s is too small: the minimum is %s", human.Counted(l.RowGroup, "row"), human.Thousands(minRowGroup))
	}
	if l.FileSize != 0 && l.FileSize < minFileSize {
		return invalid("a file size of %s is too small: the minimum is %s", human.Counted(l.FileSize, "byte"), human.Thousands(minFileSize))
	}
	return nil
}
