-- Events per hour and type, for DuckDB
-- The hours are in the time zone of the session: SET TimeZone = 'UTC'
-- date_trunc on the TIMESTAMPTZ itself would join those two hours.
SELECT "timestamp" - (CAST("timestamp" AS TIMESTAMP) - date_trunc('hour', CAST("timestamp" AS TIMESTAMP))) AS hour,
       type,
       count(*) AS events
FROM events
WHERE "timestamp" >= CAST('-infinity' AS TIMESTAMPTZ) AND "timestamp" < CAST('infinity' AS TIMESTAMPTZ)
GROUP BY hour, type
ORDER BY hour DESC, events DESC, type
LIMIT CAST(nullif('all', 'all') AS BIGINT);

-- Events per hour and type, for DuckDB
-- The hours are in the time zone of the session: SET TimeZone = 'Europe/Berlin'
-- date_trunc on the TIMESTAMPTZ itself would join those two hours.
SELECT "timestamp" - (CAST("timestamp" AS TIMESTAMP) - date_trunc('hour', CAST("timestamp" AS TIMESTAMP))) AS hour,
       type,
       count(*) AS events
FROM events
WHERE "timestamp" >= CAST('2026-01-20T19:00:00.123456Z' AS TIMESTAMPTZ) AND "timestamp" < CAST('2026-01-20T19:00:00.123456Z' AS TIMESTAMPTZ)
GROUP BY hour, type
ORDER BY hour DESC, events DESC, type
LIMIT CAST(nullif('4711', 'all') AS BIGINT);

-- Error rate, for DuckDB
-- The days are in the time zone of the session: SET TimeZone = 'UTC'
WITH marked AS (
    SELECT CASE CAST('day' AS VARCHAR)
               WHEN 'day' THEN CAST(CAST("timestamp" AS DATE) AS TIMESTAMPTZ)
               -- date_trunc on the TIMESTAMPTZ itself would join two hours of the same name.
               WHEN 'hour' THEN "timestamp" - (CAST("timestamp" AS TIMESTAMP) - date_trunc('hour', CAST("timestamp" AS TIMESTAMP)))
               ELSE error('by is hour or day, not ' || 'day')
           END AS period,
           list_contains(CAST('[' || 'error' || ']' AS VARCHAR[]), type) AS is_error
    FROM events
    WHERE "timestamp" >= CAST('-infinity' AS TIMESTAMPTZ) AND "timestamp" < CAST('infinity' AS TIMESTAMPTZ)
)
SELECT period,
       count(*) FILTER (is_error) AS errors,
       count(*) AS events,
       round(count(*) FILTER (is_error) / count(*), 4) AS error_rate
FROM marked
GROUP BY period
ORDER BY period DESC
LIMIT CAST(nullif('all', 'all') AS BIGINT);

-- Error rate, for DuckDB
-- The hours are in the time zone of the session: SET TimeZone = 'Europe/Berlin'
WITH marked AS (
    SELECT CASE CAST('hour' AS VARCHAR)
               WHEN 'day' THEN CAST(CAST("timestamp" AS DATE) AS TIMESTAMPTZ)
               -- date_trunc on the TIMESTAMPTZ itself would join two hours of the same name.
               WHEN 'hour' THEN "timestamp" - (CAST("timestamp" AS TIMESTAMP) - date_trunc('hour', CAST("timestamp" AS TIMESTAMP)))
               ELSE error('by is hour or day, not ' || 'hour')
           END AS period,
           list_contains(CAST('[' || '''uno'',''dos, tres''' || ']' AS VARCHAR[]), type) AS is_error
    FROM events
    WHERE "timestamp" >= CAST('2026-01-20T19:00:00.123456Z' AS TIMESTAMPTZ) AND "timestamp" < CAST('2026-01-20T19:00:00.123456Z' AS TIMESTAMPTZ)
)
SELECT period,
       count(*) FILTER (is_error) AS errors,
       count(*) AS events,
       round(count(*) FILTER (is_error) / count(*), 4) AS error_rate
FROM marked
GROUP BY period
ORDER BY period DESC
LIMIT CAST(nullif('4711', 'all') AS BIGINT);

