package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"datasync/internal/dbfile"
	"datasync/internal/duck"
	"datasync/internal/model"
)

// Facts are what a pull records of itself: tables batches, waits and refusals. Decision 026.

const (
	// factsShare is how many bytes of the file there are for each byte of facts, leastFacts how many bytes facts may
	// take in any file: four blocks.
	factsShare = 1000
	leastFacts = 4 * 256 << 10
	// factBytes is how many bytes a row of facts takes at most, runBytes how many more the first one of a run.
	factBytes, runBytes = 20, 28
)

// factTable says how the rows of a table of facts are summed up if they are too many.
type factTable struct {
	name string
	// share is the part of the room for facts that the table gets, in eighths.
	share int64
	// kind has the columns that differ from one kind of row to another, at the columns in whose order rows of a kind
	// are summed up.
	kind, at string
	// sums are the columns of a sum of rows, except for those of kind and run.
	sums string
}

// factTables has the tables of facts.
func factTables() []factTable {
	return []factTable{
		{"batches", 4, "endpoint", "batch", `max(batch) AS batch, max(committed_at) AS committed_at, sum(batches)::BIGINT AS batches, sum(pages)::BIGINT AS pages,
			sum(returned)::BIGINT AS returned, sum(bytes)::BIGINT AS bytes, sum(wire_bytes)::BIGINT AS wire_bytes, sum(took_s) AS took_s, max(in_flight) AS in_flight`},
		{"waits", 3, "endpoint, reason, answer", "began_at", `CASE WHEN count(*) = 1 THEN any_value(batch) END AS batch, min(began_at) AS began_at, max(ended_at) AS ended_at,
			sum(waits)::BIGINT AS waits, sum(ordered_s) AS ordered_s, sum(actual_s) AS actual_s, sum(waiting_s) AS waiting_s`},
		{"refusals", 1, "endpoint, refused, answer", "first_at", `CASE WHEN count(*) = 1 THEN any_value(batch) END AS batch, min(first_at) AS first_at, max(last_at) AS last_at,
			sum(refusals)::BIGINT AS refusals`},
	}
}

// writeFacts stores the facts of the batch. It is the last thing before COMMIT, which is sent now.
func (c *commit) writeFacts(f *model.Facts, run uuid.UUID) error {
	sent := time.Now()
	if !f.Began.IsZero() {
		sent = f.At(sent)
	}
	err := c.w.insertFew("batches", len(f.Fetched), func(columns []duck.Column, row, n int) {
		p := &f.Fetched[n]
		columns[fetchedBatch].Int64(row, c.batch)
		columns[fetchedRun].UUID(row, run)
		columns[fetchedEndpoint].Text(row, p.Endpoint)
		columns[fetchedCommittedAt].Int64(row, int64(model.InstantOf(sent)))
		columns[fetchedBatches].Int64(row, 1)
		columns[fetchedPages].Int64(row, p.Pages)
		columns[fetchedReturned].Int64(row, p.Returned)
		columns[fetchedBytes].Int64(row, p.Bytes)
		columns[fetchedWireBytes].Int64(row, p.Wire)
		columns[fetchedTook].Float64(row, seconds(p.Took))
		columns[fetchedInFlight].Int64(row, p.InFlight)
	})
	if err != nil {
		return err
	}
	err = c.w.insertFew("waits", len(f.Waits), func(columns []duck.Column, row, n int) {
		w := &f.Waits[n]
		columns[waitBatch].Int64(row, c.batch)
		columns[waitRun].UUID(row, run)
		columns[waitEndpoint].Text(row, w.Endpoint)
		columns[waitReason].Text(row, w.Reason)
		columns[waitAnswer].TextOrNull(row, w.Answer, w.Answer != "")
		columns[waitBeganAt].Int64(row, int64(model.InstantOf(f.At(w.Began))))
		columns[waitEndedAt].Int64(row, int64(model.InstantOf(f.At(w.Ended))))
		columns[waitWaits].Int64(row, w.Count)
		if columns[waitOrdered].Float64(row, seconds(w.Ordered)); w.Ordered == 0 {
			columns[waitOrdered].Null(row)
		}
		columns[waitActual].Float64(row, seconds(w.Actual))
		columns[waitWaiting].Float64(row, seconds(w.Idle))
	})
	if err != nil {
		return err
	}
	return c.w.insertFew("refusals", len(f.Refusals), func(columns []duck.Column, row, n int) {
		r := &f.Refusals[n]
		columns[refusalBatch].Int64(row, c.batch)
		columns[refusalRun].UUID(row, run)
		columns[refusalEndpoint].Text(row, r.Endpoint)
		columns[refusalRefused].Text(row, r.Refused)
		columns[refusalAnswer].TextOrNull(row, r.Answer, r.Answer != "")
		columns[refusalFirstAt].Int64(row, int64(model.InstantOf(f.At(r.First))))
		columns[refusalLastAt].Int64(row, int64(model.InstantOf(f.At(r.Last))))
		columns[refusalRefusals].Int64(row, r.Count)
	})
}

