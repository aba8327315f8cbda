package inspect

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"

	"datasync/internal/dbfile"
	"datasync/internal/model"
)

// statusRuns is how many runs a Status has.
const statusRuns = 5

// ReadStatus reads the status of the file at path, which is open for reading. It fails with
// dbfile.ErrOlder for a file of an older schema.
func ReadStatus(ctx context.Context, db *sql.DB, path string, now time.Time) (Status, error) {
	// A pull may have noted waits, and how it ended, that it did not commit.
	notes := ""
	if file, _, err := dbfile.Resolve(path); err == nil {
		notes = dbfile.NotesOf(file)
	}
	s, err := readStatus(ctx, db, path, notes, now)
	s.takeEndings(ReadEndings(notes))
	return s, err
}

// ReadLiveStatus is ReadStatus for the pull that has the file open: its run is running, and all of
// its waits are in the database.
func ReadLiveStatus(ctx context.Context, db *sql.DB, path string, now time.Time) (Status, error) {
	return readStatus(ctx, db, path, "", now)
}

func readStatus(ctx context.Context, db *sql.DB, path, notes string, now time.Time) (Status, error) {
	var s Status
	s.Path, s.Windows, s.Rejected, s.Runs = path, []WindowStatus{}, map[string]int64{}, []RunStatus{}
	s.readSize()
	meta, err := ReadCurrentMeta(ctx, db, path)
	if err != nil {
		return s, err
	}
	s.Origin = meta["origin"]
	var finalized bool
	err = errors.Join(s.readEvents(ctx, db), s.readRejects(ctx, db), s.readRuns(ctx, db),
		db.QueryRowContext(ctx, `SELECT coalesce(max(batch), 0) <= CAST(? AS BIGINT) FROM page_log`, cmp.Or(meta[CheckedKey], "0")).Scan(&finalized))
	if err == nil {
		s.NewFields, err = ReadNewFields(ctx, db, meta)
	}
	if err != nil {
		return s, dbfile.Translate(path, err)
	}
	windows, err := ReadWindows(ctx, db)
	if err != nil {
		return s, dbfile.Translate(path, err)
	}
	repeats, err := ReadRepeats(ctx, db)
	if err != nil {
		return s, dbfile.Translate(path, err)
	}
	deficit, err := DeficitOf(meta)
	if err != nil {
		return s, &model.FileError{Kind: dbfile.ErrDamaged, Path: path, Detail: err.Error()}
	}
	s.Unusable, s.LookedInto = s.unusable(), deficit.Walked
	s.Complete = finalized && !s.Unusable
	s.weigh(model.WitnessOf(windows, repeats))
	s.takeWindows(slices.DeleteFunc(windows, func(k model.Checkpoint) bool { return k.NeverBegun() }), now)
	return s, s.takeWaits(meta, notes, now)
}

// readSize adds the sizes of the file and its log.
func (s *Status) readSize() {
	file, _, err := dbfile.Resolve(s.Path) // the log is beside the target of a link
	if err != nil {
		return
	}
	for _, name := range []string{file, file + ".wal"} {
		if info, err := os.Stat(name); err == nil {
			s.Bytes += info.Size()
		}
	}
}

func (s *Status) readEvents(ctx context.Context, db *sql.DB) error {
	var newest, oldest sql.NullInt64
	err := errors.Join(
		db.QueryRowContext(ctx, `SELECT count(*), epoch_us(max("timestamp")), epoch_us(min("timestamp")) FROM events`).Scan(&s.Events, &newest, &oldest),
		db.QueryRowContext(ctx, `SELECT coalesce(sum(duplicate), 0)::BIGINT, coalesce(sum(conflict), 0)::BIGINT FROM page_log`).Scan(&s.Duplicates, &s.Conflicts))
	if newest.Valid {
		s.Newest, s.Oldest = instantTime(model.Instant(newest.Int64)), instantTime(model.Instant(oldest.Int64))
	}
	return err
}

// takeWaits adds the waits of table meta and of the notes that are not over.
func (s *Status) takeWaits(meta map[string]string, notes string, now time.Time) error {
	w, err := ReadWaits(s.Path, meta, notes, now)
	if err != nil {
		return err
	}
	s.NotBefore, s.NotBeforeLeft = StillOpen(w.Opens, now), map[string]float64{}
	for endpoint, until := range s.NotBefore {
		s.NotBefore[endpoint] = until.UTC()
		s.NotBeforeLeft[endpoint] = until.Sub(now).Round(time.Millisecond).Seconds()
	}
	return nil
}

