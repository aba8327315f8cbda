package store

import (
	"database/sql"
	"fmt"
	"strings"
	"time"

	"datasync/internal/duck"
	"datasync/internal/inspect"
	"datasync/internal/model"
)

// commit is the transaction of one batch.
type commit struct {
	w     *writer
	batch int64
	now   model.Instant
	// pages are the rows for the page log.
	pages []loggedPage
	// rejects are the rows of table incoming_rejects. keysBefore are keys of the batch before, which
	// may not be stored yet. low and high bound the instants of the batch.
	rejects    []newReject
	keysBefore map[string]bool
	low, high  model.Instant
	reasons    map[string]int64
	tally      model.Tally // or nil
}

type newReject struct {
	page   int
	reason string
}

type loggedPage struct {
	record      model.PageRecord
	first, last sql.Null[model.Position]
	counts      model.Counts
	checksum    inspect.Checksum
}

// notePages copies from the pages what the page log needs: their memory is reused before that is
// written.
func (c *commit) notePages(pages []model.Page) {
	c.pages = make([]loggedPage, len(pages))
	for i := range pages {
		p, l := &pages[i], &c.pages[i]
		l.record = p.Record
		l.record.RequestID = strings.Clone(p.Record.RequestID)
		l.counts.Outside = p.Record.OutOfRange
		l.counts.Returned = p.Record.OutOfRange + int64(len(p.Events)+len(p.Rejects))
		if n := len(p.Events); n > 0 {
			l.first = sql.Null[model.Position]{V: p.Events[0].Position(), Valid: true}
			l.last = sql.Null[model.Position]{V: p.Events[n-1].Position(), Valid: true}
		}
	}
}