// insertLastFacts stores the facts after the last batch of a run.
func insertLastFacts(ctx context.Context, tx *sql.Tx, r *model.Run) error {
	f, run := &r.Facts, r.ID.String()
	var errs []error
	insert := func(statement string, args ...any) {
		_, err := tx.ExecContext(ctx, statement, args...)
		errs = append(errs, err)
	}
	for _, w := range f.Waits {
		insert(`INSERT INTO waits BY NAME SELECT ?::UUID AS run, ? AS endpoint, ? AS reason, nullif(?, '') AS answer, make_timestamptz(?::BIGINT) AS began_at,
			make_timestamptz(?::BIGINT) AS ended_at, ? AS waits, nullif(?::DOUBLE, 0) AS ordered_s, ? AS actual_s, ? AS waiting_s`, run, w.Endpoint, w.Reason, w.Answer,
			int64(model.InstantOf(f.At(w.Began))), int64(model.InstantOf(f.At(w.Ended))), w.Count, seconds(w.Ordered), seconds(w.Actual), seconds(w.Idle))
	}
	for _, u := range f.Refusals {
		insert(`INSERT INTO refusals BY NAME SELECT ?::UUID AS run, ? AS endpoint, ? AS refused, nullif(?, '') AS answer, make_timestamptz(?::BIGINT) AS first_at,
			make_timestamptz(?::BIGINT) AS last_at, ? AS refusals`, run, u.Endpoint, u.Refused, u.Answer,
			int64(model.InstantOf(f.At(u.First))), int64(model.InstantOf(f.At(u.Last))), u.Count)
	}
	return errors.Join(errs...)
}

// seconds returns a duration in seconds, to the microsecond: more digits would not compress.
func seconds(d time.Duration) float64 { return float64(d.Round(time.Microsecond).Microseconds()) / 1e6 }

// boundFacts sums up rows of facts where a table has more than its share of the file. No batch may be
// written meanwhile.
func (s *Store) boundFacts(ctx context.Context, tx *sql.Tx) error {
	size, err := dbfile.SizeOf(s.path)
	if err != nil {
		return err
	}
	room := max(leastFacts, size/factsShare)
	tooMany := false
	for _, t := range factTables() {
		done, err := t.bound(ctx, tx, room*t.share/8)
		if err != nil {
			return fmt.Errorf("sum up rows of table %s: %w", t.name, err)
		}
		tooMany = tooMany || done
	}
	if !tooMany {
		return nil
	}
	return remakeFacts(ctx, tx)
}

// remakeFacts makes the tables of facts anew, with the rows of bound. Deleted rows would stay in the file until their
// row group is full.
func remakeFacts(ctx context.Context, tx *sql.Tx) error {
	script, err := migrations.ReadFile("migrations/0007_facts.sql")
	if err != nil {
		return err
	}
	create, _, _ := strings.Cut(string(script), "-- Up to here.")
	var before, after []string
	for _, t := range factTables() {
		before = append(before, "CREATE TEMP TABLE IF NOT EXISTS kept_"+t.name+" AS FROM main."+t.name, "DROP TABLE main."+t.name)
		after = append(after, "INSERT INTO main."+t.name+" BY NAME FROM kept_"+t.name, "DROP TABLE kept_"+t.name)
	}
	for _, statement := range slices.Concat(before, []string{create}, after) {
		if _, err := tx.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return nil
}

// bound creates temporary table kept_NAME with rows of at most half as many bytes as given, and reports true, if the
// table has more than that. Rows of one run are summed up, or of all runs if those of one are not enough.
func (t *factTable) bound(ctx context.Context, tx *sql.Tx, bytes int64) (done bool, err error) {
	var rows, runs int64
	err = tx.QueryRowContext(ctx, "SELECT count(*) FROM main."+t.name).Scan(&rows)
	if err != nil || rows*(factBytes+runBytes) <= bytes {
		return false, err // DuckDB makes a folder for a count of distinct runs, which may be forbidden
	}
	err = tx.QueryRowContext(ctx, "SELECT count(DISTINCT run) FROM main."+t.name).Scan(&runs)
	if err != nil || rows*factBytes+runs*runBytes <= bytes {
		return false, err
	}
	within, each := t.kind+", run", 1+2*rows*factBytes/bytes
	var left int64
	err = tx.QueryRowContext(ctx, fmt.Sprintf("SELECT coalesce(sum(ceil(n / %d)), 0)::BIGINT FROM (SELECT count(*) AS n FROM main.%s GROUP BY %s)", each, t.name, within)).Scan(&left)
	if err != nil {
		return false, err
	}
	if left*factBytes+runs*runBytes > bytes/2 {
		within = t.kind
	}
	_, err = tx.ExecContext(ctx, fmt.Sprintf(`CREATE TEMP TABLE kept_%[1]s AS SELECT %[2]s, CASE WHEN count(DISTINCT run) = 1 AND count(run) = count(*) THEN any_value(run) END AS run, %[3]s
		FROM (SELECT *, (row_number() OVER (PARTITION BY %[4]s ORDER BY %[5]s) - 1) // %[6]d AS sum_of FROM main.%[1]s) GROUP BY %[4]s, sum_of ORDER BY %[5]s`,
		t.name, t.kind, t.sums, within, t.at, each))
	return true, err
}
