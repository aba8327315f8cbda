package figures

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"
)

// ErrorType is the type of the events that are errors.
const ErrorType = "error"

// PurchaseType is the type of the events that are purchases.
const PurchaseType = "purchase"

// Steps are the event types of the funnel, in order.
var Steps = []string{"page_view", "click", "form_submit", "purchase"}

// Options say which events the figures are of.
type Options struct {
	// Since and Until bound the events: at Since or later, and before Until. A zero time is no
	// bound.
	Since, Until time.Time
	// Batch, if not 0, is the last batch whose events count.
	Batch int64
}

// Figures are what the events of a period add up to.
type Figures struct {
	Period    Period
	Counts    Counts
	Users     Users
	Sessions  Sessions
	Funnel    Funnel
	Retention Retention
	// Comparison has the figures of the last full days beside those of the days before.
	Comparison Comparison
	// Worst is nil if no hour is an outlier.
	Worst *WorstHour
}

// Read reads the figures of a file that is open for reading, over connections of its own. An empty
// file or period is no error: its figures are zero.
func Read(ctx context.Context, db *sql.DB, opts Options) (_ *Figures, err error) {
	conn, err := db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	r := reader{ctx: ctx, db: db, conn: conn, opts: opts}
	f := &Figures{}
	for _, read := range []func(*Figures) error{r.period, r.counts, r.sessions, r.users, r.funnel, r.retention, r.comparison, r.worst} {
		if err := read(f); err != nil {
			return nil, fmt.Errorf("figures: %w", err)
		}
	}
	return f, nil
}

// reader reads figures over one connection.
type reader struct {
	ctx  context.Context
	db   *sql.DB
	conn *sql.Conn
	opts Options
	// oldest and newest are the instants of the first and the last event of the file; zero if there is none.
	oldest, newest time.Time
}

// where is the condition that an event is in the period, as literals: DuckDB prunes row groups by
// them.
func (r *reader) where() string {
	return "WHERE true" + r.between(r.opts.Since, r.opts.Until)
}

// between is the condition that an event is at from or later and before to, and is in the batches of the
// figures. It begins with AND. A zero time is no bound.
func (r *reader) between(from, to time.Time) string {
	bounds := ""
	if !from.IsZero() {
		bounds += fmt.Sprintf(` AND "timestamp" >= make_timestamptz(%d)`, from.UnixMicro())
	}
	if !to.IsZero() {
		bounds += fmt.Sprintf(` AND "timestamp" < make_timestamptz(%d)`, to.UnixMicro())
	}
	if r.opts.Batch != 0 {
		bounds += fmt.Sprintf(" AND batch <= %d", r.opts.Batch)
	}
	return bounds
}

// each calls scan for every row of a query.
func (r *reader) each(query string, scan func(*sql.Rows) error) (err error) {
	rows, err := r.conn.QueryContext(r.ctx, query)
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

// one scans the only row of a query.
func (r *reader) one(query string, into ...any) error {
	return r.conn.QueryRowContext(r.ctx, query).Scan(into...)
}