// write writes the batch within the open transaction. It calls free once the next batch may be
// written concurrently.
func (c *commit) write(b *model.Batch, free func()) error {
	c.notePages(b.Pages)
	done := 0
	copied := func(pages int) {
		for ; done < pages && b.Copied != nil; done++ {
			b.Copied(done)
		}
	}
	if err := c.copyRejects(b.Pages); err != nil {
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

// insertEvents stores the events of the pages that are not stored yet. Those are nearly always all.
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
	return c.w.insert("events", rows, func(columns []duck.Column, row, _ int) {
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

// insertNew stores the events of the pages that are not stored yet, each id once.
func (c *commit) insertNew(pages []model.Page, o overlap) error {
	events, page, err := c.newEvents(pages, o)
	if err != nil {
		return err
	}
	return c.w.insert("events", len(events), func(columns []duck.Column, row, n int) {
		c.insertEvent(columns, row, events[n], page[n])
	}, nil)
}

// insertEvent writes a row of table events, and counts it for its page.
func (c *commit) insertEvent(columns []duck.Column, row int, e *model.Event, page int) {
	fillEvent(columns, row, e)
	columns[eventBatch].Int64(row, c.batch)
	c.pages[page].counts.Stored++
	c.pages[page].checksum.Add(e)
	if c.tally != nil {
		c.tally.Add(e)
	}
}

// fillEvent writes the columns of an event without its batch.
func fillEvent(columns []duck.Column, row int, e *model.Event) {
	columns[eventID].UUID(row, e.ID)
	columns[eventSessionID].UUID(row, e.SessionID)
	columns[eventUserID].UUIDOrNull(row, e.UserID)
	columns[eventType].Text(row, e.Type)
	columns[eventName].TextOrNull(row, e.Name.String, e.Name.Valid)
	columns[eventTimestamp].Int64(row, int64(e.Timestamp))
	columns[eventProperties].TextOrNull(row, e.Properties, e.Properties != "")
	columns[eventDeviceType].TextOrNull(row, e.DeviceType.String, e.DeviceType.Valid)
	columns[eventBrowser].TextOrNull(row, e.Browser.String, e.Browser.Valid)
	columns[eventExtra].TextOrNull(row, e.Extra, e.Extra != "")
}

// copyRejects copies the rejects of the pages, each key once, into table incoming_rejects.
func (c *commit) copyRejects(pages []model.Page) error {
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
			c.rejects = append(c.rejects, newReject{i, r.Reason})
			if r.Timestamp.Valid {
				c.low, c.high = min(c.low, r.Timestamp.V), max(c.high, r.Timestamp.V)
			}
		}
	}
	return c.w.insert("incoming_rejects", len(rejects), func(columns []duck.Column, row, n int) {
		columns[rejectN].Int64(row, int64(n))
		columns[rejectRaw].Text(row, rejects[n].Raw)
		columns[rejectReason].Text(row, rejects[n].Reason)
		columns[rejectKey].Text(row, rejects[n].Key)
		columns[rejectID].UUIDOrNull(row, rejects[n].ID)
		setInstant(&columns[rejectTimestamp], row, rejects[n].Timestamp)
		columns[rejectEndpoint].Text(row, c.pages[page[n]].record.Endpoint)
	}, nil)
}

// insertRejects stores the rejects of table incoming_rejects that are not known yet. A reject whose id
// is an event in the batch's range of time is resolved at once. Finalize resolves the others, as a
// search for an id in the whole table takes long. Rejects are written after the events, which end
// with a row group: the shorter the time from there to the end of the transaction, the less likely
// a kill leaves events for removeUncommitted.
func (c *commit) insertRejects() error {
	if len(c.rejects) == 0 {
		return nil
	}
	// The batch is the small side of the join: the file may have any number of rejects.
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
		SELECT raw, reason, reject_key, id, endpoint, $1, stored, "timestamp", CASE WHEN stored THEN $1 END
		FROM (SELECT *, id IS NOT NULL AND id IN (SELECT e.id FROM events e WHERE e."timestamp" BETWEEN $2 AND $3) AS stored FROM incoming_rejects)
		ORDER BY n`, c.batch, c.low, c.high); err != nil {
		return err
	}
	_, err = c.w.exec("DELETE FROM incoming_rejects")
	return err
}

func (c *commit) logPages(b *model.Batch) error {
	return c.w.insert("page_log", len(c.pages), func(columns []duck.Column, row, n int) {
		p := &c.pages[n]
		columns[pageBatch].Int64(row, c.batch)
		columns[pageRun].UUID(row, b.Run)
		columns[pageWindow].Int64(row, b.Checkpoint.Window)
		columns[pageEndpoint].Text(row, p.record.Endpoint)
		columns[pageRequestID].TextOrNull(row, p.record.RequestID, p.record.RequestID != "")
		columns[pageCursorSent].TextOrNull(row, model.HashCursor(p.record.CursorSent), p.record.CursorSent != "")
		columns[pageCursorReceived].TextOrNull(row, model.HashCursor(p.record.CursorReceived), p.record.CursorReceived != "")
		setPosition(&columns[pageFirstTimestamp], &columns[pageFirstID], row, p.first)
		setPosition(&columns[pageLastTimestamp], &columns[pageLastID], row, p.last)
		columns[pageReturned].Int64(row, p.counts.Returned)
		columns[pageStored].Int64(row, p.counts.Stored)
		columns[pageDuplicate].Int64(row, p.counts.Duplicate)
		columns[pageConflict].Int64(row, p.counts.Conflict)
		columns[pageRejected].Int64(row, p.counts.Rejected)
		columns[pageResumed].Bool(row, p.record.Resumed)
		setInstant(&columns[pageUntil], row, p.record.Until)
		columns[pageOutside].Int64(row, p.counts.Outside)
		columns[pageChecksum].Int64(row, int64(p.checksum))
	}, nil)
}

// moveCheckpoint writes this writer's row in table checkpoints: two concurrent transactions cannot
// change the same row.
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

// changedBy returns the parameters of a commit's statements that change a checkpoint: $1 to
// $19, of which the first is the window's number.
func changedBy(k *model.Checkpoint) []any {
	lastTimestamp, lastID := positionOrNull(k.Last)
	firstTimestamp, firstID := positionOrNull(k.First)
	return []any{
		k.Window, string(k.State), orNull(k.Upper),
		orNull(sql.Null[string]{V: k.Cursor, Valid: k.Cursor != ""}), timeOrNull(k.CursorExpiresAt),
		lastTimestamp, lastID, k.Pages, k.Events, k.Walked, orNull(k.Total), k.Unordered, firstTimestamp, firstID,
		orNull(k.PageTotal), orNull(k.CursorBefore), timeOrNull(k.TopAt), k.Copies, k.RanOut,
	}
}

// orNull returns the value as a parameter of a statement.
func orNull[T any](v sql.Null[T]) any {
	if !v.Valid {
		return nil
	}
	return v.V
}

// timeOrNull returns t as a parameter, NULL for the zero time.
func timeOrNull(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return model.InstantOf(t)
}

// positionOrNull returns the two halves of p as parameters.
func positionOrNull(p sql.Null[model.Position]) (timestamp, id any) {
	if !p.Valid {
		return nil, nil
	}
	return p.V.Timestamp, p.V.ID
}
