package inspect

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"datasync/internal/dbfile"
	"datasync/internal/human"
)

// Fingerprint is equal for two files with the same events, even if different pulls made them: it
// leaves out batch numbers.
type Fingerprint struct {
	Events int64  `json:"events"`
	MinID  string `json:"min_id"`
	MaxID  string `json:"max_id"`
	// Hash is the sum of the rows' hashes. It depends on DuckDB's version.
	Hash string `json:"hash"`
}

// ReadFingerprint reads the fingerprint of the file at path, which is open for reading.
func ReadFingerprint(ctx context.Context, db *sql.DB, path string) (f Fingerprint, err error) {
	err = db.QueryRowContext(ctx, `SELECT count(*), coalesce(min(id)::VARCHAR, ''), coalesce(max(id)::VARCHAR, ''),
		coalesce(sum(hash(id, session_id, user_id, type, name, "timestamp", properties::VARCHAR, device_type, browser, extra::VARCHAR)::HUGEINT), 0)::VARCHAR
		FROM events`).Scan(&f.Events, &f.MinID, &f.MaxID, &f.Hash)
	return f, dbfile.Translate(path, err)
}

// Finding is a contradiction in a file.
type Finding struct {
	// Check names the check, such as "ids".
	Check  string `json:"check"`
	Detail string `json:"detail"`
}

// maxFindings is the number of findings of one query that are listed.
const maxFindings = 10

// check is a query of a file: each row that it returns is the text of a finding.
type check struct{ name, query string }

// pages is the page log in the order in which the pages of a window were walked. A walk starts from
// the newest event if it sends neither a cursor nor a bound; segment counts these starts. A page of
// more than a batch has several rows, and only the last of them has the cursor that it came with.
// Rows of an older version have no checksum.
const pages = `WITH pages AS (
	SELECT *, lag(cursor_sent) OVER walk AS sent_before, lag(cursor_received) OVER walk AS received_before, lag(until) OVER walk AS until_before,
		row_number() OVER walk AS place, count(*) OVER (PARTITION BY window_id) AS places,
		sum((cursor_sent IS NULL AND until IS NULL)::INTEGER) OVER walk AS segment
	FROM (SELECT rowid AS line, * FROM page_log WHERE endpoint <> 'closing check')
	WINDOW walk AS (PARTITION BY window_id ORDER BY batch, line)),
walked AS (
	SELECT *, min(last_timestamp) OVER (PARTITION BY window_id, segment ORDER BY place ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS low FROM pages)
`

