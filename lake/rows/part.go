package rows

import (
	"fmt"
	"slices"
	"strings"

	"datasync/internal/duck"
	"datasync/internal/model"
)

// Part is the batches that Write writes to files.
type Part struct {
	// After is the batch before the first one, and UpTo is the last one.
	After, UpTo int64
	// Columns are those of the files, in this order.
	Columns []Column
	// UUIDs says that ids have Iceberg's type uuid, else string.
	UUID UUIDType
	// PartitionBy says how rows are divided into files.
	PartitionBy Partitioning
	// FileRows is how many rows a file has at most, unless more have the same instant; 0 is DefaultFileRows.
	FileRows int64
	// Name returns the path of a file below the staging folder, with slashes, by its day as in File and its
	// number. Each number occurs once. nil names it NUMBER.parquet.
	Name func(day string, n int) string
	// Wrote is called with the number of rows of each file that was written, by one goroutine at a time. nil
	// is allowed.
	Wrote func(rows int64)
}

// DefaultFileRows is the default of Part.FileRows: some 50 MB. A file's rows are sorted at once.
const DefaultFileRows = 1_000_000

// UUIDType is how UUIDs are written.
type UUIDType string

// The types of UUIDs. The zero value means UUIDAsString.
const (
	UUIDAsString UUIDType = "string"
	UUIDAsUUID   UUIDType = "uuid"
)

// Partitioning is how rows are divided into files.
type Partitioning string

// The partitionings. The zero value means ByDay.
const (
	// ByDay gives each day in UTC files of its own.
	ByDay         Partitioning = "day"
	Unpartitioned Partitioning = "none"
)

// Column is a column of the files.
type Column struct {
	// Name is the column's name in table events or rejected_events, or OriginColumn.
	Name string
	// As is its name in the files, and ID its Iceberg field id.
	As string
	ID int
}

// OriginColumn is a column with the origin of the API, which the tables of a file do not have.
const OriginColumn = "origin"

// File is a file that Write has written.
type File struct {
	// Path is absolute.
	Path string
	// Day is the day of all rows, such as 2026-01-31, and Days the same day counted from 1970-01-01. Day is
	// "" for files that have no day of their own.
	Day  string
	Days int32
	// Rows and Bytes are its size.
	Rows, Bytes int64
}

// ErrColumn means that a file cannot have a column.
var ErrColumn = model.NewFailure(model.ExitError, "lake", "unusable column")

// ErrInfinite means that an event's instant is infinity, which no other program can read.
var ErrInfinite = model.NewFailure(model.ExitData, "unsound", "an instant is infinite")

// kind is how a column is written.
type kind int

const (
	plain  kind = iota // as it is
	uuids              // text or a UUID
	asText             // JSON, without Parquet's type for it
)

// eventKinds are the columns of table events, and rejectKinds those of rejected_events.
var (
	eventKinds = map[string]kind{
		"id": uuids, "session_id": uuids, "user_id": uuids, "type": plain, "name": plain, "timestamp": plain,
		"properties": asText, "device_type": plain, "browser": plain, "extra": asText, "batch": plain,
	}
	rejectKinds = map[string]kind{
		"reject_key": plain, "raw": plain, "reason": plain, "id": uuids, "endpoint": plain, "timestamp": plain,
		"batch": plain, "resolved": plain, "resolved_batch": plain,
	}
)

// expressions returns the SELECT list of the files, where rows are known as e, and COPY's list of field ids.
// It fails with ErrColumn.
func (p *Part) expressions(kinds map[string]kind, origin string) (list, ids string, err error) {
	var lists, fields []string
	for i, c := range p.Columns {
		known, ok := kinds[c.Name]
		if !ok && c.Name != OriginColumn {
			return "", "", fmt.Errorf("%w: the file has no column %q", ErrColumn, c.Name)
		}
		if c.As == "" || slices.ContainsFunc(p.Columns[:i], func(other Column) bool { return strings.EqualFold(other.As, c.As) || other.ID == c.ID }) {
			return "", "", fmt.Errorf("%w: %q has the name or the id of another one, or none", ErrColumn, c.As)
		}
		lists = append(lists, p.expression(c.Name, known, origin)+" AS "+identifier(c.As))
		fields = append(fields, fmt.Sprintf("%s: %d", identifier(c.As), c.ID))
	}
	return strings.Join(lists, ", "), "{" + strings.Join(fields, ", ") + "}", nil
}

func (p *Part) expression(name string, k kind, origin string) string {
	column := "e." + identifier(name)
	switch {
	case name == OriginColumn:
		return duck.Quote(origin)
	case k == asText, k == uuids && p.UUID != UUIDAsUUID:
		return "CAST(" + column + " AS VARCHAR)"
	}
	return column
}

// identifier is a quoted name in SQL.
func identifier(s string) string { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }

// condition is the rows of the part, by the column with their batch.
func (p *Part) condition(column string) string { return batches(column, p.After, p.UpTo) }
