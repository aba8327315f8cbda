package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"runtime"
	"strings"

	"datasync/internal/model"
)

// CommitBatch stores the batch's events, rejects, page log and checkpoint in one
// transaction. Where it fails nothing of the batch is stored, or, where the
// failure came from COMMIT itself, all or nothing: the caller must then close the
// store, open it again and read the checkpoint. It must not be called again
// after an error.
func (s *Store) CommitBatch(ctx context.Context, b model.Batch) (model.Committed, error) {
	return s.StartBatch(ctx, b)()
}

// commit is one batch on its way into the tables.
type commit struct {
	s     *Store
	w     *writer
	batch int64
	now   model.Instant
	// pages is what the page log will keep of each page.
	pages []loggedPage
	// rejects are those in the table incoming_rejects, without those of the batch before,
	// which may not be stored yet; low and high bound the instants of all that is in the batch.
	rejects    []takenReject
	keysBefore map[string]bool
	low, high  model.Instant
	reasons    map[string]int64
}

type takenReject struct {
	page   int
	reason string
}

type loggedPage struct {
	record      model.PageRecord
	first, last sql.Null[model.Position]
	counts      model.Counts
	checksum    checksum
}

// takeNote notes of the pages what is needed when their memory is not theirs any more.
func (c *commit) takeNote(pages []model.Page) {
	c.pages = make([]loggedPage, len(pages))
	for i := range pages {
		p, l := &pages[i], &c.pages[i]
		l.record = p.Record
		l.record.RequestID = strings.Clone(p.Record.RequestID)
		l.counts.Outside = p.Record.Outside
		l.counts.Returned = p.Record.Outside + int64(len(p.Events)+len(p.Rejects))
		if n := len(p.Events); n > 0 {
			l.first = sql.Null[model.Position]{V: p.Events[0].Position(), Valid: true}
			l.last = sql.Null[model.Position]{V: p.Events[n-1].Position(), Valid: true}
		}
	}
}

// write writes the batch within the transaction that is open. It calls free once it is
// certain that the next batch may be written at the same time.
func (c *commit) write(b *model.Batch, free func()) error {
	c.takeNote(b.Pages)
	done := 0
	copied := func(pages int) {
		for ; done < pages && b.Copied != nil; done++ {
			b.Copied(done)
		}
	}
	if err := c.takeRejects(b.Pages); err != nil {
		return err
	}
	if err := c.insertEvents(b.Pages, free, copied); err != nil {
		return err
	}
	copied(len(b.Pages))
	if err := c.insertRejects(); err != nil {
		return err
	}
	if err := c.logPages(b); err != nil {
		return err
	}
	return c.moveCheckpoint(&b.Checkpoint)
}

// insertEvents stores those events of the pages that are not stored yet: all of them,
// nearly always.
func (c *commit) insertEvents(pages []model.Page, free func(), copied func(pages int)) error {
	overlap, err := c.findStored(pages)
	if err != nil {
		return err
	}
	if overlap.found || !descending(pages) {
		return c.insertNew(pages, overlap)
	}
	free()
	ends := make([]int, len(pages)) // in rows
	rows := 0
	for i := range pages {
		rows += len(pages[i].Events)
		ends[i] = rows
	}
	page, next, done := 0, 0, 0
	return c.w.insert("events", rows, func(columns []column, row, _ int) {
		for next == len(pages[page].Events) {
			page, next = page+1, 0
		}
		c.insertEvent(columns, row, &pages[page].Events[next], page)
		next++
	}, func(rows int) {
		for done < len(ends) && ends[done] <= rows {
			done++
		}
		copied(done)
	})
}

// insertNew stores those events of the pages that are neither stored nor stand twice.
func (c *commit) insertNew(pages []model.Page, o overlap) error {
	events, page, err := c.newEvents(pages, o)
	if err != nil {
		return err
	}
	defer runtime.KeepAlive(events)
	return c.w.insert("events", len(events), func(columns []column, row, n int) {
		c.insertEvent(columns, row, events[n], page[n])
	}, nil)
}

// insertEvent writes a row of the table, and counts it for the page that it came on.
func (c *commit) insertEvent(columns []column, row int, e *model.Event, page int) {
	fillEvent(columns, row, e)
	columns[10].int64(row, c.batch)
	c.pages[page].counts.Stored++
	c.pages[page].checksum.add(e)
}

