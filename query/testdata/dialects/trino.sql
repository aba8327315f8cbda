-- Events per hour and type, for Trino
-- The hours are in the time zone of the session: SET TIME ZONE 'UTC'
SELECT date_trunc('hour', at_timezone("timestamp", current_timezone())) AS hour,
       type,
       count(*) AS events
FROM events
GROUP BY 1, 2
ORDER BY hour DESC, events DESC, type;

-- Events per hour and type, for Trino
-- The hours are in the time zone of the session: SET TIME ZONE 'Europe/Berlin'
SELECT date_trunc('hour', at_timezone("timestamp", current_timezone())) AS hour,
       type,
       count(*) AS events
FROM events
WHERE "timestamp" >= TIMESTAMP '2026-01-20 19:00:00.123456 UTC' AND "timestamp" < TIMESTAMP '2026-01-20 19:00:00.123456 UTC'
GROUP BY 1, 2
ORDER BY hour DESC, events DESC, type
LIMIT 4711;

-- Error rate, for Trino
-- The days are in the time zone of the session: SET TIME ZONE 'UTC'
WITH marked AS (
    SELECT CAST(CAST(at_timezone("timestamp", current_timezone()) AS date) AS timestamp(6) with time zone) AS period,
           type IN ('error') AS is_error
    FROM events
)
SELECT period,
       count(*) FILTER (WHERE is_error) AS errors,
       count(*) AS events,
       round(CAST(count(*) FILTER (WHERE is_error) AS double) / count(*), 4) AS error_rate
FROM marked
GROUP BY period
ORDER BY period DESC;

-- Error rate, for Trino
-- The hours are in the time zone of the session: SET TIME ZONE 'Europe/Berlin'
WITH marked AS (
    SELECT date_trunc('hour', at_timezone("timestamp", current_timezone())) AS period,
           type IN ('uno', 'dos, tres') AS is_error
    FROM events
    WHERE "timestamp" >= TIMESTAMP '2026-01-20 19:00:00.123456 UTC' AND "timestamp" < TIMESTAMP '2026-01-20 19:00:00.123456 UTC'
)
SELECT period,
       count(*) FILTER (WHERE is_error) AS errors,
       count(*) AS events,
       round(CAST(count(*) FILTER (WHERE is_error) AS double) / count(*), 4) AS error_rate
FROM marked
GROUP BY period
ORDER BY period DESC
LIMIT 4711;

-- Daily active users, for Trino
-- The days are in the time zone of the session: SET TIME ZONE 'UTC'
SELECT CAST(at_timezone("timestamp", current_timezone()) AS date) AS day,
       count(DISTINCT user_id) AS users,
       count(DISTINCT session_id) AS sessions,
       count(DISTINCT session_id) - count(DISTINCT session_id) FILTER (WHERE user_id IS NOT NULL) AS anonymous_sessions,
       count(*) AS events
FROM events
GROUP BY 1
ORDER BY day DESC;

-- Daily active users, for Trino
-- The days are in the time zone of the session: SET TIME ZONE 'Europe/Berlin'
SELECT CAST(at_timezone("timestamp", current_timezone()) AS date) AS day,
       count(DISTINCT user_id) AS users,
       count(DISTINCT session_id) AS sessions,
       count(DISTINCT session_id) - count(DISTINCT session_id) FILTER (WHERE user_id IS NOT NULL) AS anonymous_sessions,
       count(*) AS events
FROM events
WHERE "timestamp" >= TIMESTAMP '2026-01-20 19:00:00.123456 UTC' AND "timestamp" < TIMESTAMP '2026-01-20 19:00:00.123456 UTC'
GROUP BY 1
ORDER BY day DESC;

-- Sessions and their length, for Trino
-- The days are in the time zone of the session: SET TIME ZONE 'UTC'
-- Intervals of Trino have milliseconds only.
WITH FUNCTION micros(t timestamp(6) with time zone) RETURNS bigint
RETURN date_diff('millisecond', TIMESTAMP '1970-01-01 00:00:00 UTC', t) * 1000
     + CAST(round((to_unixtime(t) - to_unixtime(date_trunc('millisecond', t))) * 1e6) AS bigint)
