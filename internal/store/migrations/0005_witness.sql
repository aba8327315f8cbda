-- What the walk of a window saw of the API's total, so that it is known after a crash too.
ALTER TABLE checkpoints ADD COLUMN page_total BIGINT;
ALTER TABLE checkpoints ADD COLUMN cursor_before VARCHAR;
ALTER TABLE checkpoints ADD COLUMN top_at TIMESTAMPTZ;
ALTER TABLE checkpoints ADD COLUMN copies BIGINT DEFAULT 0;
ALTER TABLE checkpoints ADD COLUMN ran_out BOOLEAN DEFAULT false;
ALTER TABLE checkpoints ADD COLUMN failed_runs BIGINT DEFAULT 0;
COMMENT ON COLUMN checkpoints.page_total IS 'how many events the API said to have, as of the last page that was read';
COMMENT ON COLUMN checkpoints.cursor_before IS 'the cursor that asked for the last page that was read; empty for a first page';
COMMENT ON COLUMN checkpoints.top_at IS 'when the walk began at the newest event; NULL where an older version did';
COMMENT ON COLUMN checkpoints.copies IS 'elements that the API gave twice on a page, alike in all fields';
COMMENT ON COLUMN checkpoints.ran_out IS 'the API had no more pages before the lower border was reached';
COMMENT ON COLUMN checkpoints.failed_runs IS 'runs in a row that failed while the walk stood at this cursor';
DROP VIEW checkpoint;
CREATE VIEW checkpoint AS SELECT * EXCLUDE (writer, batch) FROM checkpoints QUALIFY row_number() OVER (PARTITION BY window_id ORDER BY batch DESC) = 1;
COMMENT ON VIEW checkpoint IS 'where the walk of each window of time, or of each part of one, stands: not_begun, under_way or done';
