package rows

import (
	"context"
	"fmt"

	"datasync/internal/duck"
	"datasync/internal/inspect"
)

// UpTo returns the number of events in the batches up to one, and the sum of their checksums modulo 2^63.
// If the page log has the same number, UpTo takes the page log's checksums. Only datasync verify compares
// those with each event, because that takes long.
func (s *Source) UpTo(ctx context.Context, batch int64) (rows, checksum int64, err error) {
	return s.Between(ctx, 0, batch)
}

// Between is UpTo for the batches above after, up to and including upTo.
func (s *Source) Between(ctx context.Context, after, upTo int64) (rows, checksum int64, err error) {
	if rows, err = s.Count(ctx, after, upTo); err != nil {
		return 0, 0, err
	}
	var logged, without int64
	query := fmt.Sprintf("SELECT coalesce(sum(stored), 0)::BIGINT, count(*) FILTER (stored <> 0 AND checksum IS NULL), %s FROM page_log WHERE %s",
		inspect.ChecksumOf("coalesce(sum(checksum::HUGEINT), 0)"), batches("batch", after, upTo))
	if err := s.session.QueryRow(ctx, query, nil, &logged, &without, &checksum); err != nil || logged == rows && without == 0 {
		return rows, checksum, s.failed(err)
	}
	return s.sum(ctx, "main.events", "batch", inspect.ChecksumTerm, after, upTo)
}

// Count returns the number of events in the batches above after, up to and including upTo.
func (s *Source) Count(ctx context.Context, after, upTo int64) (int64, error) {
	return s.count(ctx, "main.events", "batch", after, upTo)
}

// MaxRows is the greatest number of events in a commit, unless one batch has more.
const MaxRows = 5_000_000

// Cuts divides the batches above after, up to upTo, into parts of at most maxRows events. A larger batch is
// a part by itself. It returns the last batch of each part, the last of which is upTo; none if no batch is
// left.
func (s *Source) Cuts(ctx context.Context, after, upTo, maxRows int64) ([]int64, error) {
	return s.cuts(ctx, "main.events", "batch", after, upTo, maxRows)
}

// batches is the SQL condition that a column is above after, and at most upTo.
func batches(column string, after, upTo int64) string {
	return fmt.Sprintf("%s > %d AND %s <= %d", column, after, column, upTo)
}

func (s *Source) sum(ctx context.Context, from, column, term string, after, upTo int64) (rows, checksum int64, err error) {
	query := fmt.Sprintf("SELECT count(*), %s FROM %s e WHERE %s", inspect.ChecksumOf("coalesce(sum("+term+"), 0)"), from, batches(column, after, upTo))
	err = s.session.QueryRow(ctx, query, nil, &rows, &checksum)
	return rows, checksum, s.failed(err)
}

func (s *Source) count(ctx context.Context, from, column string, after, upTo int64) (rows int64, err error) {
	err = s.session.QueryRow(ctx, fmt.Sprintf("SELECT count(*) FROM %s e WHERE %s", from, batches(column, after, upTo)), nil, &rows)
	return rows, s.failed(err)
}

func (s *Source) cuts(ctx context.Context, from, column string, after, upTo, maxRows int64) ([]int64, error) {
	if upTo <= after {
		return nil, nil
	}
	var cuts []int64
	var rows, last int64
	query := fmt.Sprintf("SELECT %s AS b, count(*) FROM %s e WHERE %s GROUP BY b ORDER BY b", column, from, batches(column, after, upTo))
	err := s.numbers(ctx, query, 2, func(n []int64) {
		if rows > 0 && rows+n[1] > maxRows {
			cuts, rows = append(cuts, last), 0
		}
		rows, last = rows+n[1], n[0]
	})
	return append(cuts, upTo), err
}

// numbers calls yield with each row of a query of BIGINT columns. NULL is 0. It reuses the slice.
func (s *Source) numbers(ctx context.Context, query string, columns int, yield func([]int64)) error {
	values := make([]int64, columns)
	return s.failed(s.session.Rows(ctx, query, nil, func(r *duck.Result, row int) {
		for i := range values {
			values[i], _ = r.Int64(i, row)
		}
		yield(values)
	}))
}