WITH sessions AS (
    SELECT min("timestamp") AS began, micros(max("timestamp")) - micros(min("timestamp")) AS length, count(*) AS events
    FROM events
    GROUP BY session_id
),
days AS (
    SELECT CAST(at_timezone(began, current_timezone()) AS date) AS day, length, events
    FROM sessions
),
-- Trino has approximate quantiles only.
ranked AS (
    SELECT day, length, events,
           row_number() OVER (PARTITION BY day ORDER BY length) AS place,
           count(*) OVER (PARTITION BY day) AS of_day
    FROM days
)
SELECT day,
       count(*) AS sessions,
       round(avg(CAST(length AS double)) FILTER (WHERE place IN ((of_day + 1) / 2, of_day / 2 + 1)) / 1e6, 3) AS median_s,
       round(CAST(sum(CAST(length AS decimal(20, 0))) AS double) / count(*) / 1e6, 3) AS mean_s,
       round(max(length) FILTER (WHERE place = (95 * of_day + 99) / 100) / 1e6, 3) AS p95_s,
       round(CAST(sum(events) AS double) / count(*), 2) AS events_per_session,
       round(CAST(count(*) FILTER (WHERE events = 1) AS double) / count(*), 4) AS bounce_share
FROM ranked
GROUP BY day
ORDER BY day DESC;

-- Sessions and their length, for Trino
-- The days are in the time zone of the session: SET TIME ZONE 'Europe/Berlin'
-- Intervals of Trino have milliseconds only.
WITH FUNCTION micros(t timestamp(6) with time zone) RETURNS bigint
RETURN date_diff('millisecond', TIMESTAMP '1970-01-01 00:00:00 UTC', t) * 1000
     + CAST(round((to_unixtime(t) - to_unixtime(date_trunc('millisecond', t))) * 1e6) AS bigint)
WITH following AS (
    SELECT session_id, "timestamp", lag("timestamp") OVER (PARTITION BY session_id ORDER BY "timestamp") AS previous
    FROM events
),
marked AS (
    SELECT session_id, "timestamp", micros("timestamp") > micros(date_add('day', 3, at_timezone(previous, current_timezone()))) + 0 AS begins
    FROM following
),
numbered AS (
    SELECT session_id, "timestamp",
           count(CASE WHEN begins THEN 1 END) OVER (PARTITION BY session_id ORDER BY "timestamp" ROWS UNBOUNDED PRECEDING) AS number
    FROM marked
),
sessions AS (
    SELECT min("timestamp") AS began, micros(max("timestamp")) - micros(min("timestamp")) AS length, count(*) AS events
    FROM numbered
    GROUP BY session_id, number
),
days AS (
    SELECT CAST(at_timezone(began, current_timezone()) AS date) AS day, length, events
    FROM sessions
    WHERE began >= TIMESTAMP '2026-01-20 19:00:00.123456 UTC' AND began < TIMESTAMP '2026-01-20 19:00:00.123456 UTC'
),
-- Trino has approximate quantiles only.
ranked AS (
    SELECT day, length, events,
           row_number() OVER (PARTITION BY day ORDER BY length) AS place,
           count(*) OVER (PARTITION BY day) AS of_day
    FROM days
)
SELECT day,
       count(*) AS sessions,
       round(avg(CAST(length AS double)) FILTER (WHERE place IN ((of_day + 1) / 2, of_day / 2 + 1)) / 1e6, 3) AS median_s,
       round(CAST(sum(CAST(length AS decimal(20, 0))) AS double) / count(*) / 1e6, 3) AS mean_s,
       round(max(length) FILTER (WHERE place = (95 * of_day + 99) / 100) / 1e6, 3) AS p95_s,
       round(CAST(sum(events) AS double) / count(*), 2) AS events_per_session,
       round(CAST(count(*) FILTER (WHERE events = 1) AS double) / count(*), 4) AS bounce_share
FROM ranked
GROUP BY day
ORDER BY day DESC;

