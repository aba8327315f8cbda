package rows

import (
	"cmp"
	"context"
	"fmt"
	"time"
)

// groupRows is the number of rows of small files that one sort takes.
const groupRows = 250_000

const day = int64(24 * time.Hour / time.Microsecond) // in microseconds, like all instants here

// key is a number that divides rows into files.
type key struct {
	// number is the SQL for a row's number. value is the SQL for the column's value at a number. A
	// condition compares column with values, so that DuckDB skips row groups by their statistics.
	number, column, value string
	// widths are the widths of the spans that divide rows, in descending order. Each is a multiple of the
	// next.
	widths []int64
}

// byTime divides rows by day, by minute, by 10 milliseconds and by microsecond.
var byTime = key{number: `epoch_us(e."timestamp")`, column: `e."timestamp"`, value: "make_timestamptz(%d)",
	widths: []int64{day, int64(time.Minute / time.Microsecond), 10_000, 1}}

// byBatch divides rows by batch.
var byBatch = key{number: "e.added", column: "e.added", value: "%d", widths: []int64{1}}

// between is the condition that a row's number is between first and last, both included.
func (k *key) between(first, last int64) string {
	return fmt.Sprintf("%s BETWEEN "+k.value+" AND "+k.value, k.column, first, last)
}

// piece is the part's rows for one file: those with numbers in a range.
type piece struct {
	first, last int64 // the least and the greatest number, both included
	rows        int64
}

// group is a series of pieces that one sort takes, in the order of their numbers.
type group []piece

// rows returns the number of rows in the pieces.
func (g group) rows() (n int64) {
	for _, p := range g {
		n += p.rows
	}
	return n
}

// span is the number of a span. Division in SQL rounds towards zero.
func span(number string, width int64) string {
	return fmt.Sprintf("CASE WHEN %s >= 0 THEN %s // %d ELSE -1 - (-1 - %s) // %d END", number, number, width, number, width)
}

// pieces returns a piece for each span with rows that meet a condition, in order.
func (w *writer) pieces(ctx context.Context, condition string, width int64) (all []piece, err error) {
	query := fmt.Sprintf(`SELECT %s AS s, count(*), min(n), max(n) FROM (SELECT %s AS n FROM %s WHERE %s) GROUP BY s ORDER BY s`,
		span("n", width), w.by.number, w.from, condition)
	err = w.source.numbers(ctx, query, 4, func(n []int64) {
		all = append(all, piece{first: n[2], last: n[3], rows: n[1]})
	})
	return all, err
}

// split divides a piece into pieces of at most FileRows rows. Rows with equal numbers stay together.
func (w *writer) split(ctx context.Context, p piece, widths []int64) ([]piece, error) {
	if p.rows <= w.fileRows() || len(widths) == 0 || p.first == p.last {
		return []piece{p}, nil
	}
	parts, err := w.pieces(ctx, w.where+" AND "+w.by.between(p.first, p.last), widths[0])
	if err != nil {
		return nil, err
	}
	var small []piece
	for _, part := range parts {
		divided, err := w.split(ctx, part, widths[1:])
		if err != nil {
			return nil, err
		}
		small = append(small, divided...)
	}
	return w.joined(small), nil
}

func (w *writer) fileRows() int64 { return cmp.Or(w.part.FileRows, DefaultFileRows) }

// joined joins adjacent pieces to pieces of at most FileRows rows.
func (w *writer) joined(pieces []piece) []piece {
	var all []piece
	for _, p := range pieces {
		if n := len(all); n > 0 && all[n-1].rows+p.rows <= w.fileRows() {
			all[n-1].rows, all[n-1].last = all[n-1].rows+p.rows, p.last
			continue
		}
		all = append(all, p)
	}
	return all
}

// plan divides the rows into files, and the files into groups.
func (w *writer) plan(ctx context.Context) (plan []group, err error) {
	spans, err := w.pieces(ctx, w.where, w.by.widths[0])
	if err != nil {
		return nil, err
	}
	var files []piece
	for _, p := range spans {
		divided, err := w.split(ctx, p, w.by.widths[1:])
		if err != nil {
			return nil, err
		}
		files = append(files, divided...)
	}
	if w.part.PartitionBy == Unpartitioned {
		files = w.joined(files)
	}
	for _, f := range files {
		if n := len(plan); n > 0 && plan[n-1].rows()+f.rows <= groupRows {
			plan[n-1] = append(plan[n-1], f)
			continue
		}
		plan = append(plan, group{f})
	}
	return plan, nil
}

// daysOf returns the number of days from 1970-01-01 to an instant.
func daysOf(micros int64) int64 {
	if micros < 0 {
		return -1 - (-1-micros)/day
	}
	return micros / day
}

// dayName formats a day as Iceberg does.
func dayName(days int64) string {
	return time.Unix(days*int64(24*time.Hour/time.Second), 0).UTC().Format(time.DateOnly)
}