var checks = []check{
	// Copies with another instant may stay until the closing check.
	{"ids", `SELECT 'id ' || id || ' occurs ' || format('{:,}', (count(*))::BIGINT) || ' times' FROM events
		WHERE id IN (SELECT id FROM events GROUP BY id HAVING count(*) > 1) GROUP BY id HAVING (count(DISTINCT "timestamp") < count(*)
		OR max(batch) <= coalesce((SELECT max(value::BIGINT) FROM meta WHERE key = 'checked_batch'), 0))`},
	{"counts", `SELECT 'the page log has ' || format('{:,}', (l.n)::BIGINT) || ' events stored, the table has ' || format('{:,}', (e.n)::BIGINT)
		FROM (SELECT coalesce(sum(stored), 0) AS n FROM page_log) l, (SELECT count(*) AS n FROM events WHERE batch <> ` + Uncommitted + `) e WHERE l.n <> e.n`},
	{"counts", `SELECT 'batch ' || batch || ': the page log has ' || format('{:,}', (coalesce(l.n, 0))::BIGINT) || ' events stored, the table has ' || format('{:,}', (coalesce(e.n, 0))::BIGINT)
		FROM (SELECT batch, sum(stored) AS n FROM page_log GROUP BY batch) l
		FULL JOIN (SELECT batch, count(*) AS n FROM events WHERE batch <> ` + Uncommitted + ` GROUP BY batch) e USING (batch)
		WHERE coalesce(l.n, 0) <> coalesce(e.n, 0) ORDER BY batch`},
	{"counts", `SELECT 'batch ' || batch || ': the page log has ' || format('{:,}', (coalesce(l.n, 0))::BIGINT) || ' elements rejected, the table has ' || format('{:,}', (coalesce(r.n, 0))::BIGINT)
		FROM (SELECT batch, sum(rejected) AS n FROM page_log GROUP BY batch) l
		FULL JOIN (SELECT batch, count(*) AS n FROM rejected_events GROUP BY batch) r USING (batch)
		WHERE coalesce(l.n, 0) <> coalesce(r.n, 0) ORDER BY batch`},
	{"counts", `SELECT 'batch ' || batch || ': ' || format('{:,}', (returned)::BIGINT) || ' returned, but ' || format('{:,}', (stored)::BIGINT) || ' stored, ' || format('{:,}', (duplicate)::BIGINT) || ' duplicate, '
		|| format('{:,}', (rejected)::BIGINT) || ' rejected and ' || format('{:,}', (outside)::BIGINT) || ' out of range'
		FROM page_log WHERE returned <> stored + duplicate + rejected + outside`},
	{"total", `SELECT 'the last pull was complete with ' || format('{:,}', (total)::BIGINT) || ' events, but ' || format('{:,}', (n)::BIGINT) || ' are here'
		FROM (SELECT least(any_value(total) FILTER (window_id = whole), min(page_total)) AS total, bool_or(floor IS NOT NULL) AS bounded
			FROM checkpoint WHERE NOT absorbed AND whole = (SELECT max(whole) FROM checkpoint)),
		(SELECT (SELECT count(*) FROM events) + (SELECT count(*) FROM rejected_events WHERE NOT resolved) AS n),
		(SELECT (SELECT coalesce(sum(copies), 0) FROM checkpoint WHERE NOT absorbed) + (SELECT coalesce(sum(duplicate - conflict), 0)
			FROM page_log JOIN checkpoint USING (window_id) WHERE window_id = 1 AND unordered AND NOT resumed) AS copies)
		WHERE NOT bounded AND total > n + copies AND (SELECT arg_max(outcome, rowid) FROM runs) = 'complete'`},
	{"instants", `SELECT 'batch ' || batch || ': an instant has changed, or a row'
		FROM (SELECT batch, ` + ChecksumOf("sum(checksum::HUGEINT)") + ` AS n FROM page_log GROUP BY batch HAVING count(*) = count(checksum)) l
		JOIN (SELECT batch, ` + ChecksumOf("sum("+ChecksumTerm+")") + ` AS n FROM events GROUP BY batch) e USING (batch)
		WHERE l.n <> e.n ORDER BY batch`},
	{"instants", `SELECT 'batch ' || batch || ': events are older or newer than the pages that they came on'
		FROM (SELECT batch, min("timestamp") AS low, max("timestamp") AS high FROM events GROUP BY batch) e
		JOIN (SELECT batch, min(p.last_timestamp) AS low, max(p.first_timestamp) AS high, max(floor) AS floor
			FROM page_log p JOIN checkpoint USING (window_id) GROUP BY batch HAVING NOT bool_or(unordered)) l USING (batch)
		WHERE e.low < l.low OR e.high > l.high OR e.low < l.floor ORDER BY batch`},
	{"chain", pages + `SELECT 'window ' || window_id || ', batch ' || batch || ': the page does not follow the one before it' FROM pages
		WHERE NOT resumed AND CASE WHEN place = 1 THEN cursor_sent IS NOT NULL
			WHEN received_before IS NULL THEN cursor_sent IS DISTINCT FROM sent_before ELSE cursor_sent IS DISTINCT FROM received_before END`},
	{"chain", pages + `SELECT 'window ' || window_id || ', batch ' || batch || ': the walk resumed by time below its last page' FROM walked
		JOIN checkpoint USING (window_id) WHERE until IS NOT NULL AND NOT unordered AND walked.first_timestamp < low
		AND NOT (until IS NOT DISTINCT FROM until_before AND received_before IS NULL)`},
	{"chain", pages + `SELECT 'window ' || window_id || ' is done, but its last page has a next cursor' FROM pages JOIN checkpoint c USING (window_id)
		WHERE place = places AND c.state = 'done' AND checksum IS NOT NULL AND cursor_received IS NOT NULL AND NOT absorbed
		AND NOT EXISTS (SELECT 1 FROM checkpoint n WHERE n.whole > c.whole AND n.state = 'done' AND n.lower IS NOT DISTINCT FROM n.floor)`},
	{"chain", `SELECT 'window ' || window_id || ': ' || format('{:,}', (c.pages)::BIGINT) || ' pages were walked, ' || format('{:,}', (coalesce(l.n, 0))::BIGINT) || ' are in the page log' FROM checkpoint c
		LEFT JOIN (SELECT window_id, count(*) AS n FROM page_log WHERE endpoint <> 'closing check' GROUP BY window_id) l USING (window_id)
		WHERE c.pages <> coalesce(l.n, 0)`},
	{"windows", checkpointsOfOneWriter},
	{"windows", `SELECT 'window ' || window_id || ' has pages, but no checkpoint' FROM page_log
		WHERE window_id NOT IN (SELECT window_id FROM checkpoint) GROUP BY window_id`},
	{"windows", `SELECT 'there is a gap below window ' || window_id FROM (SELECT window_id, lag(window_id) OVER (ORDER BY window_id) AS below FROM checkpoint)
		WHERE below IS DISTINCT FROM nullif(window_id - 1, 0)`},
	{"windows", `SELECT 'there is a gap below window ' || whole FROM (
			SELECT *, lag(upper) OVER (ORDER BY whole) AS upper_below, lag(whole) OVER (ORDER BY whole) AS below FROM (
				SELECT whole, last(lower ORDER BY begins DESC NULLS FIRST) AS lower, any_value(floor) AS floor, max(upper) FILTER (window_id = whole) AS upper
				FROM checkpoint WHERE NOT absorbed GROUP BY whole))
		WHERE lower IS DISTINCT FROM floor AND (below IS NULL OR lower > upper_below)`},
	// A shard begins at the lower border of the shard above, which must have reached its first event.
	// Of a shard that has not begun this is checked once it has.
	{"windows", `SELECT 'there is a gap between shards ' || above || ' and ' || window_id FROM (
			SELECT *, lag(window_id) OVER parts AS above, lag(lower) OVER parts AS ends, lag(state) OVER parts AS state_above
			FROM checkpoint WHERE NOT absorbed WINDOW parts AS (PARTITION BY whole ORDER BY begins DESC NULLS FIRST)) c
		WHERE above IS NOT NULL AND (ends IS DISTINCT FROM begins OR state_above = 'done' AND NOT unordered AND (first_timestamp IS NULL AND state <> 'not_begun'
			OR first_timestamp < (SELECT min(last_timestamp) FROM page_log p WHERE p.window_id = above)) AND coalesce(first_timestamp >= floor, true))
		AND NOT EXISTS (SELECT 1 FROM checkpoint n WHERE n.whole > c.whole AND n.state = 'done' AND n.lower IS NOT DISTINCT FROM n.floor)`},
	{"windows", `SELECT 'window ' || window_id || ' has an upper border above all of its pages'
		FROM checkpoint c JOIN (SELECT window_id, max(first_timestamp) AS top FROM page_log GROUP BY window_id) USING (window_id)
		WHERE NOT c.unordered AND c.upper > top`},
	{"rejects", `SELECT 'reject ' || reject_key || ' occurs ' || format('{:,}', (count(*))::BIGINT) || ' times' FROM rejected_events GROUP BY reject_key HAVING count(*) > 1`},
	// The closing check resolves a reject that is stored later.
	{"rejects", `SELECT 'event ' || id || ' is stored, but rejected as well' FROM rejected_events WHERE NOT resolved AND id IN (SELECT id FROM events)
		AND (SELECT max(batch) FROM page_log) <= (SELECT max(value::BIGINT) FROM meta WHERE key = 'checked_batch')`},
	{"rejects", `SELECT 'reject ' || reject_key || ' does not say in which batch it was resolved' FROM rejected_events
		WHERE resolved <> (resolved_batch IS NOT NULL) OR resolved_batch < batch`},
}

// Verify looks for contradictions in the file at path, which is open for reading. A pull that has
// not ended is none. It fails with dbfile.ErrOlder for a file of an older schema.
func Verify(ctx context.Context, db *sql.DB, path string) ([]Finding, error) {
	if _, err := ReadCurrentMeta(ctx, db, path); err != nil {
		return nil, err
	}
	var findings []Finding
	for _, c := range checks {
		found, err := c.run(ctx, db)
		if err != nil {
			return nil, dbfile.Translate(path, fmt.Errorf("check %s: %w", c.name, err))
		}
		findings = append(findings, found...)
	}
	return findings, nil
}

func (c *check) run(ctx context.Context, db *sql.DB) (found []Finding, err error) {
	rows, err := db.QueryContext(ctx, c.query)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	more := 0
	for rows.Next() {
		var detail string
		if err := rows.Scan(&detail); err != nil {
			return nil, err
		}
		if len(found) < maxFindings {
			found = append(found, Finding{c.name, detail})
		} else {
			more++
		}
	}
	if more > 0 {
		found = append(found, Finding{c.name, fmt.Sprintf("%s more of this kind", human.Thousands(int64(more)))})
	}
	return found, rows.Err()
}
