package rows

import (
	"context"
	"fmt"

	"datasync/internal/duck"
	"datasync/internal/inspect"
)

// UpTo returns how many events the batches up to one have, and their checksum as in the page log, added up
// modulo 2^63. If the page log has as many events, the checksum is that of the page log: datasync verify compares
// it with each event, which takes long.
func (s *Source) UpTo(ctx context.Context, batch int64) (rows, checksum int64, err error) {
	return s.Between(ctx, 0, batch)
}

// Between is UpTo for the batches after one, up to another one.
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

// Count returns how many events the batches after one have, up to another one.
func (s *Source) Count(ctx context.Context, after, upTo int64) (int64, error) {
	return s.count(ctx, "main.events", "batch", after, upTo)
}

// MaxRows is the size of a commit: the number of events in it, if no batch has more.
const MaxRows = 5_000_000

// Cuts divides the batches after one, up to another one, into parts of at most maxRows events each, unless a
// batch alone has more. It returns the last batch of each part; the last one is upTo. There is none if no
// batch is left.
func (s *Source) Cuts(ctx context.Context, after, upTo, maxRows int64) ([]int64, error) {
	return s.cuts(ctx, "main.events", "batch", after, upTo, maxRows)
}

// batches is the condition that a column is one of the batches after one, up to another one.
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

// numbers calls yield with each row of a query of BIGINT columns. NULL is 0. The slice is used again.
func (s *Source) numbers(ctx context.Context, query string, columns int, yield func([]int64)) error {
	values := make([]int64, columns)
	return s.failed(s.session.Rows(ctx, query, nil, func(r *duck.Result, row int) {
		for i := range values {
			values[i], _ = r.Int64(i, row)
		}
		yield(values)
	}))
}
