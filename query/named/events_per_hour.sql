-- Events per hour and type
--
-- How many events of each type happened in each hour, the newest hour first. Hours begin
-- by the clock of the connection's time zone. When clocks are set back, the two hours of
-- the same name have a row each. A type has no row for an hour without its events.
--
-- $since TIMESTAMPTZ = -infinity: events from this instant on
-- $until TIMESTAMPTZ = infinity: events before this instant
-- $limit BIGINT = all: the maximum number of rows, from the top

-- date_trunc on the TIMESTAMPTZ itself would join those two hours.
SELECT "timestamp" - (CAST("timestamp" AS TIMESTAMP) - date_trunc('hour', CAST("timestamp" AS TIMESTAMP))) AS hour,
       type,
       count(*) AS events
FROM events
WHERE "timestamp" >= CAST($since AS TIMESTAMPTZ) AND "timestamp" < CAST($until AS TIMESTAMPTZ)
GROUP BY hour, type
ORDER BY hour DESC, events DESC, type
LIMIT CAST(nullif($limit, 'all') AS BIGINT);
