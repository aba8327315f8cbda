-- Error rate
--
-- The share of errors among the events of each hour or day, the newest first. An error is
-- an event whose type is in $errors. Hours and days are in the connection's time zone;
-- period is the instant at which one begins. Periods without events have no row.
--
-- $since TIMESTAMPTZ = -infinity: events from this instant on
-- $until TIMESTAMPTZ = infinity: events before this instant
-- $by VARCHAR = day: hour or day
-- $errors VARCHAR[] = error: the types that are errors, separated by commas; a type with
--   a comma goes in single quotes
-- $limit BIGINT = all: the maximum number of rows, from the top

WITH marked AS (
    SELECT CASE CAST($by AS VARCHAR)
               WHEN 'day' THEN CAST(CAST("timestamp" AS DATE) AS TIMESTAMPTZ)
               -- date_trunc on the TIMESTAMPTZ itself would join two hours of the same name.
               WHEN 'hour' THEN "timestamp" - (CAST("timestamp" AS TIMESTAMP) - date_trunc('hour', CAST("timestamp" AS TIMESTAMP)))
               ELSE error('by is hour or day, not ' || $by)
           END AS period,
           list_contains(CAST('[' || $errors || ']' AS VARCHAR[]), type) AS is_error
    FROM events
    WHERE "timestamp" >= CAST($since AS TIMESTAMPTZ) AND "timestamp" < CAST($until AS TIMESTAMPTZ)
)
SELECT period,
       count(*) FILTER (is_error) AS errors,
       count(*) AS events,
       round(count(*) FILTER (is_error) / count(*), 4) AS error_rate
FROM marked
GROUP BY period
ORDER BY period DESC
LIMIT CAST(nullif($limit, 'all') AS BIGINT);
