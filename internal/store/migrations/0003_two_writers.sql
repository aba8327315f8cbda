-- Two transactions at a time cannot change one row: each of the two writers has its own.
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
    batch BIGINT NOT NULL
);
INSERT INTO checkpoints SELECT *, 0, (SELECT coalesce(max(batch), 0) FROM page_log) FROM checkpoint;
DROP TABLE checkpoint;
COMMENT ON TABLE checkpoints IS 'where each of the two writers committed last in each window of time; the row of the highest batch counts, which the view checkpoint shows';
COMMENT ON COLUMN checkpoints.batch IS 'number of the commit that wrote the row; of the last one before, where the window was opened since';
INSERT INTO meta SELECT 'longest_text', (2 ** ceil(log2(n)))::BIGINT::VARCHAR FROM (SELECT greatest(
	(SELECT max(greatest(strlen(type), strlen(name), strlen(properties), strlen(device_type), strlen(browser), strlen(extra))) FROM events), (SELECT max(strlen(raw)) FROM rejected_events)) AS n) WHERE n > 4096;
CREATE VIEW checkpoint AS SELECT * EXCLUDE (writer, batch) FROM checkpoints QUALIFY row_number() OVER (PARTITION BY window_id ORDER BY batch DESC) = 1;
COMMENT ON VIEW checkpoint IS 'where the walk of each window of time stands: not_begun, under_way or done';
