package rivals

// Key is sent as the API key; the page server does not look at it.
const Key = "ds_test_bench"

// createEvents makes the table of datasync with the same columns.
const createEvents = `CREATE TABLE events (
	id UUID NOT NULL, session_id UUID NOT NULL, user_id UUID, type VARCHAR NOT NULL, name VARCHAR, "timestamp" TIMESTAMPTZ NOT NULL,
	properties JSON, device_type VARCHAR, browser VARCHAR, extra JSON, batch BIGINT NOT NULL)`