-- Daily active users, for DuckDB
-- The days are in the time zone of the session: SET TimeZone = 'UTC'
SELECT CAST("timestamp" AS DATE) AS day,
       count(DISTINCT user_id) AS users,
       count(DISTINCT session_id) AS sessions,
       count(DISTINCT session_id) - count(DISTINCT session_id) FILTER (user_id IS NOT NULL) AS anonymous_sessions,
       count(*) AS events
FROM events
WHERE "timestamp" >= CAST('-infinity' AS TIMESTAMPTZ) AND "timestamp" < CAST('infinity' AS TIMESTAMPTZ)
GROUP BY day
ORDER BY day DESC;

-- Daily active users, for DuckDB
-- The days are in the time zone of the session: SET TimeZone = 'Europe/Berlin'
SELECT CAST("timestamp" AS DATE) AS day,
       count(DISTINCT user_id) AS users,
       count(DISTINCT session_id) AS sessions,
       count(DISTINCT session_id) - count(DISTINCT session_id) FILTER (user_id IS NOT NULL) AS anonymous_sessions,
       count(*) AS events
FROM events
WHERE "timestamp" >= CAST('2026-01-20T19:00:00.123456Z' AS TIMESTAMPTZ) AND "timestamp" < CAST('2026-01-20T19:00:00.123456Z' AS TIMESTAMPTZ)
GROUP BY day
ORDER BY day DESC;

-- Sessions and their length, for DuckDB
-- The days are in the time zone of the session: SET TimeZone = 'UTC'
WITH marked AS (
    SELECT session_id, "timestamp",
           "timestamp" > lag("timestamp") OVER in_time + CAST(nullif('none', 'none') AS INTERVAL) AS begins
    FROM events
    WINDOW in_time AS (PARTITION BY session_id ORDER BY "timestamp")
),
-- Not count(*) FILTER, whose time as a running count grows with the square of the session.
numbered AS (
    SELECT session_id, "timestamp",
           count(CASE WHEN begins THEN 1 END) OVER (PARTITION BY session_id ORDER BY "timestamp" ROWS UNBOUNDED PRECEDING) AS number
    FROM marked
),
sessions AS (
    SELECT min("timestamp") AS began, epoch_us(max("timestamp")) - epoch_us(min("timestamp")) AS length, count(*) AS events
    FROM numbered
    GROUP BY session_id, number
)
SELECT CAST(began AS DATE) AS day,
       count(*) AS sessions,
       round(median(length) / 1e6, 3) AS median_s,
       round(avg(length) / 1e6, 3) AS mean_s,
       round(quantile_disc(length, 0.95) / 1e6, 3) AS p95_s,
       round(sum(events) / count(*), 2) AS events_per_session,
       round(count(*) FILTER (events = 1) / count(*), 4) AS bounce_share
FROM sessions
WHERE began >= CAST('-infinity' AS TIMESTAMPTZ) AND began < CAST('infinity' AS TIMESTAMPTZ)
GROUP BY day
ORDER BY day DESC;

-- Sessions and their length, for DuckDB
-- The days are in the time zone of the session: SET TimeZone = 'Europe/Berlin'
WITH marked AS (
    SELECT session_id, "timestamp",
           "timestamp" > lag("timestamp") OVER in_time + CAST(nullif('3 days 0 microseconds', 'none') AS INTERVAL) AS begins
    FROM events
    WINDOW in_time AS (PARTITION BY session_id ORDER BY "timestamp")
),
-- Not count(*) FILTER, whose time as a running count grows with the square of the session.
numbered AS (
    SELECT session_id, "timestamp",
           count(CASE WHEN begins THEN 1 END) OVER (PARTITION BY session_id ORDER BY "timestamp" ROWS UNBOUNDED PRECEDING) AS number
    FROM marked
),
sessions AS (
    SELECT min("timestamp") AS began, epoch_us(max("timestamp")) - epoch_us(min("timestamp")) AS length, count(*) AS events
    FROM numbered
    GROUP BY session_id, number
)
SELECT CAST(began AS DATE) AS day,
       count(*) AS sessions,
       round(median(length) / 1e6, 3) AS median_s,
       round(avg(length) / 1e6, 3) AS mean_s,
       round(quantile_disc(length, 0.95) / 1e6, 3) AS p95_s,
       round(sum(events) / count(*), 2) AS events_per_session,
       round(count(*) FILTER (events = 1) / count(*), 4) AS bounce_share
