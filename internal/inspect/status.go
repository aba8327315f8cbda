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

// Status is what a file says of itself. Its JSON is what datasync status --json
// prints.
type Status struct {
	Path string `json:"path"`
	// Bytes is the size of the file and its write-ahead log.
	Bytes  int64  `json:"file_size"`
	Origin string `json:"origin"`
	// LockHolder is a process that has the file open, if there is one.
	LockHolder *dbfile.Holder `json:"lock_holder"`
	// Complete says that every window was walked to its end, that the closing check
	// has been made, and that no event is missing by the API's own count.
	Complete bool `json:"complete"`
	// CursorAlive says whether the next pull can go on by the cursor of the newest window
	// that is under way, by our clock; it is nil where none is.
	CursorAlive *bool `json:"cursor_alive"`
	// From is where the file begins, where the pull was limited in time.
	From *time.Time `json:"from"`
	// Windows are those of which something is stored, the newest first.
	Windows []WindowStatus `json:"windows"`
	Events  int64          `json:"stored"`
	// Newest and Oldest are the instants of events.
	Newest     *time.Time `json:"newest"`
	Oldest     *time.Time `json:"oldest"`
	Duplicates int64      `json:"duplicates"`
	Conflicts  int64      `json:"conflicts"`
	// Rejected counts the rejects that are not resolved, by reason.
	Rejected map[string]int64 `json:"rejected"`
	Resolved int64            `json:"resolved"`
	// Total is how many events the API said to have when the newest window's walk
	// began. Missing is how many of them are not here, at least; it is nil where that cannot be
	// told. Gone is how many events here are no longer at the API, at least, Copies how
	// many that the API counts are exact copies of others.
	Total   *int64 `json:"total"`
	Missing *int64 `json:"missing"`
	Gone    int64  `json:"no_longer_at_api"`
	Copies  int64  `json:"copies"`
	// ToTheEnd is when the last walk to the end began that came there: what came later than the
	// lookback is here as of then. It is nil where there was none, or an older version walked.
	ToTheEnd *time.Time `json:"walked_to_end_at"`
	// Unusable says that the last pull met little that could be stored, LookedInto that a walk to
	// the end has not found what is missing.
	Unusable   bool `json:"-"`
	LookedInto bool `json:"-"`
	// CompletedAt is when the last run began that ended complete.
	CompletedAt *time.Time  `json:"completed_at"`
	Runs        []RunStatus `json:"runs"` // the newest first
	// NotBefore is until when each endpoint asked to be left alone, where that is not over;
	// NotBeforeLeft is how long that is from now on, in seconds.
	NotBefore     map[string]time.Time `json:"not_before"`
	NotBeforeLeft map[string]float64   `json:"not_before_s"`
}

// WindowStatus is a window in a Status.
type WindowStatus struct {
	Window int64 `json:"window"`
	// PartOf is the window of which this is a part, where it is one.
	PartOf    *int64      `json:"part_of"`
	State     model.State `json:"state"`
	Upper     *time.Time  `json:"upper"`
	Lower     *time.Time  `json:"lower"`
	Last      *time.Time  `json:"last"`
	Pages     int64       `json:"pages"`
	Events    int64       `json:"events"`
	Unordered bool        `json:"unordered"`
	// CursorAlive says whether the cursor to go on with should still live, by our
	// clock; it is nil where there is none or its end is not known.
	CursorAlive *bool `json:"cursor_alive"`
}

// RunStatus is a run in a Status.
type RunStatus struct {
	Run       string     `json:"run"`
	Began     time.Time  `json:"began"`
	Ended     *time.Time `json:"ended"`
	Outcome   string     `json:"outcome"`
	Stored    *int64     `json:"stored"`
	Duplicate *int64     `json:"duplicate"`
	Rejected  *int64     `json:"rejected"`
	Waiting   *float64   `json:"waiting_s"`
}

// RejectSample is one of the rejects of a reason.
type RejectSample struct {
	Reason string `json:"reason"`
	Raw    string `json:"raw"`
}

// statusRuns is how many runs a Status has.
const statusRuns = 5

