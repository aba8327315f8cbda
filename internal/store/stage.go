package store

// appendAhead is an appender that was made before its batch is there, to be filled while
// the batch before is committed.
type appendAhead struct {
	*tableAppender
	batch int64 // the number of the next commit
}

// staged is what Stage has laid out of a batch.
type staged struct {
	*appendAhead
	// Of each page:
	stored    []int64
	checksums []checksum
}

// Stage lays the batch's events out in DuckDB's memory, so that CommitBatch has less to
// do. It is for the goroutine that makes the next batch while another one commits the
// last, and may be called for the next batch once Copied was called for the last; what is
// not staged, CommitBatch does whole. It reads nothing of the file and changes nothing
// in it.
func (s *Store) Stage(b *Batch) {
	a := s.ahead
	if a == nil || s.staged != nil || !descending(b.Pages) {
		return
	}
	rows, _ := b.Size()
	if rows == 0 || rows > MaxRows {
		return
	}
	st := &staged{a, make([]int64, len(b.Pages)), make([]checksum, len(b.Pages))}
	page, next := 0, 0
	err := a.fill(rows, func(columns []column, row, _ int) {
		for next == len(b.Pages[page].Events) {
			page, next = page+1, 0
		}
		e := &b.Pages[page].Events[next]
		fillEvent(columns, row, e)
		columns[10].int64(row, a.batch)
		st.stored[page]++
		st.checksums[page].add(e)
		next++
	})
	if err != nil {
		// CommitBatch will meet it again, if it is more than a want of memory.
		s.dropAhead()
		return
	}
	s.ahead, s.staged, b.staged = nil, st, st
}

// dropAhead forgets what is laid out, if anything is.
func (s *Store) dropAhead() {
	s.dropStaged()
	if s.ahead != nil {
		s.ahead.drop()
		s.ahead = nil
	}
}

func (s *Store) dropStaged() {
	if s.staged != nil {
		s.staged.drop()
		s.staged = nil
	}
}

// prepareAhead makes the appender for the batch after this one. Within a transaction, as
// here, that waits for nobody; during its commit it would wait for the end of it. Where
// none can be made, the next commit makes its own, and says why not.
func (s *Store) prepareAhead(c *commit, rows int) {
	if s.ahead == nil && rows == MaxRows {
		if a, err := c.w.newAppender("events"); err == nil {
			s.ahead = &appendAhead{tableAppender: a}
		}
	}
	if s.ahead != nil {
		s.ahead.batch = c.batch + 1
	}
}
