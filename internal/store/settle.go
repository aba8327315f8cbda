package store

import (
	"context"
	"fmt"
	"strconv"

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

// Settle ends a run: it resolves rejects whose id is stored by now, and deletes
// second copies of an id, which have another instant than the first (others do
// not get past CommitBatch). The copy of the higher batch goes; the page log gets
// a row that corrects the counts. All of it is one transaction.
func (s *Store) Settle(ctx context.Context, run uuid.UUID, window int64) (Settled, error) {
	if err := ctx.Err(); err != nil {
		return Settled{}, err
	}
	if _, err := s.writer.exec("BEGIN TRANSACTION"); err != nil {
		return Settled{}, translate(s.path, err)
	}
	settled, batch, err := s.settle(ctx, run, window)
	if err != nil {
		_, _ = s.writer.exec("ROLLBACK")
		return Settled{}, translate(s.path, err)
	}
	if _, err := s.writer.exec("COMMIT"); err != nil {
		return Settled{}, translate(s.path, err)
	}
	s.batch = batch
	return settled, nil
}

func (s *Store) settle(ctx context.Context, run uuid.UUID, window int64) (done Settled, batch int64, err error) {
	w := s.writer
	if _, err := w.exec(`UPDATE rejected_events SET resolved = true
		WHERE NOT resolved AND id IS NOT NULL AND id IN (SELECT e.id FROM events e)`); err != nil {
		return done, 0, err
	}
	checked, err := s.checkedBatch(ctx)
	if err != nil {
		return done, 0, err
	}
	batch = s.batch
	if batch > checked {
		if done.Removed, err = s.removeCopies(checked); err != nil {
			return done, 0, err
		}
	}
	if done.Removed > 0 {
		batch++
		if _, err := w.execArgs(`INSERT INTO page_log (batch, run, window_id, endpoint, returned, stored, duplicate, conflict, rejected, resumed)
			VALUES ($1, $2, $3, 'closing check', 0, -$4, $4, $4, 0, false)`, batch, run, window, done.Removed); err != nil {
			return done, 0, err
		}
	}
	if batch > checked {
		if _, err := w.execArgs("DELETE FROM meta WHERE key = $1", checkedKey); err != nil {
			return done, 0, err
		}
		if _, err := w.execArgs("INSERT INTO meta VALUES ($1, $2)", checkedKey, strconv.FormatInt(batch, 10)); err != nil {
			return done, 0, err
		}
	}
	done.Events, err = w.number("SELECT count(*) FROM events")
	if err != nil {
		return done, 0, err
	}
	done.Rejected, err = w.number("SELECT count(*) FROM rejected_events WHERE NOT resolved")
	return done, batch, err
}

func (s *Store) checkedBatch(ctx context.Context) (int64, error) {
	meta, err := readMeta(ctx, s.db)
	if err != nil || meta[checkedKey] == "" {
		return 0, err
	}
	return strconv.ParseInt(meta[checkedKey], 10, 64)
}

// removeCopies deletes the later copies of ids of which one came after the batch
// checked, a share of the ids at a time.
func (s *Store) removeCopies(checked int64) (removed int64, err error) {
	rows, err := s.writer.number(fmt.Sprintf("SELECT count(*) FROM events WHERE batch > %d", checked))
	if err != nil {
		return 0, err
	}
	shares := rows/idsAtOnce + 1
	for share := range shares {
		recent := ""
		if checked > 0 {
			recent = fmt.Sprintf("AND id IN (SELECT id FROM events WHERE batch > %d AND hash(id) %% %d = %d)", checked, shares, share)
		}
		n, err := s.writer.exec(fmt.Sprintf(`DELETE FROM events WHERE rowid IN (
			SELECT unnest(list(rowid ORDER BY batch, rowid)[2:]) FROM events
			WHERE id IN (SELECT id FROM events WHERE hash(id) %% %d = %d %s GROUP BY id HAVING count(*) > 1)
			GROUP BY id)`, shares, share, recent))
		if err != nil {
			return 0, err
		}
		removed += n
	}
	return removed, nil
}