// ReadStatus reads the status of the file at path, which is open to read. It fails
// with an *Error of kind ErrOlder where the file must be brought up to date first.
func ReadStatus(ctx context.Context, db *sql.DB, path string, now time.Time) (Status, error) {
	// What a killed pull noted and could not commit any more counts, too.
	notes := ""
	if file, _, err := dbfile.Resolve(path); err == nil {
		notes = dbfile.NotesOf(file)
	}
	s, err := readStatus(ctx, db, path, notes, now)
	for i := range s.Runs {
		if s.Runs[i].Outcome == "running" {
			// The file could be opened: nobody writes to it any more.
			s.Runs[i].Outcome = "killed"
		}
	}
	return s, err
}

// ReadLiveStatus is ReadStatus for the pull that has the file open.
func ReadLiveStatus(ctx context.Context, db *sql.DB, path string, now time.Time) (Status, error) {
	return readStatus(ctx, db, path, "", now)
}

func readStatus(ctx context.Context, db *sql.DB, path, notes string, now time.Time) (Status, error) {
	s := Status{Path: path, Windows: []WindowStatus{}, Rejected: map[string]int64{}, Runs: []RunStatus{}}
	if file, _, err := dbfile.Resolve(path); err == nil { // a link's log is where it leads
		for _, name := range []string{file, file + ".wal"} {
			if info, err := os.Stat(name); err == nil {
				s.Bytes += info.Size()
			}
		}
	}
	var newest, oldest sql.NullInt64
	var completed sql.NullTime
	var settled bool
	meta, err := ReadCurrentMeta(ctx, db, path)
	if err != nil {
		return s, err
	}
	s.Origin = meta["origin"]
	err = errors.Join(
		db.QueryRowContext(ctx, `SELECT count(*), epoch_us(max("timestamp")), epoch_us(min("timestamp")) FROM events`).Scan(&s.Events, &newest, &oldest),
		db.QueryRowContext(ctx, `SELECT coalesce(sum(duplicate), 0)::BIGINT, coalesce(sum(conflict), 0)::BIGINT FROM page_log`).Scan(&s.Duplicates, &s.Conflicts),
		db.QueryRowContext(ctx, `SELECT coalesce(max(batch), 0) <= CAST(? AS BIGINT) FROM page_log`, cmp.Or(meta[CheckedKey], "0")).Scan(&settled),
		db.QueryRowContext(ctx, `SELECT arg_max(began_at, rowid) FROM runs WHERE outcome = 'complete'`).Scan(&completed),
		s.readRejects(ctx, db), s.readRuns(ctx, db))
	if err != nil {
		return s, dbfile.Translate(path, err)
	}
	if newest.Valid {
		s.Newest, s.Oldest = instantTime(model.Instant(newest.Int64)), instantTime(model.Instant(oldest.Int64))
	}
	if completed.Valid {
		at := completed.Time.UTC()
		s.CompletedAt = &at
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
	s.Complete = settled && !s.Unusable
	s.weigh(model.WitnessOf(windows, repeats))
	s.takeWindows(slices.DeleteFunc(windows, func(k model.Checkpoint) bool { return k.NeverBegun() }), now)
	w, err := ReadWaits(path, meta, notes, now)
	if err != nil {
		return s, err
	}
	s.NotBefore, s.NotBeforeLeft = StillOpen(w.Opens, now), map[string]float64{}
	for endpoint, until := range s.NotBefore {
		s.NotBefore[endpoint] = until.UTC()
		s.NotBeforeLeft[endpoint] = until.Sub(now).Round(time.Millisecond).Seconds()
	}
	return s, nil
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
	if len(windows) > 0 && windows[0].Floor.Valid {
		s.From = instantTime(windows[0].Floor.V)
	}
}

// weigh takes in what the API's totals say.
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

// rejects is how many rejects are not resolved.
func (s *Status) rejects() (n int64) {
	for _, each := range s.Rejected {
		n += each
	}
	return n
}

// unusable reports whether the last pull that ended met little that could be stored.
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
	rows, err := db.QueryContext(ctx, fmt.Sprintf(`SELECT run::VARCHAR, began_at, ended_at, outcome, stored, duplicate, rejected, waiting_s
		FROM runs ORDER BY rowid DESC LIMIT %d`, statusRuns))
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var r RunStatus
		if err := rows.Scan(&r.Run, &r.Began, &r.Ended, &r.Outcome, &r.Stored, &r.Duplicate, &r.Rejected, &r.Waiting); err != nil {
			return err
		}
		s.Runs = append(s.Runs, r)
	}
	return rows.Err()
}

// RejectSamples returns up to n rejects of each reason that are not resolved, the first
// that came. However many there are, it needs little memory: a pull may be at work.
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
