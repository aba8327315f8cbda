package figures

import (
	"context"
	"database/sql"
	"errors"
	"time"
)

// Pull says how a pull went: what it read, what it waited for, and what the API refused.
type Pull struct {
	Began, Ended time.Time
	// Outcome is that of table runs, such as complete.
	Outcome string
	// Minimum is the time that the API needs at least, by its limits and its speed; not valid if it
	// is not known. Waiting is the time without a request in flight because of waits.
	Minimum sql.Null[time.Duration]
	Waiting time.Duration
	// Reread is the number of pages that were requested a second time because of their rejects.
	Reread   int64
	Batches  []Batch
	Waits    []Wait
	Refusals []Refusal
}

// Batch says how the pages of a commit, or of several, were fetched from one endpoint.
type Batch struct {
	Number      int64
	Endpoint    string
	CommittedAt time.Time
	Pages       int64
	// Events is the number of elements on the pages.
	Events int64
	Bytes  int64
	// Took is the time of the requests, added up.
	Took time.Duration
}

// Wait is a time in which an endpoint was not asked, or several.
type Wait struct {
	Endpoint, Reason string
	From, To         time.Time
	Count            int64
	// Ordered is the time that the endpoint asked for, 0 if it named none; Actual is that of the wait.
	Ordered, Actual time.Duration
	// Waiting is the part of Actual without a request in flight.
	Waiting time.Duration
}

// Refusal is an answer by which the API refused a request, or several alike.
type Refusal struct {
	Endpoint string
	// Refused is rate limit, token, key, cursor or page size.
	Refused  string
	From, To time.Time
	Count    int64
}

// ReadPull reads how the newest pull went that stored a batch; nil if there is none, or if an older
// version made it.
func ReadPull(ctx context.Context, db *sql.DB) (*Pull, error) {
	p := &Pull{}
	var run string
	var began int64
	var ended, reread sql.NullInt64
	var minimum, waiting sql.NullFloat64
	err := db.QueryRowContext(ctx, `SELECT run::VARCHAR, epoch_us(began_at), epoch_us(ended_at), outcome, minimum_s, waiting_s, reread_pages FROM runs
		WHERE run IN (SELECT run FROM batches) ORDER BY began_at DESC, rowid DESC LIMIT 1`).Scan(&run, &began, &ended, &p.Outcome, &minimum, &waiting, &reread)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	p.Began, p.Ended = micros(began), micros(ended.Int64)
	p.Waiting, p.Reread = seconds(waiting.Float64), reread.Int64
	if minimum.Valid {
		p.Minimum = sql.Null[time.Duration]{V: seconds(minimum.Float64), Valid: true}
	}
	err = errors.Join(
		each(ctx, db, `SELECT batch, endpoint, epoch_us(committed_at), pages, returned, bytes, took_s FROM batches WHERE run = CAST(? AS UUID) ORDER BY committed_at, batch`, run,
			func(rows *sql.Rows) error {
				var b Batch
				var at int64
				var took float64
				err := rows.Scan(&b.Number, &b.Endpoint, &at, &b.Pages, &b.Events, &b.Bytes, &took)
				b.CommittedAt, b.Took = micros(at), seconds(took)
				p.Batches = append(p.Batches, b)
				return err
			}),
		each(ctx, db, `SELECT endpoint, reason, epoch_us(began_at), epoch_us(ended_at), waits, coalesce(ordered_s, 0), actual_s, waiting_s FROM waits WHERE run = CAST(? AS UUID) ORDER BY began_at`, run,
			func(rows *sql.Rows) error {
				var w Wait
				var from, to int64
				var ordered, actual, waiting float64
				err := rows.Scan(&w.Endpoint, &w.Reason, &from, &to, &w.Count, &ordered, &actual, &waiting)
				w.From, w.To, w.Ordered, w.Actual, w.Waiting = micros(from), micros(to), seconds(ordered), seconds(actual), seconds(waiting)
				p.Waits = append(p.Waits, w)
				return err
			}),
		each(ctx, db, `SELECT endpoint, refused, epoch_us(first_at), epoch_us(last_at), refusals FROM refusals WHERE run = CAST(? AS UUID) ORDER BY first_at`, run,
			func(rows *sql.Rows) error {
				var r Refusal
				var from, to int64
				err := rows.Scan(&r.Endpoint, &r.Refused, &from, &to, &r.Count)
				r.From, r.To = micros(from), micros(to)
				p.Refusals = append(p.Refusals, r)
				return err
			}))
	if !ended.Valid {
		p.Ended = p.Began
		if n := len(p.Batches); n > 0 {
			p.Ended = p.Batches[n-1].CommittedAt // the pull runs, or was killed
		}
	}
	return p, err
}

// seconds converts seconds to a duration.
func seconds(s float64) time.Duration { return time.Duration(s * float64(time.Second)) }

// each calls scan for every row of a query about a run.
func each(ctx context.Context, db *sql.DB, query, run string, scan func(*sql.Rows) error) (err error) {
	rows, err := db.QueryContext(ctx, query, run)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		if err := scan(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}