FROM sessions
WHERE began >= CAST('2026-01-20T19:00:00.123456Z' AS TIMESTAMPTZ) AND began < CAST('2026-01-20T19:00:00.123456Z' AS TIMESTAMPTZ)
GROUP BY day
ORDER BY day DESC;

-- Funnel of event types in a session, for DuckDB
WITH RECURSIVE steps AS (
    SELECT unnest(types) AS type, generate_subscripts(types, 1) AS step
    FROM (SELECT CAST('[' || 'page_view,click,form_submit,purchase' || ']' AS VARCHAR[]) AS types)
),
candidates AS MATERIALIZED (
    SELECT step, session_id, "timestamp" AS instant
    FROM events JOIN steps USING (type)
    WHERE "timestamp" >= CAST('-infinity' AS TIMESTAMPTZ) AND "timestamp" < CAST('infinity' AS TIMESTAMPTZ)
),
-- Each event by which a session can reach a step, with the latest first event (began) from
-- which it can: that is the greatest began of the step before.
reached AS (
    SELECT step, session_id, instant, instant AS began
    FROM candidates
    WHERE step = 1
    UNION ALL
    SELECT step, session_id, instant, began
    FROM (
        SELECT step, session_id, instant, is_next,
               max(began) OVER (PARTITION BY session_id ORDER BY instant, is_next DESC ROWS UNBOUNDED PRECEDING) AS began
        FROM (
            SELECT step, session_id, instant, began, false AS is_next FROM reached
            UNION ALL
            SELECT step, session_id, instant, NULL, true FROM candidates WHERE step = (SELECT max(step) + 1 FROM reached)
        )
    )
    WHERE is_next AND began IS NOT NULL AND coalesce(instant <= began + CAST(nullif('none', 'none') AS INTERVAL), true)
),
counted AS (
    SELECT step, type, count(DISTINCT session_id) AS sessions
    FROM steps LEFT JOIN reached USING (step)
    GROUP BY step, type
)
SELECT step, type, sessions,
       round(sessions / nullif(first_value(sessions) OVER by_step, 0), 4) AS conversion,
       round(sessions / nullif(lag(sessions, 1, sessions) OVER by_step, 0), 4) AS from_previous
FROM counted
WINDOW by_step AS (ORDER BY step)
ORDER BY step;

-- Funnel of event types in a session, for DuckDB
WITH RECURSIVE steps AS (
    SELECT unnest(types) AS type, generate_subscripts(types, 1) AS step
    FROM (SELECT CAST('[' || '''uno'',''dos, tres''' || ']' AS VARCHAR[]) AS types)
),
candidates AS MATERIALIZED (
    SELECT step, session_id, "timestamp" AS instant
    FROM events JOIN steps USING (type)
    WHERE "timestamp" >= CAST('2026-01-20T19:00:00.123456Z' AS TIMESTAMPTZ) AND "timestamp" < CAST('2026-01-20T19:00:00.123456Z' AS TIMESTAMPTZ)
),
-- Each event by which a session can reach a step, with the latest first event (began) from
-- which it can: that is the greatest began of the step before.
reached AS (
    SELECT step, session_id, instant, instant AS began
    FROM candidates
    WHERE step = 1
    UNION ALL
    SELECT step, session_id, instant, began
    FROM (
        SELECT step, session_id, instant, is_next,
               max(began) OVER (PARTITION BY session_id ORDER BY instant, is_next DESC ROWS UNBOUNDED PRECEDING) AS began
        FROM (
            SELECT step, session_id, instant, began, false AS is_next FROM reached
            UNION ALL
            SELECT step, session_id, instant, NULL, true FROM candidates WHERE step = (SELECT max(step) + 1 FROM reached)
        )
    )
    WHERE is_next AND began IS NOT NULL AND coalesce(instant <= began + CAST(nullif('3 days 0 microseconds', 'none') AS INTERVAL), true)
),
counted AS (
    SELECT step, type, count(DISTINCT session_id) AS sessions
    FROM steps LEFT JOIN reached USING (step)
    GROUP BY step, type
)
SELECT step, type, sessions,
       round(sessions / nullif(first_value(sessions) OVER by_step, 0), 4) AS conversion,
       round(sessions / nullif(lag(sessions, 1, sessions) OVER by_step, 0), 4) AS from_previous
