package rows

import (
	"context"
	"fmt"
)

// Rejects reads the rejects of a file as append-only rows: one for each reject, and another when it is
// resolved. The latter has only reject_key, batch, resolved and resolved_batch. Rejects has the methods of
// Source.
type Rejects struct{ source *Source }

// Rejects returns the rejects of the file.
func (s *Source) Rejects() Rejects { return Rejects{s} }

// rejectRows is the SQL of the rows. The column added is the batch that adds a row: batch, or
// resolved_batch in the row of a resolved reject.
const rejectRows = `(SELECT reject_key, raw, reason, id, endpoint, "timestamp", batch, false AS resolved, NULL::BIGINT AS resolved_batch, batch AS added FROM main.rejected_events
	UNION ALL SELECT reject_key, NULL, NULL, NULL, NULL, NULL, batch, true, coalesce(resolved_batch, batch), coalesce(resolved_batch, batch) FROM main.rejected_events WHERE resolved)`

// rejectTerm is a row's term of the checksum. It uses MD5, because DuckDB's hash may change between
// versions.
const rejectTerm = `(('0x' || left(md5(reject_key || ' ' || added::VARCHAR || ' ' || resolved::VARCHAR), 12))::BIGINT)::HUGEINT`

// UpTo returns the number of rows in the batches up to one, and their checksum.
func (r Rejects) UpTo(ctx context.Context, batch int64) (rows, checksum int64, err error) {
	return r.Between(ctx, 0, batch)
}

// Between is UpTo for the batches above after, up to and including upTo.
func (r Rejects) Between(ctx context.Context, after, upTo int64) (rows, checksum int64, err error) {
	return r.source.sum(ctx, rejectRows, "added", rejectTerm, after, upTo)
}

// Count returns the number of rows in the batches above after, up to and including upTo.
func (r Rejects) Count(ctx context.Context, after, upTo int64) (int64, error) {
	return r.source.count(ctx, rejectRows, "added", after, upTo)
}

// Cuts divides batches into parts, as Source.Cuts does.
func (r Rejects) Cuts(ctx context.Context, after, upTo, maxRows int64) ([]int64, error) {
	return r.source.cuts(ctx, rejectRows, "added", after, upTo, maxRows)
}

// Write writes the rows of a part to Parquet files, as Source.Write does. It sorts them by batch and key.
// The part must be Unpartitioned, because a reject may have no instant.
func (r Rejects) Write(ctx context.Context, part Part) ([]File, error) {
	list, ids, err := part.expressions(rejectKinds, r.source.Meta().Origin)
	if err != nil {
		return nil, err
	}
	if part.PartitionBy != Unpartitioned {
		return nil, fmt.Errorf("%w: rejects are not partitioned", ErrColumn)
	}
	w := &writer{source: r.source, part: part, from: rejectRows + " e", where: part.condition("e.added"), order: "e.added, e.reject_key, e.resolved",
		list: list, ids: ids, by: byBatch}
	return w.write(ctx)
}
