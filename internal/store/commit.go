package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"runtime"
	"time"

	"datasync/internal/failpoint"
)

// MaxRows is how many events, and how many rejects beside them, a batch may hold: as
// many as a row group of DuckDB. Events that make up a whole one are written into the
// file compressed, once, and are no part of the log; fewer are written into the log,
// and by the next checkpoint into the file; more leave a remnant with each commit that
// the checkpoint puts together again.
const MaxRows = 122_880

// Committed says what a commit did.
type Committed struct {
	Counts
	// Batch is the commit's number.
	Batch int64
	// Reasons counts the rejects that were not known before by their reason.
	Reasons map[string]int64
}

// CommitBatch stores the batch's events, rejects, page log and checkpoint in one
// transaction. Where it fails nothing of the batch is stored, or, where the
// failure came from COMMIT itself, all or nothing: the caller must then close the
// store, open it again and read the checkpoint. It must not be called again
// after an error.
func (s *Store) CommitBatch(ctx context.Context, b Batch) (_ Committed, err error) {
	defer s.write(&err)()
	if events, rejects := b.Size(); max(events, rejects) > MaxRows {
		return Committed{}, fmt.Errorf("commit a batch: %d events and %d rejects are more than %d", events, rejects, MaxRows)
	}
	if err := ctx.Err(); err != nil {
		return Committed{}, err
	}
	failpoint.Hit("f4")
	if _, err := s.writer.exec("BEGIN TRANSACTION"); err != nil {
		return Committed{}, translate(s.path, err)
	}
	failpoint.Hit("f5")
	c := commit{
		s: s, w: s.writer, batch: s.batch + 1, now: InstantOf(time.Now()),
		counts: make([]Counts, len(b.Pages)), checksums: make([]checksum, len(b.Pages)), reasons: map[string]int64{},
	}
	if err := c.write(&b); err != nil {
		_, errRollback := s.writer.exec("ROLLBACK")
		return Committed{}, translate(s.path, errors.Join(err, errRollback))
	}
	failpoint.Hit("f8")
	failpoint.Soon("f9")
	if _, err := s.writer.exec("COMMIT"); err != nil {
		return Committed{}, translate(s.path, err)
	}
	failpoint.Hit("f10")
	s.batch = c.batch
	done := Committed{Batch: c.batch, Reasons: c.reasons}
	for _, n := range c.counts {
		done.Add(n)
	}
	return done, nil
}

// commit is one batch on its way into the tables.
type commit struct {
	s       *Store
	w       *writer
	batch   int64
	now     Instant
	reasons map[string]int64
	// Of each page:
	counts    []Counts
	checksums []checksum
}

func (c *commit) write(b *Batch) error {
	for i := range b.Pages {
		outside := b.Pages[i].Record.Outside
		c.counts[i].Outside = outside
		c.counts[i].Returned = outside + int64(len(b.Pages[i].Events)+len(b.Pages[i].Rejects))
	}
	if err := c.events(b); err != nil {
		return err
	}
	if err := c.insertRejects(b.Pages); err != nil {
		return err
	}
	if err := c.logPages(b); err != nil {
		return err
	}
	events, _ := b.Size()
	c.s.prepareAhead(c, events)
	if b.Copied != nil {
		b.Copied()
	}
	return c.moveCheckpoint(b)
}

// events stores those events of the batch that are not stored yet. Where it was staged
// and all of them are new, as nearly always, they lie ready.
func (c *commit) events(b *Batch) error {
	overlap, err := c.findStored(b.Pages)
	if err != nil {
		return err
	}
	if st := b.staged; st != nil && st == c.s.staged {
		if !overlap.found && st.batch == c.batch {
			for i := range b.Pages {
				c.counts[i].Stored, c.checksums[i] = st.stored[i], st.checksums[i]
			}
			err := c.w.do(st.flush)
			c.s.dropStaged()
			return err
		}
		c.s.dropStaged()
	}
	events, page, err := c.newEvents(b.Pages, overlap)
	if err != nil {
		return err
	}
	return c.appendEvents(events, page)
}

// appendEvents stores events and counts them for the pages that they came on.
func (c *commit) appendEvents(events []*Event, page []int) error {
	defer runtime.KeepAlive(events)
	return c.w.append("events", len(events), func(columns []column, row, n int) {
		fillEvent(columns, row, events[n])
		c.counts[page[n]].Stored++
		c.checksums[page[n]].add(events[n])
		columns[10].int64(row, c.batch)
	})
}

