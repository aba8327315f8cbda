-- Error rate
--
-- Which share of the events of each hour or day are errors, the newest first. An error
-- is an event of one of the types of $errors. Hours and days are those of the
-- connection's time zone; period is when one begins. One without events has no row.
--
-- $since TIMESTAMPTZ = -infinity: events from this instant on
-- $until TIMESTAMPTZ = infinity: events before this instant
-- $by VARCHAR = day: hour or day
-- $errors VARCHAR[] = error: the types that are errors, with commas between; one that
--   has a comma itself stands in single quotes
-- $limit BIGINT = all: the most rows to give, from the top

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
