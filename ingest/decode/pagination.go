package decode

import (
	"database/sql"
	"fmt"
	"math"
	"strconv"
	"time"

	"datasync/internal/human"
)

// tail is what a page says about the next one.
type tail struct {
	HasMore    bool
	NextCursor string
	cursorLife time.Duration
}

func (d *Decoder) readPagination() error {
	group, err := d.scan.pagination(d.top, d.pagination)
	if err != nil {
		return err
	}
	t, err := d.scan.tail(group)
	if err != nil {
		return err
	}
	d.page.HasMore, d.page.NextCursor, d.page.CursorLife = t.HasMore, t.NextCursor, t.cursorLife
	return nil
}

// pagination finds the members of pagination, in the object of that name or, without one, at the top
// level.
func (s *scanner) pagination(top, inner *objectSplitter) (pagination, error) {
	v := top.values[pagePagination]
	if s.absent(v) {
		return pagination{top.values[pageHasMore], top.values[pageNextCursor], top.values[pageCursorExpiresIn]}, nil
	}
	if !s.begins(v, '{') {
		return pagination{}, malformed("pagination is not an object", v.start)
	}
	if s.split(v.start, 1, inner); inner.duplicated != 0 {
		return pagination{}, malformed("duplicate member in pagination", v.start)
	}
	return pagination{inner.values[0], inner.values[1], inner.values[2]}, nil
}

// tail reads the members of pagination.
func (s *scanner) tail(group pagination) (tail, error) {
	var t tail
	switch s.raw(group.hasMore) {
	case "true":
		t.HasMore = true
	case "false":
	default:
		return tail{}, malformed("hasMore is not a boolean", group.hasMore.start)
	}
	if s.isNumber(group.nextCursor) {
		t.NextCursor = s.raw(group.nextCursor) // returned to the API digit by digit
	} else if text, ok := s.string(group.nextCursor); ok || s.absent(group.nextCursor) {
		t.NextCursor = text
	} else {
		return tail{}, malformed("nextCursor is neither a string nor a number", group.nextCursor.start)
	}
	if s.isNumber(group.cursorExpiresIn) {
		t.cursorLife = secondsOf(s.raw(group.cursorExpiresIn))
	}
	return t, nil
}

// secondsOf parses a duration in seconds. It returns 0 for a number that is not positive and finite, and
// the longest duration for a longer one.
func secondsOf(number string) time.Duration {
	seconds, err := strconv.ParseFloat(number, 64)
	if err != nil || seconds <= 0 {
		return 0
	}
	if seconds >= math.MaxInt64/float64(time.Second) {
		return math.MaxInt64
	}
	return time.Duration(seconds * float64(time.Second))
}

func (d *Decoder) readMeta() error {
	s := &d.scan
	group, err := s.meta(d.top, d.meta)
	if err != nil {
		return err
	}
	if v := group.returned; !v.missing() {
		n, ok := s.integer(v)
		if !ok || n != int64(d.page.Elements) {
			return malformed(fmt.Sprintf("returned is not %s, the number of elements,", human.Thousands(int64(d.page.Elements))), v.start)
		}
		d.page.Counted = true
	}
	if n, ok := s.integer(group.total); ok && n >= 0 {
		d.page.Total = sql.Null[int64]{V: n, Valid: true}
	}
	d.page.RequestID, _ = s.string(group.requestID)
	return nil
}

// meta finds the members of meta, as pagination does.
func (s *scanner) meta(top, inner *objectSplitter) (meta, error) {
	v := top.values[pageMeta]
	if s.absent(v) {
		return meta{top.values[pageTotal], top.values[pageReturned], top.values[pageRequestID]}, nil
	}
	if !s.begins(v, '{') {
		return meta{}, malformed("meta is not an object", v.start)
	}
	if s.split(v.start, 1, inner); inner.duplicated != 0 {
		return meta{}, malformed("duplicate member in meta", v.start)
	}
	return meta{inner.values[0], inner.values[1], inner.values[2]}, nil
}

// integer parses a number whose value is an integer, in any notation.
func (s *scanner) integer(v value) (int64, bool) {
	if !s.isNumber(v) {
		return 0, false
	}
	d := newDecimal(s.raw(v))
	n, ok := d.floor()
	return n, ok && d.isInteger()
}
