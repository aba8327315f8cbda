package lake

import (
	"context"
	"slices"

	"datasync/lake/rows"

	"github.com/apache/iceberg-go/table"
)

// feed is the rows of a file that go to one table, in batches.
type feed struct {
	name    table.Identifier
	columns []column
	// by is how a new table is partitioned if the plan does not say.
	by rows.Partitioning
	source
	// lazy says that the table is created with its first row only.
	lazy bool
}

// source reads the rows of a feed: those of the batches after one, up to another one.
type source interface {
	// UpTo returns how many rows the batches up to one have, and their checksum modulo 2^63.
	UpTo(ctx context.Context, batch int64) (rows, checksum int64, err error)
	// Between is UpTo for the batches after one, up to another one.
	Between(ctx context.Context, after, upTo int64) (rows, checksum int64, err error)
	// Count returns how many rows some batches have.
	Count(ctx context.Context, after, upTo int64) (int64, error)
	// Cuts divides batches into parts of at most maxRows rows, unless a batch alone has more.
	Cuts(ctx context.Context, after, upTo, maxRows int64) ([]int64, error)
	// Write writes batches to files.
	Write(ctx context.Context, part rows.Part) ([]rows.File, error)
}

// feedsOf returns the feeds of a file: its events, and its rejects, which go to a table beside that.
func feedsOf(s *rows.Source, name table.Identifier) []feed {
	rejected := slices.Clone(name)
	rejected[len(name)-1] += "_rejected"
	return []feed{
		{name: name, columns: eventColumns, by: rows.ByDay, source: s},
		{name: rejected, columns: rejectColumns, by: rows.Unpartitioned, source: s.Rejects(), lazy: true},
	}
}
