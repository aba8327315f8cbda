-- Events an hour by type
--
-- How many events of each type happened in each hour, the newest hour first. An
-- hour begins where the clocks of the connection's time zone say so; the two hours of
-- the same name on the day on which they are set back stay apart. An hour in which a
-- type has no event has no row for it.
--
-- $since TIMESTAMPTZ = -infinity: events from this instant on
-- $until TIMESTAMPTZ = infinity: events before this instant
-- $limit BIGINT = all: the most rows to give, from the top

-- date_trunc on the TIMESTAMPTZ itself would join those two hours.
SELECT "timestamp" - (CAST("timestamp" AS TIMESTAMP) - date_trunc('hour', CAST("timestamp" AS TIMESTAMP))) AS hour,
       type,
       count(*) AS events
FROM events
WHERE "timestamp" >= CAST($since AS TIMESTAMPTZ) AND "timestamp" < CAST($until AS TIMESTAMPTZ)
GROUP BY hour, type
ORDER BY hour DESC, events DESC, type
LIMIT CAST(nullif($limit, 'all') AS BIGINT);