// fillEvent writes the ten columns that an event has before its batch; it lends its texts.
func fillEvent(columns []column, row int, e *model.Event) {
	columns[0].uuid(row, e.ID)
	columns[1].uuid(row, e.SessionID)
	columns[2].uuidOrNull(row, e.UserID)
	columns[3].lentText(row, e.Type)
	columns[4].lentOrNull(row, e.Name.String, e.Name.Valid)
	columns[5].int64(row, int64(e.Timestamp))
	columns[6].lentOrNull(row, e.Properties, e.Properties != "")
	columns[7].lentOrNull(row, e.DeviceType.String, e.DeviceType.Valid)
	columns[8].lentOrNull(row, e.Browser.String, e.Browser.Valid)
	columns[9].lentOrNull(row, e.Extra, e.Extra != "")
}

// takeRejects copies the pages' rejects, each key once, into the table incoming_rejects.
func (c *commit) takeRejects(pages []model.Page) error {
	var rejects []*model.Reject
	var page []int
	first := map[string]bool{}
	c.low, c.high = span(pages)
	for i := range pages {
		for j := range pages[i].Rejects {
			r := &pages[i].Rejects[j]
			if first[r.Key] || c.keysBefore[r.Key] {
				c.pages[i].counts.Duplicate++
				continue
			}
			first[r.Key] = true
			rejects, page = append(rejects, r), append(page, i)
			c.rejects = append(c.rejects, takenReject{i, r.Reason})
			if r.Timestamp.Valid {
				c.low, c.high = min(c.low, r.Timestamp.V), max(c.high, r.Timestamp.V)
			}
		}
	}
	defer runtime.KeepAlive(rejects)
	return c.w.insert("incoming_rejects", len(rejects), func(columns []column, row, n int) {
		columns[0].int64(row, int64(n))
		columns[1].lentText(row, rejects[n].Raw)
		columns[2].lentText(row, rejects[n].Reason)
		columns[3].lentText(row, rejects[n].Key)
		columns[4].uuidOrNull(row, rejects[n].ID)
		columns[5].instantOrNull(row, rejects[n].Timestamp)
		columns[6].lentText(row, c.pages[page[n]].record.Endpoint)
	}, nil)
}

// insertRejects keeps the rejects that were taken and are not known yet. One whose id is
// stored as an event of the batch's range of time is resolved from the start, others are by
// Settle: to look for an id in all of the table takes long. They are written behind the
// events: the less there is between a whole row group and the end of its transaction, the
// less likely a kill leaves what removeUncommitted has to remove.
func (c *commit) insertRejects() error {
	if len(c.rejects) == 0 {
		return nil
	}
	// It is joined from the side of the batch, which is small: there may be any number of
	// rejects in the file.
	known := make([]bool, len(c.rejects))
	err := c.w.pairs("SELECT i.n, true FROM rejected_events r JOIN incoming_rejects i ON i.reject_key = r.reject_key",
		func(n int64, _ bool) { known[n] = true })
	if err != nil {
		return err
	}
	for n, r := range c.rejects {
		if known[n] {
			c.pages[r.page].counts.Duplicate++
			continue
		}
		c.pages[r.page].counts.Rejected++
		c.reasons[r.reason]++
	}
	if _, err := c.w.exec("DELETE FROM incoming_rejects WHERE n IN (SELECT i.n FROM rejected_events r JOIN incoming_rejects i ON i.reject_key = r.reject_key)"); err != nil {
		return err
	}
	if _, err := c.w.execArgs(`INSERT INTO rejected_events
		SELECT raw, reason, reject_key, id, endpoint, $1,
			id IS NOT NULL AND id IN (SELECT e.id FROM events e WHERE e."timestamp" BETWEEN $2 AND $3), "timestamp"
		FROM incoming_rejects ORDER BY n`, c.batch, c.low, c.high); err != nil {
		return err
	}
	_, err = c.w.exec("DELETE FROM incoming_rejects")
	return err
}

