-- What the walk of a window saw of the API's total, so that it is known after a crash too. The table is made
-- anew: in one transaction a table cannot get columns after its rows were changed, which 0004 does.
CREATE TEMP TABLE kept AS FROM checkpoints;
DROP VIEW checkpoint;
DROP TABLE checkpoints;
CREATE TABLE checkpoints (
    window_id BIGINT NOT NULL,
    state VARCHAR NOT NULL,
    upper TIMESTAMPTZ,
    lower TIMESTAMPTZ,
    cursor VARCHAR,
    cursor_expires_at TIMESTAMPTZ,
    last_timestamp TIMESTAMPTZ,
    last_id UUID,
    pages BIGINT NOT NULL,
    events BIGINT NOT NULL,
    walked BIGINT NOT NULL,
    total BIGINT,
    unordered BOOLEAN NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    floor TIMESTAMPTZ,
    writer BIGINT NOT NULL,
    batch BIGINT NOT NULL,
    whole BIGINT,
    begins TIMESTAMPTZ,
    first_timestamp TIMESTAMPTZ,
    first_id UUID,
    absorbed BOOLEAN DEFAULT false,
    page_total BIGINT,
    cursor_before VARCHAR,
    top_at TIMESTAMPTZ,
    copies BIGINT NOT NULL,
    ran_out BOOLEAN NOT NULL,
    failed_runs BIGINT NOT NULL
);
INSERT INTO checkpoints BY NAME SELECT *, 0 AS copies, false AS ran_out, 0 AS failed_runs FROM kept;
DROP TABLE kept;
COMMENT ON TABLE checkpoints IS 'where each of the two writers committed last in each window of time; the row of the highest batch counts, which the view checkpoint shows';
COMMENT ON COLUMN checkpoints.batch IS 'number of the commit that wrote the row; of the last one before, where the window was opened since';
COMMENT ON COLUMN checkpoints.whole IS 'the window of which this is a part, or the window itself';
COMMENT ON COLUMN checkpoints.begins IS 'the border below which a part was split off; NULL where the walk begins at the newest event';
COMMENT ON COLUMN checkpoints.first_id IS 'of the event with which a part began, where the part above it ends';
COMMENT ON COLUMN checkpoints.absorbed IS 'a part that could not be walked to its end, and that another one walks again';
COMMENT ON COLUMN checkpoints.page_total IS 'how many events the API said to have, as of the last page that was read';
COMMENT ON COLUMN checkpoints.cursor_before IS 'the cursor that asked for the last page that was read; empty for a first page';
COMMENT ON COLUMN checkpoints.top_at IS 'when the walk began at the newest event; NULL where an older version did';
COMMENT ON COLUMN checkpoints.copies IS 'elements that the API gave twice on a page, alike in all fields';
COMMENT ON COLUMN checkpoints.ran_out IS 'the API had no more pages before the lower border was reached';
COMMENT ON COLUMN checkpoints.failed_runs IS 'runs in a row that failed while the walk stood at this cursor';
CREATE VIEW checkpoint AS SELECT * EXCLUDE (writer, batch) FROM checkpoints QUALIFY row_number() OVER (PARTITION BY window_id ORDER BY batch DESC) = 1;
COMMENT ON VIEW checkpoint IS 'where the walk of each window of time, or of each part of one, stands: not_begun, under_way or done';