-- Funnel of event types in a session, for Trino
-- Events at the same instant have no order, so a session has one row for each instant.
WITH instants AS (
    SELECT session_id, "timestamp" AS instant,
           bool_or(type = 'page_view') AS is_1,
           bool_or(type = 'click') AS is_2,
           bool_or(type = 'form_submit') AS is_3,
           bool_or(type = 'purchase') AS is_4
    FROM events
    WHERE type IN ('page_view', 'click', 'form_submit', 'purchase')
    GROUP BY session_id, "timestamp"
),
-- For each instant at which a session can reach a step, began is the latest possible first event: the
-- greatest began of the previous step.
reached_1 AS (
    SELECT *, CASE WHEN is_1 THEN instant END AS began_1
    FROM instants
),
before_2 AS (
    SELECT *, max(began_1) OVER (PARTITION BY session_id ORDER BY instant ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS from_2
    FROM reached_1
),
reached_2 AS (
    SELECT *, CASE WHEN is_2 THEN from_2 END AS began_2
    FROM before_2
),
before_3 AS (
    SELECT *, max(began_2) OVER (PARTITION BY session_id ORDER BY instant ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS from_3
    FROM reached_2
),
reached_3 AS (
    SELECT *, CASE WHEN is_3 THEN from_3 END AS began_3
    FROM before_3
),
before_4 AS (
    SELECT *, max(began_3) OVER (PARTITION BY session_id ORDER BY instant ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS from_4
    FROM reached_3
),
reached_4 AS (
    SELECT *, CASE WHEN is_4 THEN from_4 END AS began_4
    FROM before_4
),
sessions AS (
    SELECT session_id, max(began_1) AS began_1, max(began_2) AS began_2, max(began_3) AS began_3, max(began_4) AS began_4
    FROM reached_4
    GROUP BY session_id
),
totals AS (
    SELECT count(began_1) AS sessions_1, count(began_2) AS sessions_2, count(began_3) AS sessions_3, count(began_4) AS sessions_4
    FROM sessions
),
counted AS (
    SELECT step, type, sessions
    FROM totals
    CROSS JOIN UNNEST(
        ARRAY[1, 2, 3, 4],
        ARRAY['page_view', 'click', 'form_submit', 'purchase'],
        ARRAY[sessions_1, sessions_2, sessions_3, sessions_4]
    ) AS steps (step, type, sessions)
)
SELECT step, type, sessions,
       round(CAST(sessions AS double) / nullif(first_value(sessions) OVER by_step, 0), 4) AS conversion,
       round(CAST(sessions AS double) / nullif(lag(sessions, 1, sessions) OVER by_step, 0), 4) AS from_previous
FROM counted
WINDOW by_step AS (ORDER BY step)
ORDER BY step;

-- Funnel of event types in a session, for Trino
-- Intervals of Trino have milliseconds only.
WITH FUNCTION micros(t timestamp(6) with time zone) RETURNS bigint
RETURN date_diff('millisecond', TIMESTAMP '1970-01-01 00:00:00 UTC', t) * 1000
     + CAST(round((to_unixtime(t) - to_unixtime(date_trunc('millisecond', t))) * 1e6) AS bigint)
-- Events at the same instant have no order, so a session has one row for each instant.
WITH instants AS (
    SELECT session_id, "timestamp" AS instant,
           bool_or(type = 'uno') AS is_1,
           bool_or(type = 'dos, tres') AS is_2
    FROM events
    WHERE type IN ('uno', 'dos, tres') AND "timestamp" >= TIMESTAMP '2026-01-20 19:00:00.123456 UTC' AND "timestamp" < TIMESTAMP '2026-01-20 19:00:00.123456 UTC'
    GROUP BY session_id, "timestamp"
),
-- For each instant at which a session can reach a step, began is the latest possible first event: the
-- greatest began of the previous step.
reached_1 AS (
    SELECT *, CASE WHEN is_1 THEN instant END AS began_1
    FROM instants
),
before_2 AS (
    SELECT *, max(began_1) OVER (PARTITION BY session_id ORDER BY instant ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS from_2
    FROM reached_1
),
reached_2 AS (
    SELECT *, CASE WHEN is_2 AND micros(instant) <= micros(date_add('day', 3, at_timezone(from_2, current_timezone()))) + 0 THEN from_2 END AS began_2
    FROM before_2
),
sessions AS (
    SELECT session_id, max(began_1) AS began_1, max(began_2) AS began_2
    FROM reached_2
    GROUP BY session_id
),
totals AS (
    SELECT count(began_1) AS sessions_1, count(began_2) AS sessions_2
    FROM sessions
),
counted AS (
    SELECT step, type, sessions
    FROM totals
    CROSS JOIN UNNEST(
        ARRAY[1, 2],
        ARRAY['uno', 'dos, tres'],
        ARRAY[sessions_1, sessions_2]
    ) AS steps (step, type, sessions)
)
SELECT step, type, sessions,
       round(CAST(sessions AS double) / nullif(first_value(sessions) OVER by_step, 0), 4) AS conversion,
       round(CAST(sessions AS double) / nullif(lag(sessions, 1, sessions) OVER by_step, 0), 4) AS from_previous
FROM counted
WINDOW by_step AS (ORDER BY step)
ORDER BY step;

-- Retention by day, for Trino
-- The days are in the time zone of the session: SET TIME ZONE 'UTC'
WITH active AS (
    SELECT user_id, CAST(at_timezone("timestamp", current_timezone()) AS date) AS day, min("timestamp") AS seen
    FROM events
    WHERE user_id IS NOT NULL
    GROUP BY 1, 2
),
members AS (
    SELECT user_id, CAST(at_timezone(min(seen), current_timezone()) AS date) AS cohort
    FROM active
    GROUP BY user_id
),
lasting AS (
    SELECT cohort, count(*) AS users,
           least(bigint '30', date_diff('day', cohort, (SELECT CAST(at_timezone(max("timestamp"), current_timezone()) AS date) FROM events))) AS days
    FROM members
    GROUP BY cohort
),
-- A sequence of Trino has at most 10,000 numbers.
cohorts AS (
    SELECT cohort, users, days_since
    FROM lasting
    CROSS JOIN UNNEST(sequence(0, days / 10000)) AS blocks (block)
    CROSS JOIN UNNEST(sequence(block * 10000, least(days, block * 10000 + 9999))) AS numbers (days_since)
),
came_back AS (
    SELECT cohort, date_diff('day', cohort, day) AS days_since, count(*) AS active
    FROM active JOIN members USING (user_id)
    GROUP BY 1, 2
)
SELECT cohort, days_since, users,
       coalesce(active, 0) AS active,
       round(CAST(coalesce(active, 0) AS double) / users, 4) AS share
FROM cohorts LEFT JOIN came_back USING (cohort, days_since)
ORDER BY cohort DESC, days_since;

-- Retention by day, for Trino
-- The days are in the time zone of the session: SET TIME ZONE 'Europe/Berlin'
WITH active AS (
    SELECT user_id, CAST(at_timezone("timestamp", current_timezone()) AS date) AS day, min("timestamp") AS seen
    FROM events
    WHERE user_id IS NOT NULL
    GROUP BY 1, 2
),
members AS (
    SELECT user_id, CAST(at_timezone(min(seen), current_timezone()) AS date) AS cohort
    FROM active
    GROUP BY user_id
    HAVING min(seen) >= TIMESTAMP '2026-01-20 19:00:00.123456 UTC' AND min(seen) < TIMESTAMP '2026-01-20 19:00:00.123456 UTC'
),
lasting AS (
    SELECT cohort, count(*) AS users,
           least(bigint '4711', date_diff('day', cohort, (SELECT CAST(at_timezone(max("timestamp"), current_timezone()) AS date) FROM events))) AS days
    FROM members
    GROUP BY cohort
),
-- A sequence of Trino has at most 10,000 numbers.
cohorts AS (
    SELECT cohort, users, days_since
    FROM lasting
    CROSS JOIN UNNEST(sequence(0, days / 10000)) AS blocks (block)
    CROSS JOIN UNNEST(sequence(block * 10000, least(days, block * 10000 + 9999))) AS numbers (days_since)
),
came_back AS (
    SELECT cohort, date_diff('day', cohort, day) AS days_since, count(*) AS active
    FROM active JOIN members USING (user_id)
    GROUP BY 1, 2
)
SELECT cohort, days_since, users,
       coalesce(active, 0) AS active,
       round(CAST(coalesce(active, 0) AS double) / users, 4) AS share
FROM cohorts LEFT JOIN came_back USING (cohort, days_since)
ORDER BY cohort DESC, days_since
LIMIT 4711;

-- Top pages, for Trino
SELECT coalesce(json_extract_scalar(properties, '$.page'), nullif(json_format(json_extract(properties, '$.page')), 'null')) AS page,
       count(*) AS views,
       count(DISTINCT user_id) AS users,
       count(DISTINCT session_id) AS sessions,
       round(CAST(count(*) AS double) / sum(count(*)) OVER (), 4) AS share
FROM events
WHERE type = 'page_view'
GROUP BY 1
ORDER BY views DESC, page NULLS LAST
LIMIT 20;

-- Top pages, for Trino
SELECT coalesce(json_extract_scalar(properties, '$.page'), nullif(json_format(json_extract(properties, '$.page')), 'null')) AS page,
       count(*) AS views,
       count(DISTINCT user_id) AS users,
       count(DISTINCT session_id) AS sessions,
       round(CAST(count(*) AS double) / sum(count(*)) OVER (), 4) AS share
FROM events
WHERE type = 'cuatro' AND "timestamp" >= TIMESTAMP '2026-01-20 19:00:00.123456 UTC' AND "timestamp" < TIMESTAMP '2026-01-20 19:00:00.123456 UTC'
GROUP BY 1
ORDER BY views DESC, page NULLS LAST
LIMIT 4711;

-- Device shares, for Trino
WITH chosen AS (
    SELECT device_type, session_id, user_id
    FROM events
)
SELECT device_type,
       count(DISTINCT session_id) AS sessions,
       round(CAST(count(DISTINCT session_id) AS double) / (SELECT count(DISTINCT session_id) FROM chosen), 4) AS session_share,
       count(DISTINCT user_id) AS users,
       count(*) AS events,
       round(CAST(count(*) AS double) / sum(count(*)) OVER (), 4) AS event_share
FROM chosen
GROUP BY device_type
ORDER BY sessions DESC, events DESC, device_type NULLS LAST;

-- Device shares, for Trino
WITH chosen AS (
    SELECT device_type, session_id, user_id
    FROM events
    WHERE "timestamp" >= TIMESTAMP '2026-01-20 19:00:00.123456 UTC' AND "timestamp" < TIMESTAMP '2026-01-20 19:00:00.123456 UTC'
)
SELECT device_type,
       count(DISTINCT session_id) AS sessions,
       round(CAST(count(DISTINCT session_id) AS double) / (SELECT count(DISTINCT session_id) FROM chosen), 4) AS session_share,
       count(DISTINCT user_id) AS users,
       count(*) AS events,
       round(CAST(count(*) AS double) / sum(count(*)) OVER (), 4) AS event_share
FROM chosen
GROUP BY device_type
ORDER BY sessions DESC, events DESC, device_type NULLS LAST
LIMIT 4711;

-- Browser shares, for Trino
WITH chosen AS (
    SELECT browser, session_id, user_id
    FROM events
)
SELECT browser,
       count(DISTINCT session_id) AS sessions,
       round(CAST(count(DISTINCT session_id) AS double) / (SELECT count(DISTINCT session_id) FROM chosen), 4) AS session_share,
       count(DISTINCT user_id) AS users,
       count(*) AS events,
       round(CAST(count(*) AS double) / sum(count(*)) OVER (), 4) AS event_share
FROM chosen
GROUP BY browser
ORDER BY sessions DESC, events DESC, browser NULLS LAST;

-- Browser shares, for Trino
WITH chosen AS (
    SELECT browser, session_id, user_id
    FROM events
    WHERE "timestamp" >= TIMESTAMP '2026-01-20 19:00:00.123456 UTC' AND "timestamp" < TIMESTAMP '2026-01-20 19:00:00.123456 UTC'
)
SELECT browser,
       count(DISTINCT session_id) AS sessions,
       round(CAST(count(DISTINCT session_id) AS double) / (SELECT count(DISTINCT session_id) FROM chosen), 4) AS session_share,
       count(DISTINCT user_id) AS users,
       count(*) AS events,
       round(CAST(count(*) AS double) / sum(count(*)) OVER (), 4) AS event_share
FROM chosen
GROUP BY browser
ORDER BY sessions DESC, events DESC, browser NULLS LAST
LIMIT 4711;

