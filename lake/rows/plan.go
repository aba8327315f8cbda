package rows

import (
	"context"
	"fmt"
	"strings"
	"time"
)

const (
	// fileRows is how many rows a file has at most, unless more have the same instant. They are sorted at
	// once, and take some 50 MB in the file.
	fileRows = 1_000_000
	// groupRows is how many rows of small files are sorted at once.
	groupRows = 250_000
)

const day = 24 * time.Hour / time.Microsecond // in microseconds, like all instants here

// piece is the rows of one file: all rows of the part whose instants are in a range.
type piece struct {
	first, last int64 // the least and the greatest instant, both included
	rows        int64
	days        int64 // of the first instant
}

// group is pieces that are sorted at once, in the order of their instants.
type group []piece

// rows returns how many rows the pieces have.
func (g group) rows() (n int64) {
	for _, p := range g {
		n += p.rows
	}
	return n
}

// bucket is the number of a span of time in which an instant is. Division in SQL rounds towards zero.
func bucket(micros string, width int64) string {
	return fmt.Sprintf("CASE WHEN %s >= 0 THEN %s // %d ELSE -1 - (-1 - %s) // %d END", micros, micros, width, micros, width)
}

// instants are the columns of a piece, less its rows.
const instants = `epoch_us(e."timestamp")`

// pieces returns the pieces of a relation's rows in the order of time: those of each span of width
// microseconds that has rows.
func (s *Source) pieces(ctx context.Context, from, where string, width int64) (all []piece, err error) {
	query := fmt.Sprintf(`SELECT %s AS n, count(*), min(us), max(us) FROM (SELECT %s AS us FROM %s WHERE %s) GROUP BY n ORDER BY n`,
		bucket("us", width), instants, from, where)
	err = s.numbers(ctx, query, 4, func(n []int64) {
		all = append(all, piece{first: n[2], last: n[3], rows: n[1], days: floorDiv(n[2], int64(day))})
	})
	return all, err
}

func floorDiv(a, b int64) int64 {
	n := a / b
	if a%b < 0 {
		n--
	}
	return n
}

// within is the condition that an instant is in the piece. It compares timestamps, so that DuckDB skips row
// groups by their statistics.
func (p *piece) within() string {
	return fmt.Sprintf(`e."timestamp" BETWEEN make_timestamptz(%d) AND make_timestamptz(%d)`, p.first, p.last)
}

// finer are the widths by which a piece with too many rows is divided, in microseconds.
var finer = []int64{int64(time.Minute / time.Microsecond), 10_000, 1}

// split divides a piece into pieces of at most fileRows rows, as far as its instants differ.
func (s *Source) split(ctx context.Context, from, where string, p piece, widths []int64) ([]piece, error) {
	if p.rows <= fileRows || len(widths) == 0 || p.first == p.last {
		return []piece{p}, nil
	}
	parts, err := s.pieces(ctx, from, where+" AND "+p.within(), widths[0])
	if err != nil {
		return nil, err
	}
	var small []piece
	for _, part := range parts {
		divided, err := s.split(ctx, from, where, part, widths[1:])
		if err != nil {
			return nil, err
		}
		small = append(small, divided...)
	}
	return joined(small), nil
}

// joined joins pieces that follow each other to pieces of at most fileRows rows.
func joined(pieces []piece) []piece {
	var all []piece
	for _, p := range pieces {
		if n := len(all); n > 0 && all[n-1].rows+p.rows <= fileRows {
			all[n-1].rows, all[n-1].last = all[n-1].rows+p.rows, p.last
			continue
		}
		all = append(all, p)
	}
	return all
}

// plan divides the rows of a part into files, and the files into groups.
func (s *Source) plan(ctx context.Context, from, where string, by Partitioning) (plan []group, err error) {
	days, err := s.pieces(ctx, from, where, int64(day))
	if err != nil {
		return nil, err
	}
	var files []piece
	for _, d := range days {
		divided, err := s.split(ctx, from, where, d, finer)
		if err != nil {
			return nil, err
		}
		files = append(files, divided...)
	}
	if by == Unpartitioned {
		files = joined(files)
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

// dayName returns a day as text. Years before 1 have a minus.
func dayName(days int64) string {
	return strings.TrimPrefix(time.Unix(days*int64(24*time.Hour/time.Second), 0).UTC().Format(time.DateOnly), "+")
}
