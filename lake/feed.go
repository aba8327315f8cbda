package lake

import (
	"context"
	"slices"

	"datasync/lake/rows"

	"github.com/apache/iceberg-go/table"
)

// feed has the rows of a file for one table, in batches.
type feed struct {
	name    table.Identifier
	columns []column
	// by is the default partitioning of a new table.
	by rows.Partitioning
	source
	// lazy delays the creation of the table until it has a row.
	lazy bool
}

// source reads the rows of a feed. A range of batches excludes the first argument and includes the second.
type source interface {
	// UpTo returns the number of rows in the batches up to one, and their checksum modulo 2^63.
	UpTo(ctx context.Context, batch int64) (rows, checksum int64, err error)
	// Between is UpTo for a range of batches.
	Between(ctx context.Context, after, upTo int64) (rows, checksum int64, err error)
	// Count returns the number of rows in a range of batches.
	Count(ctx context.Context, after, upTo int64) (int64, error)
	// Cuts divides a range into parts of at most maxRows rows. A larger batch is a part by itself.
	Cuts(ctx context.Context, after, upTo, maxRows int64) ([]int64, error)
	// Write writes a part to files.
	Write(ctx context.Context, part rows.Part) ([]rows.File, error)
}

// feedsOf returns the feeds of a file: its events, and its rejects, which have a table of their own.
func feedsOf(s *rows.Source, name table.Identifier) []feed {
	rejected := slices.Clone(name)
	rejected[len(name)-1] += "_rejected"
	return []feed{
		{name: name, columns: eventColumns, by: rows.ByDay, source: s},
		{name: rejected, columns: rejectColumns, by: rows.Unpartitioned, source: s.Rejects(), lazy: true},
	}
}