// fillEvent writes the ten columns that an event has before its batch; it lends its texts.
func fillEvent(columns []column, row int, e *Event) {
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

// insertRejects keeps the rejects that are not known yet. One whose id is stored
// as an event is resolved from the start.
func (c *commit) insertRejects(pages []Page) error {
	var rejects []*Reject
	var page []int
	first := map[string]bool{}
	for i := range pages {
		for j := range pages[i].Rejects {
			r := &pages[i].Rejects[j]
			if first[r.Key] {
				c.counts[i].Duplicate++
				continue
			}
			first[r.Key] = true
			rejects, page = append(rejects, r), append(page, i)
		}
	}
	if len(rejects) == 0 {
		return nil
	}
	err := c.w.append("incoming_rejects", len(rejects), func(columns []column, row, n int) {
		columns[0].int64(row, int64(n))
		columns[1].text(row, rejects[n].Raw)
		columns[2].text(row, rejects[n].Reason)
		columns[3].text(row, rejects[n].Key)
		columns[4].uuidOrNull(row, rejects[n].ID)
		columns[5].instantOrNull(row, rejects[n].Timestamp)
	})
	if err != nil {
		return err
	}
	err = c.w.pairs(`SELECT n, EXISTS (SELECT 1 FROM rejected_events r WHERE r.reject_key = i.reject_key) FROM incoming_rejects i`,
		func(n int64, known bool) {
			if known {
				c.counts[page[n]].Duplicate++
				return
			}
			c.counts[page[n]].Rejected++
			c.reasons[rejects[n].Reason]++
		})
	if err != nil {
		return err
	}
	// The endpoint is a page's; rejects are few, so one statement for each page.
	for from := 0; from < len(rejects); {
		to := from
		for to < len(rejects) && page[to] == page[from] {
			to++
		}
		_, err := c.w.execArgs(`INSERT INTO rejected_events
			SELECT raw, reason, reject_key, id, $1, $2, id IS NOT NULL AND id IN (SELECT e.id FROM events e), "timestamp"
			FROM incoming_rejects i
			WHERE n >= $3 AND n < $4 AND NOT EXISTS (SELECT 1 FROM rejected_events r WHERE r.reject_key = i.reject_key)`,
			pages[page[from]].Record.Endpoint, c.batch, int64(from), int64(to))
		if err != nil {
			return err
		}
		from = to
	}
	_, err = c.w.exec("DELETE FROM incoming_rejects")
	return err
}

func (c *commit) logPages(b *Batch) error {
	return c.w.append("page_log", len(b.Pages), func(columns []column, row, n int) {
		p, counts := &b.Pages[n], c.counts[n]
		columns[0].int64(row, c.batch)
		columns[1].uuid(row, b.Run)
		columns[2].int64(row, b.Checkpoint.Window)
		columns[3].text(row, p.Record.Endpoint)
		columns[4].textOrNull(row, p.Record.RequestID, p.Record.RequestID != "")
		columns[5].textOrNull(row, hashCursor(p.Record.CursorSent), p.Record.CursorSent != "")
		columns[6].textOrNull(row, hashCursor(p.Record.CursorReceived), p.Record.CursorReceived != "")
		for i, e := range []int{0, len(p.Events) - 1} {
			instant, id := &columns[7+2*i], &columns[8+2*i]
			if len(p.Events) == 0 {
				instant.null(row)
				id.null(row)
				continue
			}
			instant.int64(row, int64(p.Events[e].Timestamp))
			id.uuid(row, p.Events[e].ID)
		}
		columns[11].int64(row, counts.Returned)
		columns[12].int64(row, counts.Stored)
		columns[13].int64(row, counts.Duplicate)
		columns[14].int64(row, counts.Conflict)
		columns[15].int64(row, counts.Rejected)
		columns[16].bool(row, p.Record.Resumed)
		columns[17].instantOrNull(row, p.Record.Until)
		columns[18].int64(row, counts.Outside)
		columns[19].int64(row, int64(c.checksums[n]))
	})
}

// hashCursor is what the page log keeps of a cursor: enough to check the chain of
// pages, too little to be used.
func hashCursor(cursor string) string {
	sum := sha256.Sum256([]byte(cursor))
	return hex.EncodeToString(sum[:8])
}

func (c *commit) moveCheckpoint(b *Batch) error {
	k := &b.Checkpoint
	changed, err := c.w.execArgs(`UPDATE checkpoint SET state = $2, upper = $3, lower = $4, cursor = $5, cursor_expires_at = $6,
		last_timestamp = $7, last_id = $8, pages = $9, events = $10, walked = $11, total = $12, unordered = $13, updated_at = $14
		WHERE window_id = $1`, append(k.values(), c.now)...)
	if err != nil {
		return err
	}
	if changed != 1 {
		return fmt.Errorf("move the checkpoint of window %d: %d rows", k.Window, changed)
	}
	if k.State == Done && k.ToTheEnd() {
		// It has walked what older windows had left.
		_, err = c.w.execArgs("UPDATE checkpoint SET state = $1, cursor = NULL, updated_at = $2 WHERE window_id < $3 AND state <> $1",
			string(Done), c.now, k.Window)
	}
	return err
}

// values gives the checkpoint's columns in the order of the table, but for the last.
func (k *Checkpoint) values() []any {
	v := []any{k.Window, string(k.State), nil, nil, nil, nil, nil, nil, k.Pages, k.Events, k.Walked, nil, k.Unordered}
	if k.Upper.Valid {
		v[2] = k.Upper.V
	}
	if k.Lower.Valid {
		v[3] = k.Lower.V
	}
	if k.Cursor != "" {
		v[4] = k.Cursor
	}
	if !k.CursorExpiresAt.IsZero() {
		v[5] = InstantOf(k.CursorExpiresAt)
	}
	if k.Last.Valid {
		v[6], v[7] = k.Last.V.Timestamp, k.Last.V.ID
	}
	if k.Total.Valid {
		v[11] = k.Total.V
	}
	return v
}