FROM counted
WINDOW by_step AS (ORDER BY step)
ORDER BY step;

-- Retention by day, for DuckDB
-- The days are in the time zone of the session: SET TimeZone = 'UTC'
WITH active AS (
    SELECT user_id, CAST("timestamp" AS DATE) AS day, min("timestamp") AS seen
    FROM events
    WHERE user_id IS NOT NULL
    GROUP BY user_id, day
),
members AS (
    SELECT user_id, CAST(min(seen) AS DATE) AS cohort
    FROM active
    GROUP BY user_id
    HAVING min(seen) >= CAST('-infinity' AS TIMESTAMPTZ) AND min(seen) < CAST('infinity' AS TIMESTAMPTZ)
),
cohorts AS (
    SELECT cohort, count(*) AS users,
           unnest(range(least(CAST('30' AS BIGINT), (SELECT CAST(max("timestamp") AS DATE) FROM events) - cohort) + 1)) AS days_since
    FROM members
    GROUP BY cohort
),
returns AS (
    SELECT cohort, day - cohort AS days_since, count(*) AS active
    FROM active JOIN members USING (user_id)
    GROUP BY cohort, days_since
)
SELECT cohort, days_since, users,
       coalesce(active, 0) AS active,
       round(coalesce(active, 0) / users, 4) AS share
FROM cohorts LEFT JOIN returns USING (cohort, days_since)
ORDER BY cohort DESC, days_since
LIMIT CAST(nullif('all', 'all') AS BIGINT);

-- Retention by day, for DuckDB
-- The days are in the time zone of the session: SET TimeZone = 'Europe/Berlin'
WITH active AS (
    SELECT user_id, CAST("timestamp" AS DATE) AS day, min("timestamp") AS seen
    FROM events
    WHERE user_id IS NOT NULL
    GROUP BY user_id, day
),
members AS (
    SELECT user_id, CAST(min(seen) AS DATE) AS cohort
    FROM active
    GROUP BY user_id
    HAVING min(seen) >= CAST('2026-01-20T19:00:00.123456Z' AS TIMESTAMPTZ) AND min(seen) < CAST('2026-01-20T19:00:00.123456Z' AS TIMESTAMPTZ)
),
cohorts AS (
    SELECT cohort, count(*) AS users,
           unnest(range(least(CAST('4711' AS BIGINT), (SELECT CAST(max("timestamp") AS DATE) FROM events) - cohort) + 1)) AS days_since
    FROM members
    GROUP BY cohort
),
returns AS (
    SELECT cohort, day - cohort AS days_since, count(*) AS active
    FROM active JOIN members USING (user_id)
    GROUP BY cohort, days_since
)
SELECT cohort, days_since, users,
       coalesce(active, 0) AS active,
       round(coalesce(active, 0) / users, 4) AS share
FROM cohorts LEFT JOIN returns USING (cohort, days_since)
ORDER BY cohort DESC, days_since
LIMIT CAST(nullif('4711', 'all') AS BIGINT);

-- Top pages, for DuckDB
SELECT properties ->> '$.page' AS page,
       count(*) AS views,
       count(DISTINCT user_id) AS users,
       count(DISTINCT session_id) AS sessions,
       round(count(*) / sum(count(*)) OVER (), 4) AS share
FROM events
WHERE "timestamp" >= CAST('-infinity' AS TIMESTAMPTZ) AND "timestamp" < CAST('infinity' AS TIMESTAMPTZ)
  AND type = CAST('page_view' AS VARCHAR)
GROUP BY page
ORDER BY views DESC, page NULLS LAST
LIMIT CAST(nullif('20', 'all') AS BIGINT);