func (s *Status) takeWindows(windows []model.Checkpoint, now time.Time) {
	s.Complete = s.Complete && len(windows) > 0
	for _, k := range windows {
		w := WindowStatus{Window: k.Window, State: k.State, Pages: k.Pages, Events: k.Events, Unordered: k.Unordered}
		if k.IsShard() {
			w.PartOf = &k.Whole
		}
		if k.Upper.Valid {
			w.Upper = instantTime(k.Upper.V)
		}
		if k.Lower.Valid {
			w.Lower = instantTime(k.Lower.V)
		}
		if k.Last.Valid {
			w.Last = instantTime(k.Last.V.Timestamp)
		}
		if k.Cursor != "" && !k.CursorExpiresAt.IsZero() {
			alive := k.CursorExpiresAt.After(now)
			w.CursorAlive = &alive
			s.CursorAlive = cmp.Or(s.CursorAlive, &alive)
		}
		s.Windows = append(s.Windows, w)
		s.Complete = s.Complete && k.State == model.Done
	}
	if len(windows) > 0 && windows[0].StartBound.Valid {
		s.From = instantTime(windows[0].StartBound.V)
	}
}

// weigh compares the file with the API's totals.
func (s *Status) weigh(w model.Witness) {
	if !w.ToTheEnd.IsZero() {
		at := w.ToTheEnd.UTC()
		s.ToTheEnd = &at
	}
	if w.First.Valid {
		s.Total = &w.First.V
	}
	balance := w.Weigh(s.Events + s.rejects())
	if b := balance.V; balance.Valid {
		s.Gone, s.Copies = b.Gone, b.Copies
		if b.Gone == 0 && !b.Unclear {
			s.Missing = &b.Missing
		}
		s.Complete = s.Complete && b.Missing == 0
	}
}

// rejects returns how many rejects are not resolved.
func (s *Status) rejects() (n int64) {
	for _, each := range s.Rejected {
		n += each
	}
	return n
}

// unusable reports whether the last pull that ended could store little of what it fetched.
func (s *Status) unusable() bool {
	var stored, rejected int64
	for _, r := range s.Runs {
		if r.Ended != nil && r.Stored != nil && r.Rejected != nil {
			stored, rejected = *r.Stored, *r.Rejected
			break
		}
	}
	return model.Unusable(s.Events, s.rejects(), stored, rejected)
}

func instantTime(i model.Instant) *time.Time {
	t := i.Time()
	return &t
}

func (s *Status) readRejects(ctx context.Context, db *sql.DB) error {
	rows, err := db.QueryContext(ctx, "SELECT reason, resolved, count(*) FROM rejected_events GROUP BY ALL")
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var reason string
		var resolved bool
		var n int64
		if err := rows.Scan(&reason, &resolved, &n); err != nil {
			return err
		}
		if resolved {
			s.Resolved += n
		} else {
			s.Rejected[reason] = n
		}
	}
	return rows.Err()
}

func (s *Status) readRuns(ctx context.Context, db *sql.DB) error {
	var completed sql.NullTime
	if err := db.QueryRowContext(ctx, `SELECT arg_max(began_at, rowid) FROM runs WHERE outcome = 'complete'`).Scan(&completed); err != nil {
		return err
	}
	if completed.Valid {
		at := completed.Time.UTC()
		s.CompletedAt = &at
	}
	rows, err := db.QueryContext(ctx, fmt.Sprintf(`SELECT run::VARCHAR, began_at, ended_at, outcome, reason, stored, duplicate, rejected, waiting_s
		FROM runs ORDER BY rowid DESC LIMIT %d`, statusRuns))
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var r RunStatus
		if err := rows.Scan(&r.Run, &r.Began, &r.Ended, &r.Outcome, &r.Reason, &r.Stored, &r.Duplicate, &r.Rejected, &r.Waiting); err != nil {
			return err
		}
		s.Runs = append(s.Runs, r)
	}
	return rows.Err()
}

// RejectSamples returns the first n rejects of each reason that are not resolved. It needs little
// memory for any number of rejects, as it may run within a pull.
func RejectSamples(ctx context.Context, db *sql.DB, n int) ([]RejectSample, error) {
	rows, err := db.QueryContext(ctx, fmt.Sprintf(`SELECT reason, raw FROM rejected_events WHERE rowid IN
		(SELECT unnest(min(rowid, %d)) FROM rejected_events WHERE NOT resolved GROUP BY reason) ORDER BY reason, batch, rowid`, n))
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	var samples []RejectSample
	for rows.Next() {
		var s RejectSample
		if err := rows.Scan(&s.Reason, &s.Raw); err != nil {
			return nil, err
		}
		samples = append(samples, s)
	}
	return samples, rows.Err()
}
