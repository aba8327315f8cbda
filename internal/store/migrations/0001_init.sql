CREATE TABLE meta (key VARCHAR NOT NULL, value VARCHAR NOT NULL);
COMMENT ON TABLE meta IS 'schema version, tool, origin of the API, and when each endpoint may be asked again';

CREATE TABLE events (
    id UUID NOT NULL,
    session_id UUID NOT NULL,
    user_id UUID,
    type VARCHAR NOT NULL,
    name VARCHAR USING COMPRESSION uncompressed,
    "timestamp" TIMESTAMPTZ NOT NULL,
    properties JSON,
    device_type VARCHAR,
    browser VARCHAR,
    extra JSON,
    batch BIGINT NOT NULL
);
COMMENT ON TABLE events IS 'one row an event; each id stands once';
COMMENT ON COLUMN events."timestamp" IS 'when it happened, exact to the microsecond';
COMMENT ON COLUMN events.properties IS 'the event''s own properties, a JSON object';
COMMENT ON COLUMN events.extra IS 'what the API sent and no column holds, under the names it came with';
COMMENT ON COLUMN events.batch IS 'number of the commit that stored the row; rises by one a commit';

CREATE TABLE rejected_events (
    raw VARCHAR NOT NULL,
    reason VARCHAR NOT NULL,
    reject_key VARCHAR NOT NULL,
    id UUID,
    endpoint VARCHAR NOT NULL,
    batch BIGINT NOT NULL,
    resolved BOOLEAN NOT NULL
);
COMMENT ON TABLE rejected_events IS 'what the API sent that cannot be an event, kept with its reason';
COMMENT ON COLUMN rejected_events.resolved IS 'an event with this id was stored all the same';

CREATE TABLE checkpoint (
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
    updated_at TIMESTAMPTZ NOT NULL
);
COMMENT ON TABLE checkpoint IS 'where the walk of each window of time stands: not_begun, under_way or done';

CREATE TABLE page_log (
    batch BIGINT NOT NULL,
    run UUID NOT NULL,
    window_id BIGINT NOT NULL,
    endpoint VARCHAR NOT NULL,
    request_id VARCHAR,
    cursor_sent VARCHAR,
    cursor_received VARCHAR,
    first_timestamp TIMESTAMPTZ,
    first_id UUID,
    last_timestamp TIMESTAMPTZ,
    last_id UUID,
    returned BIGINT NOT NULL,
    stored BIGINT NOT NULL,
    duplicate BIGINT NOT NULL,
    conflict BIGINT NOT NULL,
    rejected BIGINT NOT NULL,
    resumed BOOLEAN NOT NULL
);
COMMENT ON TABLE page_log IS 'append-only, a row a committed page; returned = stored + duplicate + rejected';
COMMENT ON COLUMN page_log.cursor_sent IS 'hash of the cursor that asked for the page; NULL for a first page';

CREATE TABLE runs (
    run UUID NOT NULL,
    tool_version VARCHAR NOT NULL,
    began_at TIMESTAMPTZ NOT NULL,
    ended_at TIMESTAMPTZ,
    outcome VARCHAR NOT NULL,
    resumed_from VARCHAR,
    stored BIGINT,
    duplicate BIGINT,
    conflict BIGINT,
    rejected BIGINT,
    events_requests BIGINT,
    events_429s BIGINT,
    feed_requests BIGINT,
    feed_429s BIGINT,
    waiting_s DOUBLE,
    fetching_s DOUBLE,
    writing_s DOUBLE
);
COMMENT ON TABLE runs IS 'one row a pull';

CREATE VIEW events_flat AS
SELECT id, session_id, user_id, type, name, "timestamp", CAST("timestamp" AS DATE) AS day,
       properties ->> '$.page' AS page, properties, device_type, browser, extra, batch
FROM events;
COMMENT ON VIEW events_flat IS 'events with the page out of properties and the day in the session''s time zone';