-- Top pages, for DuckDB
SELECT properties ->> '$.page' AS page,
       count(*) AS views,
       count(DISTINCT user_id) AS users,
       count(DISTINCT session_id) AS sessions,
       round(count(*) / sum(count(*)) OVER (), 4) AS share
FROM events
WHERE "timestamp" >= CAST('2026-01-20T19:00:00.123456Z' AS TIMESTAMPTZ) AND "timestamp" < CAST('2026-01-20T19:00:00.123456Z' AS TIMESTAMPTZ)
  AND type = CAST('cuatro' AS VARCHAR)
GROUP BY page
ORDER BY views DESC, page NULLS LAST
LIMIT CAST(nullif('4711', 'all') AS BIGINT);

-- Device shares, for DuckDB
WITH chosen AS (
    SELECT device_type, session_id, user_id
    FROM events
    WHERE "timestamp" >= CAST('-infinity' AS TIMESTAMPTZ) AND "timestamp" < CAST('infinity' AS TIMESTAMPTZ)
)
SELECT device_type,
       count(DISTINCT session_id) AS sessions,
       round(count(DISTINCT session_id) / (SELECT count(DISTINCT session_id) FROM chosen), 4) AS session_share,
       count(DISTINCT user_id) AS users,
       count(*) AS events,
       round(count(*) / sum(count(*)) OVER (), 4) AS event_share
FROM chosen
GROUP BY device_type
ORDER BY sessions DESC, events DESC, device_type NULLS LAST
LIMIT CAST(nullif('all', 'all') AS BIGINT);

-- Device shares, for DuckDB
WITH chosen AS (
    SELECT device_type, session_id, user_id
    FROM events
    WHERE "timestamp" >= CAST('2026-01-20T19:00:00.123456Z' AS TIMESTAMPTZ) AND "timestamp" < CAST('2026-01-20T19:00:00.123456Z' AS TIMESTAMPTZ)
)
SELECT device_type,
       count(DISTINCT session_id) AS sessions,
       round(count(DISTINCT session_id) / (SELECT count(DISTINCT session_id) FROM chosen), 4) AS session_share,
       count(DISTINCT user_id) AS users,
       count(*) AS events,
       round(count(*) / sum(count(*)) OVER (), 4) AS event_share
FROM chosen
GROUP BY device_type
ORDER BY sessions DESC, events DESC, device_type NULLS LAST
LIMIT CAST(nullif('4711', 'all') AS BIGINT);

-- Browser shares, for DuckDB
WITH chosen AS (
    SELECT browser, session_id, user_id
    FROM events
    WHERE "timestamp" >= CAST('-infinity' AS TIMESTAMPTZ) AND "timestamp" < CAST('infinity' AS TIMESTAMPTZ)
)
SELECT browser,
       count(DISTINCT session_id) AS sessions,
       round(count(DISTINCT session_id) / (SELECT count(DISTINCT session_id) FROM chosen), 4) AS session_share,
       count(DISTINCT user_id) AS users,
       count(*) AS events,
       round(count(*) / sum(count(*)) OVER (), 4) AS event_share
FROM chosen
GROUP BY browser
ORDER BY sessions DESC, events DESC, browser NULLS LAST
LIMIT CAST(nullif('all', 'all') AS BIGINT);

-- Browser shares, for DuckDB
WITH chosen AS (
    SELECT browser, session_id, user_id
    FROM events
    WHERE "timestamp" >= CAST('2026-01-20T19:00:00.123456Z' AS TIMESTAMPTZ) AND "timestamp" < CAST('2026-01-20T19:00:00.123456Z' AS TIMESTAMPTZ)
)
SELECT browser,
       count(DISTINCT session_id) AS sessions,
       round(count(DISTINCT session_id) / (SELECT count(DISTINCT session_id) FROM chosen), 4) AS session_share,
       count(DISTINCT user_id) AS users,
       count(*) AS events,
       round(count(*) / sum(count(*)) OVER (), 4) AS event_share
FROM chosen
GROUP BY browser
ORDER BY sessions DESC, events DESC, browser NULLS LAST
LIMIT CAST(nullif('4711', 'all') AS BIGINT);

