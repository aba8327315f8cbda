package export

import (
	"context"
	"database/sql"
	"fmt"
	"io"

	"datasync/internal/model"
)

// ErrOptions says that what is asked for cannot be.
var ErrOptions = model.NewFailure(model.ExitUsage, "", "cannot export")

func unfit(format string, args ...any) error {
	return fmt.Errorf("%w: %w", ErrOptions, fmt.Errorf(format, args...))
}

// ErrHistory says that what was exported before is not what the database holds now, so
// that nothing can be added to it.
var ErrHistory = model.NewFailure(model.ExitData, "export-history", "cannot be added to")

// Options say what to export and where to.
type Options struct {
	// Database is the file to read.
	Database string
	// Keep are files that are never replaced, such as those of the database.
	Keep []string
	// Target is the file or folder to write, unless Stdout is set.
	Target string
	// Stdout, where it is not nil, takes what would be in the file. Parquet does not go
	// there.
	Stdout io.Writer
	// Scratch is the folder for what does not fit into memory where there is no target.
	Scratch string
	// Force says that an existing target is replaced.
	Force bool
	// Incremental says that the target is a folder, and that the batches are added to it
	// which came since the last export there.
	Incremental bool

	Selection
	Layout
	// MemoryLimit bounds DuckDB's buffers, in bytes; 0 is DefaultMemory.
	MemoryLimit int64
	// Progress, where it is not nil, says how far the export is.
	Progress *Progress
	// Tool is the program's name and version, for the manifest.
	Tool string
}

// Selection says which rows.
type Selection struct {
	// Query is a SELECT whose rows are exported instead of events.
	Query string
	// Where is a condition in SQL that events must meet.
	Where string
	// Since and Until bound the instants of events: from Since on, and before Until.
	Since, Until sql.Null[model.Instant]
}

// Layout says how the rows are laid out.
type Layout struct {
	Format Format
	// Compression is one of the format's; empty is its default: zstd for Parquet, none
	// for the others, or what the target's ending says.
	Compression string
	// RowGroup is how many rows a row group of Parquet has; 0 is DefaultRowGroup.
	RowGroup int64
	// UUIDText says that Parquet has UUIDs as strings.
	UUIDText bool
	// Safe says that texts in CSV which a spreadsheet could take for a formula begin with
	// a quotation mark.
	Safe bool
	// PartitionBy are columns, or day, month, year or hour, by whose values the rows are
	// spread over folders.
	PartitionBy []string
	// FileSize is about how many bytes a file in a folder has; 0 does not bound it.
	FileSize int64
}

// DefaultMemory bounds DuckDB's buffers where nothing else is said, in bytes: sorting
// 3,000,000 events takes no longer than with all the memory there is.
const DefaultMemory = 850_000_000

// DefaultRowGroup is how many rows a row group has where nothing else is said.
const DefaultRowGroup = 122_880

// Result says what was written.
type Result struct {
	Rows, Bytes, Files int64
	// UpToDate says that there was nothing to add.
	UpToDate bool
	// Broken says that the reader of Stdout has gone before the end.
	Broken bool
	// Pull says how far the pull is whose events these are.
	Pull Pull
}

// isFolder reports whether the target is one.
func (o *Options) isFolder() bool {
	return o.Incremental || len(o.PartitionBy) > 0 || o.FileSize > 0
}

// Run exports. It fails with ErrOptions, ErrHistory, outfile.ErrTarget, owned.ErrNot, or an error of
// store.OpenSession; the target is then as it was.
func Run(ctx context.Context, opts Options) (Result, error) {
	if err := opts.complete(); err != nil {
		return Result{}, err
	}
	switch {
	case opts.Stdout != nil:
		return toStdout(ctx, &opts)
	case opts.Incremental:
		return incremental(ctx, &opts)
	case opts.isFolder():
		return toFolder(ctx, &opts)
	}
	return toFile(ctx, &opts)
}

// complete checks the options and fills in defaults.
func (o *Options) complete() error {
	switch {
	case o.Query != "" && (o.Where != "" || o.Since.Valid || o.Until.Valid):
		return unfit("a query selects its rows itself: put conditions and bounds in time into it")
	case o.Since.Valid && o.Until.Valid && o.Since.V >= o.Until.V:
		return unfit("the end %s is not after the beginning %s", o.Until.V.Time().Format(timeLayout), o.Since.V.Time().Format(timeLayout))
	case o.Query != "" && o.Incremental:
		return unfit("a query cannot be exported incrementally, as nobody knows which of its rows are new")
	case o.Stdout != nil && o.isFolder():
		return unfit("a folder cannot be written to stdout")
	case o.Stdout != nil && o.Format == Parquet:
		return unfit("Parquet cannot be written to stdout: name a file")
	case o.MemoryLimit == 0:
		o.MemoryLimit = DefaultMemory
	}
	return o.Layout.complete(o.Target)
}
