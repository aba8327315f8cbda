package store

import (
	"context"
	"errors"
	"fmt"

	"datasync/internal/dbfile"
	"datasync/internal/failpoint"
	"datasync/internal/model"

	"github.com/google/uuid"
)

// Finalize makes the closing check of a run, in one transaction:
//
//   - It deletes later copies of an id. They have another instant than the first, as CommitBatch
//     stores no others. The page log gets a row for each batch that lost copies, which corrects
//     its counts.
//   - It resolves rejects that are stored by now, or are another reading of a stored reject.
//   - It ends windows whose range a newer window has walked.
func (s *Store) Finalize(ctx context.Context, run uuid.UUID, window int64) (_ model.Finalized, err error) {
	defer s.write(&err)()
	if err := ctx.Err(); err != nil {
		return model.Finalized{}, err
	}
	if err := s.inPlace(); err != nil {
		return model.Finalized{}, err
	}
	if _, err := s.writer.exec("BEGIN TRANSACTION"); err != nil {
		return model.Finalized{}, dbfile.Translate(s.path, err)
	}
	finalized, err := s.finalize(ctx, run, window)
	if err != nil {
		_, _ = s.writer.exec("ROLLBACK")
		if errEnd := ctx.Err(); errEnd != nil && errors.Is(err, errEnd) {
			return model.Finalized{}, errEnd
		}
		return model.Finalized{}, dbfile.Translate(s.path, err)
	}
	failpoint.Hit("f8")
	failpoint.Soon("f9")
	if _, err := s.writer.exec("COMMIT"); err != nil {
		return model.Finalized{}, dbfile.Translate(s.path, err)
	}
	failpoint.Hit("f10")
	return finalized, nil
}

func (s *Store) finalize(ctx context.Context, run uuid.UUID, window int64) (done model.Finalized, err error) {
	resolve, err := s.resolve(ctx)
	if err != nil {
		return done, err
	}
	if done.Removed, err = s.removeCopies(ctx, run, window); err != nil {
		return done, err
	}
	w := s.writer
	// Only the row of the last commit counts. The cursor of an earlier row is outdated.
	if _, err = w.exec("DELETE FROM checkpoints c WHERE batch < (SELECT max(batch) FROM checkpoints n WHERE n.window_id = c.window_id)"); err != nil {
		return done, err
	}
	if err := w.endOlder(); err != nil {
		return done, err
	}
	if done.Events, err = w.count("SELECT count(*) FROM events"); err != nil {
		return done, err
	}
	const open = "SELECT count(*) FROM rejected_events WHERE NOT resolved"
	if done.Rejected, err = w.count(open); err != nil || done.Rejected == 0 {
		return done, err
	}
	n, err := w.exec(resolve + `NOT resolved AND id IS NOT NULL AND id IN (SELECT e.id FROM events e)`)
	if done.Rejected -= n; err != nil || done.Rejected == 0 {
		return done, err
	}
	n, err = s.resolveWithoutID(resolve, window, done.Events+done.Rejected)
	done.Rejected -= n
	return done, err
}

// resolve begins the statement by which a closing check resolves rejects, up to the condition. An export may have
// read all batches up to the one that was checked last, so the check names a later one.
func (s *Store) resolve(ctx context.Context) (string, error) {
	checked, err := s.checkedBatch(ctx)
	return fmt.Sprintf("UPDATE rejected_events SET resolved = true, resolved_batch = %d WHERE ", max(s.batch, checked+1)), err
}

// resolveWithoutID resolves rejects without an id that are other readings of stored elements, by the
// statement that update begins. It does so only while the file has more elements than the API: then the
// API may have sent an element once with its id and once without.
func (s *Store) resolveWithoutID(update string, window, elements int64) (resolved int64, err error) {
	w := s.writer
	total, err := w.count(fmt.Sprintf("SELECT coalesce(max(total), 0) FROM checkpoint WHERE window_id = %d AND floor IS NULL", window))
	if err != nil || elements <= total {
		return 0, err
	}
	if err := s.memory.raise(w, s.memory.most); err != nil {
		return 0, err
	}
	for _, resolve := range []string{resolveStored, resolveRejected} {
		surplus := elements - resolved - total
		if surplus <= 0 {
			break
		}
		n, err := w.exec(fmt.Sprintf(`%srowid IN (%s LIMIT %d)`, update, resolve, surplus))
		if err != nil {
			return resolved, err
		}
		resolved += n
	}
	return resolved, nil
}

// endOlder ends the windows that are older than one that was walked to its start bound or to the end:
// that walk covers the rest of theirs.
func (w *writer) endOlder() error {
	_, err := w.exec(`UPDATE checkpoints SET state = 'done', cursor = NULL WHERE state <> 'done' AND whole < (SELECT max(whole) FROM (
		SELECT whole FROM checkpoint WHERE NOT absorbed GROUP BY whole HAVING bool_and(state = 'done') AND bool_or(lower IS NOT DISTINCT FROM floor)))`)
	return err
}

// digests are the unresolved rejects with the fields that identify an element without its id.
const digests = `WITH digests AS (
	SELECT rowid AS line, batch, id, "timestamp" AS instant, CASE WHEN json_valid(raw) THEN lower(raw ->> '$.sessionId') END AS session,
		CASE WHEN json_valid(raw) THEN raw ->> '$.type' END AS type, coalesce(CASE WHEN json_valid(raw) THEN raw ->> '$.name' END, '') AS name
	FROM rejected_events WHERE NOT resolved)
`

// resolveStored finds the rejects without an id that agree with a stored event in all fields that an
// event must have, and in the name.
const resolveStored = digests + `SELECT line FROM digests WHERE id IS NULL AND (instant, session, type, name)
	IN (SELECT (e."timestamp", e.session_id::VARCHAR, e.type, coalesce(e.name, '')) FROM events e WHERE e."timestamp" IN (SELECT instant FROM digests WHERE id IS NULL))
	ORDER BY batch, line`

// resolveRejected finds other readings of a reject that is stored with its id, or earlier. Both agree in
// the name, in the instant or the session, and in whatever else both have.
const resolveRejected = digests + `SELECT DISTINCT r.line FROM digests r JOIN digests o ON r.name = o.name AND r.line <> o.line
	WHERE r.id IS NULL AND (o.id IS NOT NULL OR (o.batch, o.line) < (r.batch, r.line)) AND r.name <> '' AND (r.instant = o.instant OR r.session = o.session)
	AND coalesce(r.instant = o.instant, true) AND coalesce(r.session = o.session, true) ORDER BY r.line`
