package store

import (
	"context"
	"fmt"
	"strconv"

	"datasync/internal/failpoint"

	"github.com/google/uuid"
)

// Settled is what a file holds after a whole walk.
type Settled struct {
	// Events is how many are stored, Rejected how many elements are kept as
	// rejects and were not stored under their id since.
	Events, Rejected int64
	// Removed is how many second copies of an id were deleted.
	Removed int64
}

// checkedKey is the entry of meta that says up to which batch ids were checked.
const checkedKey = "checked_batch"

// idsAtOnce is how many ids are checked at once, which bounds the memory of it.
const idsAtOnce = 1_000_000

// Settle ends a run: it deletes second copies of an id, which have another instant
// than the first (others do not get past CommitBatch), the copy of the higher batch,
// and resolves the rejects that are stored by now. The page log gets a row that
// corrects the counts of each batch which lost copies. All of it is one transaction.
func (s *Store) Settle(ctx context.Context, run uuid.UUID, window int64) (Settled, error) {
	if err := ctx.Err(); err != nil {
		return Settled{}, err
	}
	if _, err := s.writer.exec("BEGIN TRANSACTION"); err != nil {
		return Settled{}, translate(s.path, err)
	}
	settled, err := s.settle(ctx, run, window)
	if err != nil {
		_, _ = s.writer.exec("ROLLBACK")
		return Settled{}, translate(s.path, err)
	}
	failpoint.Hit("f8")
	failpoint.Soon("f9")
	if _, err := s.writer.exec("COMMIT"); err != nil {
		return Settled{}, translate(s.path, err)
	}
	failpoint.Hit("f10")
	return settled, nil
}

func (s *Store) settle(ctx context.Context, run uuid.UUID, window int64) (done Settled, err error) {
	if done.Removed, err = s.removeCopies(ctx, run, window); err != nil {
		return done, err
	}
	w := s.writer
	if _, err := w.exec(`UPDATE rejected_events SET resolved = true
		WHERE NOT resolved AND id IS NOT NULL AND id IN (SELECT e.id FROM events e)`); err != nil {
		return done, err
	}
	if done.Events, err = w.number("SELECT count(*) FROM events"); err != nil {
		return done, err
	}
	const open = "SELECT count(*) FROM rejected_events WHERE NOT resolved"
	if done.Rejected, err = w.number(open); err != nil || done.Rejected == 0 {
		return done, err
	}
	// Where more are here than the API has, it may have sent the id of one or another
	// event in one reading and left it out in the other.
	total, err := w.number(fmt.Sprintf("SELECT coalesce(max(total), 0) FROM checkpoint WHERE window_id = %d AND floor IS NULL", window))
	if err != nil {
		return done, err
	}
	if surplus := done.Events + done.Rejected - total; surplus > 0 {
		var n int64
		n, err = w.exec(fmt.Sprintf(resolveWithoutID, surplus))
		done.Rejected -= n
	}
	return done, err
}

// resolveWithoutID resolves up to so many of the rejects without an id that are, in all
// that an event must have and in their names, events that are stored.
const resolveWithoutID = `UPDATE rejected_events SET resolved = true WHERE rowid IN (
	SELECT rowid FROM rejected_events
	WHERE NOT resolved AND id IS NULL AND "timestamp" IS NOT NULL AND json_valid(raw)
	AND ("timestamp", lower(CASE WHEN json_valid(raw) THEN raw ->> '$.sessionId' END), CASE WHEN json_valid(raw) THEN raw ->> '$.type' END,
		coalesce(CASE WHEN json_valid(raw) THEN raw ->> '$.name' END, ''))
	IN (SELECT (e."timestamp", e.session_id::VARCHAR, e.type, coalesce(e.name, '')) FROM events e
		WHERE e."timestamp" IN (SELECT r."timestamp" FROM rejected_events r WHERE NOT r.resolved AND r.id IS NULL))
	ORDER BY batch, reject_key LIMIT %d)`

func (s *Store) checkedBatch(ctx context.Context) (int64, error) {
	meta, err := readMeta(ctx, s.db)
	if err != nil || meta[checkedKey] == "" {
		return 0, err
	}
	return strconv.ParseInt(meta[checkedKey], 10, 64)
}

// removeCopies deletes the later copies of ids of which one came after the batch
// that was checked last.
func (s *Store) removeCopies(ctx context.Context, run uuid.UUID, window int64) (removed int64, err error) {
	w := s.writer
	checked, err := s.checkedBatch(ctx)
	if err != nil || s.batch <= checked {
		return 0, err
	}
	if err := s.findCopies(checked); err != nil {
		return 0, err
	}
	if _, err := w.execArgs(`INSERT INTO page_log (batch, run, window_id, endpoint, returned, stored, duplicate, conflict, rejected, resumed, outside, checksum)
		SELECT batch, $1, $2, 'closing check', 0, -count(*), count(*), count(*), 0, false, 0, `+checksumOf("-sum(checksum::HUGEINT)")+`
		FROM copies GROUP BY batch`, run, window); err != nil {
		return 0, err
	}
	if removed, err = w.exec("DELETE FROM events WHERE rowid IN (SELECT copy FROM copies)"); err != nil {
		return 0, err
	}
	if _, err := w.exec("DELETE FROM copies"); err != nil {
		return 0, err
	}
	if _, err := w.execArgs("DELETE FROM meta WHERE key = $1", checkedKey); err != nil {
		return 0, err
	}
	_, err = w.execArgs("INSERT INTO meta VALUES ($1, $2)", checkedKey, strconv.FormatInt(s.batch, 10))
	return removed, err
}

// findCopies fills the table copies, a share of the ids at a time.
func (s *Store) findCopies(checked int64) error {
	rows, err := s.writer.number(fmt.Sprintf("SELECT count(*) FROM events WHERE batch > %d", checked))
	if err != nil {
		return err
	}
	shares := rows/idsAtOnce + 1
	for share := range shares {
		recent := ""
		if checked > 0 {
			recent = fmt.Sprintf("AND id IN (SELECT id FROM events WHERE batch > %d AND hash(id) %% %d = %d)", checked, shares, share)
		}
		_, err := s.writer.exec(fmt.Sprintf(`INSERT INTO copies
			SELECT copy, batch, checksum FROM (
				SELECT rowid AS copy, batch, %s AS checksum, row_number() OVER (PARTITION BY id ORDER BY batch, rowid) AS n
				FROM events WHERE id IN (SELECT id FROM events WHERE hash(id) %% %d = %d %s GROUP BY id HAVING count(*) > 1))
			WHERE n > 1`, checksumOf(checksumTerm), shares, share, recent))
		if err != nil {
			return err
		}
	}
	return nil
}
