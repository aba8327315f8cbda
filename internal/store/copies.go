package store

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/google/uuid"

	"datasync/internal/duck"
	"datasync/internal/inspect"
)

// idsAtOnce is how many ids one SQL statement checks, which bounds its memory.
const idsAtOnce = 1_000_000

func (s *Store) checkedBatch(ctx context.Context) (int64, error) {
	meta, err := inspect.ReadMeta(ctx, s.db)
	if err != nil || meta[inspect.CheckedKey] == "" {
		return 0, err
	}
	return strconv.ParseInt(meta[inspect.CheckedKey], 10, 64)
}

// removeCopies deletes later copies of ids, if any copy is newer than the batch that was checked last.
func (s *Store) removeCopies(ctx context.Context, run uuid.UUID, window int64) (removed int64, err error) {
	checked, err := s.checkedBatch(ctx)
	if err != nil || s.batch <= checked {
		return 0, err
	}
	found, err := s.findCopies(ctx, checked)
	if err != nil {
		return 0, err
	}
	if found > 0 {
		if removed, err = s.deleteCopies(run, window); err != nil {
			return 0, err
		}
	}
	if _, err := s.writer.execArgs("DELETE FROM meta WHERE key = $1", inspect.CheckedKey); err != nil {
		return 0, err
	}
	_, err = s.writer.execArgs("INSERT INTO meta VALUES ($1, $2)", inspect.CheckedKey, strconv.FormatInt(s.batch, 10))
	return removed, err
}

// deleteCopies deletes the events that table copies names, and empties that table.
func (s *Store) deleteCopies(run uuid.UUID, window int64) (removed int64, err error) {
	w := s.writer
	if _, err := w.execArgs(`INSERT INTO page_log (batch, run, window_id, endpoint, returned, stored, duplicate, conflict, rejected, resumed, outside, checksum)
		SELECT batch, $1, $2, 'closing check', 0, -count(*), count(*), count(*), 0, false, 0, `+inspect.ChecksumOf("-sum(checksum::HUGEINT)")+`
		FROM copies GROUP BY batch`, run, window); err != nil {
		return 0, err
	}
	if removed, err = w.exec("DELETE FROM events WHERE rowid IN (SELECT copy FROM copies)"); err != nil {
		return 0, err
	}
	_, err = w.exec("DELETE FROM copies")
	return removed, err
}

// findCopies fills table copies and returns how many there are. Nearly always there are none, which a
// search proves in a fraction of the time that SQL takes. SQL confirms the candidates of the search.
func (s *Store) findCopies(ctx context.Context, checked int64) (found int64, err error) {
	ids := func(where string) idReader {
		return func(ctx context.Context, yield func([]halves) error) error {
			return s.writer.readIDs(ctx, "SELECT id FROM events "+where, yield)
		}
	}
	search := idSearch{fresh: ids(""), all: ids(""), searchLimits: s.search}
	recent := ""
	if checked > 0 {
		recent = fmt.Sprintf("WHERE batch > %d", checked)
		search.fresh, search.others = ids(recent), ids(fmt.Sprintf("WHERE batch <= %d", checked))
	}
	newCount, err := s.writer.count("SELECT count(*) FROM events " + recent)
	if err != nil || newCount == 0 {
		return 0, err
	}
	search.newCount = int(newCount)
	twice, err := search.find(ctx)
	switch {
	case errors.Is(err, errCandidates):
		return s.confirmAll(ctx, checked, newCount)
	case err != nil || len(twice) == 0:
		return 0, err
	}
	return s.confirmCopies(twice, checked)
}

// copiesAmong adds to table copies the events that are not the first with their ids, of the ids that a
// query returns.
func (s *Store) copiesAmong(ids string) (found int64, err error) {
	return s.writer.exec(fmt.Sprintf(`INSERT INTO copies
		SELECT copy, batch, checksum FROM (
			SELECT rowid AS copy, batch, %s AS checksum, row_number() OVER (PARTITION BY id ORDER BY batch, rowid) AS n
			FROM events WHERE id IN (%s))
		WHERE n > 1`, inspect.ChecksumOf(inspect.ChecksumTerm), ids))
}

// confirmCopies finds the copies among the candidates.
func (s *Store) confirmCopies(ids []uuid.UUID, checked int64) (found int64, err error) {
	w := s.writer
	err = w.insert("candidates", len(ids), func(columns []duck.Column, row, n int) { columns[candidateID].UUID(row, ids[n]) }, nil)
	if err != nil {
		return 0, err
	}
	// Earlier checks have seen the ids of which no copy is new.
	if found, err = s.copiesAmong(fmt.Sprintf(`SELECT id FROM events WHERE id IN (SELECT id FROM candidates)
		GROUP BY id HAVING count(*) > 1 AND max(batch) > %d`, checked)); err != nil {
		return 0, err
	}
	_, err = w.exec("DELETE FROM candidates")
	return found, err
}

// confirmAll finds the copies among all ids, one share at a time.
func (s *Store) confirmAll(ctx context.Context, checked, newCount int64) (found int64, err error) {
	shares := newCount/idsAtOnce + 1
	for share := range shares {
		if err := ctx.Err(); err != nil {
			return 0, err
		}
		recent := ""
		if checked > 0 {
			recent = fmt.Sprintf("AND id IN (SELECT id FROM events WHERE batch > %d AND hash(id) %% %d = %d)", checked, shares, share)
		}
		n, err := s.copiesAmong(fmt.Sprintf("SELECT id FROM events WHERE hash(id) %% %d = %d %s GROUP BY id HAVING count(*) > 1", shares, share, recent))
		if err != nil {
			return 0, err
		}
		found += n
	}
	return found, nil
}
