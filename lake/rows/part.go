package rows

import (
	"fmt"
	"slices"
	"strings"

	"datasync/internal/duck"
	"datasync/internal/model"
)

// Part is a range of batches, and how Write writes them to files.
type Part struct {
	// After is the batch before the first, and UpTo is the last.
	After, UpTo int64
	// Columns are the columns of the files, in order.
	Columns []Column
	// UUIDs is the Iceberg type of ids: string or uuid.
	UUID UUIDType
	// PartitionBy is the partitioning of the files.
	PartitionBy Partitioning
	// FileRows is the greatest number of rows in a file, unless more have the same instant; 0 means
	// DefaultFileRows.
	FileRows int64
	// Name returns the slash-separated path of a file below the staging folder, for its day, as in File,
	// and its unique number. nil gives NUMBER.parquet.
	Name func(day string, n int) string
	// Wrote receives the number of rows of each written file. One goroutine at a time calls it. nil is
	// allowed.
	Wrote func(rows int64)
}

// DefaultFileRows is the default of Part.FileRows, about 50 MB. One sort takes all rows of a file.
const DefaultFileRows = 1_000_000

// UUIDType is the Iceberg type of UUIDs.
type UUIDType string

// The zero value means UUIDAsString.
const (
	UUIDAsString UUIDType = "string"
	UUIDAsUUID   UUIDType = "uuid"
)

// Partitioning divides rows into files.
type Partitioning string

// The zero value means ByDay.
const (
	// ByDay writes separate files for each day in UTC.
	ByDay         Partitioning = "day"
	Unpartitioned Partitioning = "none"
)

// Column is a column of the files.
type Column struct {
	// Name is the column's name in table events or rejected_events, or OriginColumn.
	Name string
	// As is the column's name in the files, and ID its Iceberg field id.
	As string
	ID int
}

// OriginColumn is the name of the column for the API's origin, which the tables of a file lack.
const OriginColumn = "origin"

// File is a file that Write wrote.
type File struct {
	// Path is absolute.
	Path string
	// Day is the day of all rows, such as 2026-01-31, and Days the same day as a count from 1970-01-01. Day
	// is "" for files without partitions.
	Day  string
	Days int32
	// Rows and Bytes are the file's size.
	Rows, Bytes int64
}

// ErrColumn says that a file cannot have a column.
var ErrColumn = model.NewFailure(model.ExitError, "lake", "unusable column")

// ErrInfinite says that an event's instant is infinity, which other programs cannot read.
var ErrInfinite = model.NewFailure(model.ExitData, "unsound", "an instant is infinite")

// kind is the conversion of a column.
type kind int

const (
	plain  kind = iota // unchanged
	uuids              // text or a UUID
	asText             // JSON, without Parquet's type for it
)

// eventKinds has the columns of table events, and rejectKinds the columns of rejected_events.
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

// expressions returns the SELECT list for rows with the alias e, and COPY's list of field ids. It fails
// with ErrColumn.
func (p *Part) expressions(kinds map[string]kind, origin string) (list, ids string, err error) {
	var lists, fields []string
	for i, c := range p.Columns {
		known, ok := kinds[c.Name]
		if !ok && c.Name != OriginColumn {
			return "", "", fmt.Errorf("%w: the file has no column %q", ErrColumn, c.Name)
		}
		if c.As == "" || slices.ContainsFunc(p.Columns[:i], func(other Column) bool { return strings.EqualFold(other.As, c.As) || other.ID == c.ID }) {
			return "", "", fmt.Errorf("%w: %q has no name or id, or those of another column", ErrColumn, c.As)
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

// identifier quotes a name for SQL.
func identifier(s string) string { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }

// condition is the SQL condition for the part's rows, given the column with their batch.
func (p *Part) condition(column string) string { return batches(column, p.After, p.UpTo) }