func (c *commit) logPages(b *model.Batch) error {
	return c.w.insert("page_log", len(c.pages), func(columns []column, row, n int) {
		p := &c.pages[n]
		columns[0].int64(row, c.batch)
		columns[1].uuid(row, b.Run)
		columns[2].int64(row, b.Checkpoint.Window)
		columns[3].text(row, p.record.Endpoint)
		columns[4].textOrNull(row, p.record.RequestID, p.record.RequestID != "")
		columns[5].textOrNull(row, hashCursor(p.record.CursorSent), p.record.CursorSent != "")
		columns[6].textOrNull(row, hashCursor(p.record.CursorReceived), p.record.CursorReceived != "")
		columns[7].positionOrNull(&columns[8], row, p.first)
		columns[9].positionOrNull(&columns[10], row, p.last)
		columns[11].int64(row, p.counts.Returned)
		columns[12].int64(row, p.counts.Stored)
		columns[13].int64(row, p.counts.Duplicate)
		columns[14].int64(row, p.counts.Conflict)
		columns[15].int64(row, p.counts.Rejected)
		columns[16].bool(row, p.record.Resumed)
		columns[17].instantOrNull(row, p.record.Until)
		columns[18].int64(row, p.counts.Outside)
		columns[19].int64(row, int64(p.checksum))
	}, nil)
}

// hashCursor is what the page log keeps of a cursor: enough to check the chain of
// pages, too little to be used.
func hashCursor(cursor string) string {
	sum := sha256.Sum256([]byte(cursor))
	return hex.EncodeToString(sum[:8])
}

// moveCheckpoint writes the row that this writer has in the table checkpoints: two
// transactions at a time cannot change the same one.
func (c *commit) moveCheckpoint(k *model.Checkpoint) error {
	values := append(changedBy(k), c.now, c.w.number, c.batch)
	changed, err := c.w.execArgs(`UPDATE checkpoints SET state = $2, upper = $3, cursor = $4, cursor_expires_at = $5, last_timestamp = $6, last_id = $7,
		pages = $8, events = $9, walked = $10, total = $11, unordered = $12, first_timestamp = $13, first_id = $14, page_total = $15, cursor_before = $16,
		top_at = $17, copies = $18, ran_out = $19, failed_runs = 0, updated_at = $20, batch = $22
		WHERE window_id = $1 AND writer = $21`, values...)
	if err == nil && changed == 0 {
		changed, err = c.w.execArgs(`INSERT INTO checkpoints BY NAME SELECT * REPLACE ($2 AS state, $3 AS upper, $4 AS cursor, $5 AS cursor_expires_at,
			$6 AS last_timestamp, $7 AS last_id, $8 AS pages, $9 AS events, $10 AS walked, $11 AS total, $12 AS unordered,
			$13 AS first_timestamp, $14 AS first_id, $15 AS page_total, $16 AS cursor_before, $17 AS top_at, $18 AS copies, $19 AS ran_out,
			0 AS failed_runs, $20 AS updated_at), $21 AS writer, $22 AS batch FROM checkpoint WHERE window_id = $1`, values...)
	}
	if err != nil {
		return err
	}
	if changed != 1 {
		return fmt.Errorf("move the checkpoint of window %d: %d rows", k.Window, changed)
	}
	return nil
}

// changedBy gives the window's number and what a commit changes of its checkpoint.
func changedBy(k *model.Checkpoint) []any {
	v := []any{k.Window, string(k.State), orNull(k.Upper), nil, nil, nil, nil, k.Pages, k.Events, k.Walked, orNull(k.Total), k.Unordered, nil, nil,
		orNull(k.PageTotal), orNull(k.CursorBefore), nil, k.Copies, k.RanOut}
	if k.Cursor != "" {
		v[3] = k.Cursor
	}
	if !k.CursorExpiresAt.IsZero() {
		v[4] = model.InstantOf(k.CursorExpiresAt)
	}
	if k.Last.Valid {
		v[5], v[6] = k.Last.V.Timestamp, k.Last.V.ID
	}
	if k.First.Valid {
		v[12], v[13] = k.First.V.Timestamp, k.First.V.ID
	}
	if !k.TopAt.IsZero() {
		v[16] = model.InstantOf(k.TopAt)
	}
	return v
}

// orNull returns the value as a parameter of a statement.
func orNull[T any](v sql.Null[T]) any {
	if !v.Valid {
		return nil
	}
	return v.V
}
