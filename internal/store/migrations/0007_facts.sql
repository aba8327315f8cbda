-- What slowed a pull. The store creates these tables again by this script when they have too many rows.
CREATE TABLE batches (
    batch BIGINT NOT NULL,
    run UUID,
    endpoint VARCHAR NOT NULL,
    committed_at TIMESTAMPTZ NOT NULL,
    batches BIGINT NOT NULL,
    pages BIGINT NOT NULL,
    returned BIGINT NOT NULL,
    bytes BIGINT NOT NULL,
    wire_bytes BIGINT NOT NULL,
    took_s DOUBLE NOT NULL,
    in_flight BIGINT NOT NULL
);
COMMENT ON TABLE batches IS 'how the pages of each commit were fetched, a row an endpoint; a row of several batches where they are many';
COMMENT ON COLUMN batches.batch IS 'number of the commit, the last one of several batches';
COMMENT ON COLUMN batches.run IS 'the pull, as in runs; NULL if the batches are of several';
COMMENT ON COLUMN batches.endpoint IS 'events or feed, which sent the pages';
COMMENT ON COLUMN batches.committed_at IS 'when COMMIT was sent to the database';
COMMENT ON COLUMN batches.batches IS 'how many batches the row sums up: 1, or more if the file has many';
COMMENT ON COLUMN batches.pages IS 'the pages that end in the batch';
COMMENT ON COLUMN batches.returned IS 'how many elements they had';
COMMENT ON COLUMN batches.bytes IS 'how much text they had, after decompression';
COMMENT ON COLUMN batches.wire_bytes IS 'how many bytes of their bodies were received, before decompression';
COMMENT ON COLUMN batches.took_s IS 'seconds from the requests for the pages to their last bytes, added up';
COMMENT ON COLUMN batches.in_flight IS 'requests in flight at most when one of the pages was requested';
CREATE TABLE waits (
    batch BIGINT,
    run UUID,
    endpoint VARCHAR NOT NULL,
    reason VARCHAR NOT NULL,
    answer VARCHAR,
    began_at TIMESTAMPTZ NOT NULL,
    ended_at TIMESTAMPTZ NOT NULL,
    waits BIGINT NOT NULL,
    ordered_s DOUBLE,
    actual_s DOUBLE NOT NULL,
    waiting_s DOUBLE NOT NULL
);
COMMENT ON TABLE waits IS 'when an endpoint was not asked, and why; a row of several waits where they are short or many';
COMMENT ON COLUMN waits.batch IS 'number of the commit that stored the row; NULL if the end of the pull did, or if they are several';
COMMENT ON COLUMN waits.run IS 'the pull, as in runs; NULL if the waits are of several';
COMMENT ON COLUMN waits.endpoint IS 'events, feed or stream-access';
COMMENT ON COLUMN waits.reason IS 'rate limit (a 429), pacing (before a 429), asked to wait (another answer), earlier run, token (none for the feed) or retry (after a failure)';
COMMENT ON COLUMN waits.answer IS 'the HTTP status or the failure before the wait; NULL if none, or if they differ';
COMMENT ON COLUMN waits.began_at IS 'when it began, the first one of several';
COMMENT ON COLUMN waits.ended_at IS 'when it ended, the last one of several';
COMMENT ON COLUMN waits.waits IS 'how many waits the row sums up';
COMMENT ON COLUMN waits.ordered_s IS 'seconds that the endpoint asked for; NULL if it named none';
COMMENT ON COLUMN waits.actual_s IS 'seconds of the wait';
COMMENT ON COLUMN waits.waiting_s IS 'seconds of it without a request in flight; they add up to waiting_s in runs';
CREATE TABLE refusals (
    batch BIGINT,
    run UUID,
    endpoint VARCHAR NOT NULL,
    refused VARCHAR NOT NULL,
    answer VARCHAR,
    first_at TIMESTAMPTZ NOT NULL,
    last_at TIMESTAMPTZ NOT NULL,
    refusals BIGINT NOT NULL
);
COMMENT ON TABLE refusals IS 'what the API refused, and when; a row of several refusals where they are many';
COMMENT ON COLUMN refusals.batch IS 'number of the commit that stored the row; NULL if the end of the pull did, or if they are several';
COMMENT ON COLUMN refusals.run IS 'the pull, as in runs; NULL if the refusals are of several';
COMMENT ON COLUMN refusals.endpoint IS 'events, feed or stream-access';
COMMENT ON COLUMN refusals.refused IS 'rate limit (a 429), token, key, cursor or page size';
COMMENT ON COLUMN refusals.answer IS 'the HTTP status; NULL if they differ';
COMMENT ON COLUMN refusals.first_at IS 'when the answer arrived, the first one of several';
COMMENT ON COLUMN refusals.last_at IS 'when the last one arrived';
COMMENT ON COLUMN refusals.refusals IS 'how many refusals the row sums up';
-- Up to here. The rest changes other tables.
ALTER TABLE runs ADD COLUMN minimum_s DOUBLE;
ALTER TABLE runs ADD COLUMN reread_pages BIGINT;
COMMENT ON COLUMN runs.minimum_s IS 'seconds that the API needs at least for the new elements, by its limits and its speed; NULL if not known';
COMMENT ON COLUMN runs.reread_pages IS 'pages that were requested a second time because of their rejects; NULL if an older version pulled';
