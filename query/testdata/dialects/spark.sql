-- Events per hour and type, for Spark
-- The hours are in the time zone of the session: SET TIME ZONE 'UTC'
-- date_trunc gives wrong hours in zones whose clocks change by half an hour.
SELECT `timestamp` - make_interval(0, 0, 0, 0, 0, minute(`timestamp`), extract(SECOND FROM `timestamp`)) AS hour,
       type,
       count(*) AS events
FROM events
GROUP BY 1, 2
ORDER BY hour DESC, events DESC, type;

-- Events per hour and type, for Spark
-- The hours are in the time zone of the session: SET TIME ZONE 'Europe/Berlin'
-- date_trunc gives wrong hours in zones whose clocks change by half an hour.
SELECT `timestamp` - make_interval(0, 0, 0, 0, 0, minute(`timestamp`), extract(SECOND FROM `timestamp`)) AS hour,
       type,
       count(*) AS events
FROM events
WHERE `timestamp` >= TIMESTAMP '2026-01-20 19:00:00.123456Z' AND `timestamp` < TIMESTAMP '2026-01-20 19:00:00.123456Z'
GROUP BY 1, 2
ORDER BY hour DESC, events DESC, type
LIMIT 4711;

-- Error rate, for Spark
-- The days are in the time zone of the session: SET TIME ZONE 'UTC'
WITH marked AS (
    SELECT CAST(CAST(`timestamp` AS DATE) AS TIMESTAMP) AS period,
           type IN ('error') AS is_error
    FROM events
)
SELECT period,
       count(*) FILTER (WHERE is_error) AS errors,
       count(*) AS events,
       round(count(*) FILTER (WHERE is_error) / count(*) * 10000) / 10000 AS error_rate
FROM marked
GROUP BY period
ORDER BY period DESC;

-- Error rate, for Spark
-- The hours are in the time zone of the session: SET TIME ZONE 'Europe/Berlin'
WITH marked AS (
    SELECT -- date_trunc gives wrong hours in zones whose clocks change by half an hour.
           `timestamp` - make_interval(0, 0, 0, 0, 0, minute(`timestamp`), extract(SECOND FROM `timestamp`)) AS period,
           type IN ('uno', 'dos, tres') AS is_error
    FROM events
    WHERE `timestamp` >= TIMESTAMP '2026-01-20 19:00:00.123456Z' AND `timestamp` < TIMESTAMP '2026-01-20 19:00:00.123456Z'
)
SELECT period,
       count(*) FILTER (WHERE is_error) AS errors,
       count(*) AS events,
       round(count(*) FILTER (WHERE is_error) / count(*) * 10000) / 10000 AS error_rate
FROM marked
GROUP BY period
ORDER BY period DESC
LIMIT 4711;

-- Daily active users, for Spark
-- The days are in the time zone of the session: SET TIME ZONE 'UTC'
SELECT CAST(`timestamp` AS DATE) AS day,
       count(DISTINCT user_id) AS users,
       count(DISTINCT session_id) AS sessions,
       count(DISTINCT session_id) - count(DISTINCT session_id) FILTER (WHERE user_id IS NOT NULL) AS anonymous_sessions,
       count(*) AS events
FROM events
GROUP BY 1
ORDER BY day DESC;

-- Daily active users, for Spark
-- The days are in the time zone of the session: SET TIME ZONE 'Europe/Berlin'
SELECT CAST(`timestamp` AS DATE) AS day,
       count(DISTINCT user_id) AS users,
       count(DISTINCT session_id) AS sessions,
       count(DISTINCT session_id) - count(DISTINCT session_id) FILTER (WHERE user_id IS NOT NULL) AS anonymous_sessions,
       count(*) AS events
FROM events
WHERE `timestamp` >= TIMESTAMP '2026-01-20 19:00:00.123456Z' AND `timestamp` < TIMESTAMP '2026-01-20 19:00:00.123456Z'
GROUP BY 1
ORDER BY day DESC;

-- Sessions and their length, for Spark
-- The days are in the time zone of the session: SET TIME ZONE 'UTC'
WITH sessions AS (
    SELECT min(`timestamp`) AS began, unix_micros(max(`timestamp`)) - unix_micros(min(`timestamp`)) AS length, count(*) AS events
    FROM events
    GROUP BY session_id
)
SELECT CAST(began AS DATE) AS day,
       count(*) AS sessions,
       round(median(length) / 1000000D * 1000) / 1000 AS median_s,
       round(CAST(sum(CAST(length AS DECIMAL(20, 0))) AS DOUBLE) / count(*) / 1000000D * 1000) / 1000 AS mean_s,
       round(percentile_disc(0.95) WITHIN GROUP (ORDER BY length) / 1000000D * 1000) / 1000 AS p95_s,
       round(sum(events) / count(*) * 100) / 100 AS events_per_session,
       round(count(*) FILTER (WHERE events = 1) / count(*) * 10000) / 10000 AS bounce_share
FROM sessions
GROUP BY 1
ORDER BY day DESC;

-- Sessions and their length, for Spark
-- The days are in the time zone of the session: SET TIME ZONE 'Europe/Berlin'
WITH marked AS (
    SELECT session_id, `timestamp`,
           `timestamp` > lag(`timestamp`) OVER in_time + make_interval(0, 0, 0, 3, 0, 0, 0.000000) AS begins
    FROM events
    WINDOW in_time AS (PARTITION BY session_id ORDER BY `timestamp`)
),
numbered AS (
    SELECT session_id, `timestamp`,
           count(CASE WHEN begins THEN 1 END) OVER (PARTITION BY session_id ORDER BY `timestamp` ROWS UNBOUNDED PRECEDING) AS number
    FROM marked
),
sessions AS (
    SELECT min(`timestamp`) AS began, unix_micros(max(`timestamp`)) - unix_micros(min(`timestamp`)) AS length, count(*) AS events
    FROM numbered
    GROUP BY session_id, number
)
SELECT CAST(began AS DATE) AS day,
       count(*) AS sessions,
       round(median(length) / 1000000D * 1000) / 1000 AS median_s,
       round(CAST(sum(CAST(length AS DECIMAL(20, 0))) AS DOUBLE) / count(*) / 1000000D * 1000) / 1000 AS mean_s,
       round(percentile_disc(0.95) WITHIN GROUP (ORDER BY length) / 1000000D * 1000) / 1000 AS p95_s,
       round(sum(events) / count(*) * 100) / 100 AS events_per_session,
       round(count(*) FILTER (WHERE events = 1) / count(*) * 10000) / 10000 AS bounce_share
FROM sessions
WHERE began >= TIMESTAMP '2026-01-20 19:00:00.123456Z' AND began < TIMESTAMP '2026-01-20 19:00:00.123456Z'
GROUP BY 1
ORDER BY day DESC;

-- Funnel of event types in a session, for Spark
-- Events at the same instant have no order, so a session has one row for each instant.
WITH instants AS (
    SELECT session_id, `timestamp` AS instant,
           bool_or(type = 'page_view') AS is_1,
           bool_or(type = 'click') AS is_2,
           bool_or(type = 'form_submit') AS is_3,
           bool_or(type = 'purchase') AS is_4
    FROM events
    WHERE type IN ('page_view', 'click', 'form_submit', 'purchase')
    GROUP BY session_id, `timestamp`
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
counted AS (
    SELECT stack(4,
               CAST(1 AS BIGINT), 'page_view', count(began_1),
               CAST(2 AS BIGINT), 'click', count(began_2),
               CAST(3 AS BIGINT), 'form_submit', count(began_3),
               CAST(4 AS BIGINT), 'purchase', count(began_4)) AS (step, type, sessions)
    FROM sessions
)
SELECT step, type, sessions,
       round(sessions / nullif(first_value(sessions) OVER by_step, 0) * 10000) / 10000 AS conversion,
       round(sessions / nullif(coalesce(lag(sessions) OVER by_step, sessions), 0) * 10000) / 10000 AS from_previous
FROM counted
WINDOW by_step AS (ORDER BY step)
ORDER BY step;

-- Funnel of event types in a session, for Spark
-- Events at the same instant have no order, so a session has one row for each instant.
WITH instants AS (
    SELECT session_id, `timestamp` AS instant,
           bool_or(type = 'uno') AS is_1,
           bool_or(type = 'dos, tres') AS is_2
    FROM events
    WHERE type IN ('uno', 'dos, tres') AND `timestamp` >= TIMESTAMP '2026-01-20 19:00:00.123456Z' AND `timestamp` < TIMESTAMP '2026-01-20 19:00:00.123456Z'
    GROUP BY session_id, `timestamp`
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
    SELECT *, CASE WHEN is_2 AND instant <= from_2 + make_interval(0, 0, 0, 3, 0, 0, 0.000000) THEN from_2 END AS began_2
    FROM before_2
),
sessions AS (
    SELECT session_id, max(began_1) AS began_1, max(began_2) AS began_2
    FROM reached_2
    GROUP BY session_id
),
counted AS (
    SELECT stack(2,
               CAST(1 AS BIGINT), 'uno', count(began_1),
               CAST(2 AS BIGINT), 'dos, tres', count(began_2)) AS (step, type, sessions)
    FROM sessions
)
SELECT step, type, sessions,
       round(sessions / nullif(first_value(sessions) OVER by_step, 0) * 10000) / 10000 AS conversion,
       round(sessions / nullif(coalesce(lag(sessions) OVER by_step, sessions), 0) * 10000) / 10000 AS from_previous
FROM counted
WINDOW by_step AS (ORDER BY step)
ORDER BY step;

-- Retention by day, for Spark
-- The days are in the time zone of the session: SET TIME ZONE 'UTC'
WITH active AS (
    SELECT user_id, CAST(`timestamp` AS DATE) AS day, min(`timestamp`) AS seen
    FROM events
    WHERE user_id IS NOT NULL
    GROUP BY 1, 2
),
members AS (
    SELECT user_id, CAST(min(seen) AS DATE) AS cohort
    FROM active
    GROUP BY user_id
),
cohorts AS (
    SELECT cohort, users, explode(sequence(0L, least(30L, datediff(newest, cohort)))) AS days_since
    FROM (
        SELECT cohort, count(*) AS users, (SELECT CAST(max(`timestamp`) AS DATE) FROM events) AS newest
        FROM members
        GROUP BY cohort
    )
),
came_back AS (
    SELECT cohort, CAST(datediff(day, cohort) AS BIGINT) AS days_since, count(*) AS active
    FROM active JOIN members USING (user_id)
    GROUP BY 1, 2
)
SELECT cohort, days_since, users,
       coalesce(active, 0) AS active,
       round(coalesce(active, 0) / users * 10000) / 10000 AS share
FROM cohorts LEFT JOIN came_back USING (cohort, days_since)
ORDER BY cohort DESC, days_since;

-- Retention by day, for Spark
-- The days are in the time zone of the session: SET TIME ZONE 'Europe/Berlin'
WITH active AS (
    SELECT user_id, CAST(`timestamp` AS DATE) AS day, min(`timestamp`) AS seen
    FROM events
    WHERE user_id IS NOT NULL
    GROUP BY 1, 2
),
members AS (
    SELECT user_id, CAST(min(seen) AS DATE) AS cohort
    FROM active
    GROUP BY user_id
    HAVING min(seen) >= TIMESTAMP '2026-01-20 19:00:00.123456Z' AND min(seen) < TIMESTAMP '2026-01-20 19:00:00.123456Z'
),
cohorts AS (
    SELECT cohort, users, explode(sequence(0L, least(4711L, datediff(newest, cohort)))) AS days_since
    FROM (
        SELECT cohort, count(*) AS users, (SELECT CAST(max(`timestamp`) AS DATE) FROM events) AS newest
        FROM members
        GROUP BY cohort
    )
),
came_back AS (
    SELECT cohort, CAST(datediff(day, cohort) AS BIGINT) AS days_since, count(*) AS active
    FROM active JOIN members USING (user_id)
    GROUP BY 1, 2
)
SELECT cohort, days_since, users,
       coalesce(active, 0) AS active,
       round(coalesce(active, 0) / users * 10000) / 10000 AS share
FROM cohorts LEFT JOIN came_back USING (cohort, days_since)
ORDER BY cohort DESC, days_since
LIMIT 4711;

-- Top pages, for Spark
SELECT get_json_object(properties, '$.page') AS page,
       count(*) AS views,
       count(DISTINCT user_id) AS users,
       count(DISTINCT session_id) AS sessions,
       round(count(*) / sum(count(*)) OVER () * 10000) / 10000 AS share
FROM events
WHERE type = 'page_view'
GROUP BY 1
ORDER BY views DESC, page NULLS LAST
LIMIT 20;

-- Top pages, for Spark
SELECT get_json_object(properties, '$.page') AS page,
       count(*) AS views,
       count(DISTINCT user_id) AS users,
       count(DISTINCT session_id) AS sessions,
       round(count(*) / sum(count(*)) OVER () * 10000) / 10000 AS share
FROM events
WHERE type = 'cuatro' AND `timestamp` >= TIMESTAMP '2026-01-20 19:00:00.123456Z' AND `timestamp` < TIMESTAMP '2026-01-20 19:00:00.123456Z'
GROUP BY 1
ORDER BY views DESC, page NULLS LAST
LIMIT 4711;

-- Device shares, for Spark
WITH chosen AS (
    SELECT device_type, session_id, user_id
    FROM events
)
SELECT device_type,
       count(DISTINCT session_id) AS sessions,
       round(count(DISTINCT session_id) / (SELECT count(DISTINCT session_id) FROM chosen) * 10000) / 10000 AS session_share,
       count(DISTINCT user_id) AS users,
       count(*) AS events,
       round(count(*) / sum(count(*)) OVER () * 10000) / 10000 AS event_share
FROM chosen
GROUP BY device_type
ORDER BY sessions DESC, events DESC, device_type NULLS LAST;

-- Device shares, for Spark
WITH chosen AS (
    SELECT device_type, session_id, user_id
    FROM events
    WHERE `timestamp` >= TIMESTAMP '2026-01-20 19:00:00.123456Z' AND `timestamp` < TIMESTAMP '2026-01-20 19:00:00.123456Z'
)
SELECT device_type,
       count(DISTINCT session_id) AS sessions,
       round(count(DISTINCT session_id) / (SELECT count(DISTINCT session_id) FROM chosen) * 10000) / 10000 AS session_share,
       count(DISTINCT user_id) AS users,
       count(*) AS events,
       round(count(*) / sum(count(*)) OVER () * 10000) / 10000 AS event_share
FROM chosen
GROUP BY device_type
ORDER BY sessions DESC, events DESC, device_type NULLS LAST
LIMIT 4711;

-- Browser shares, for Spark
WITH chosen AS (
    SELECT browser, session_id, user_id
    FROM events
)
SELECT browser,
       count(DISTINCT session_id) AS sessions,
       round(count(DISTINCT session_id) / (SELECT count(DISTINCT session_id) FROM chosen) * 10000) / 10000 AS session_share,
       count(DISTINCT user_id) AS users,
       count(*) AS events,
       round(count(*) / sum(count(*)) OVER () * 10000) / 10000 AS event_share
FROM chosen
GROUP BY browser
ORDER BY sessions DESC, events DESC, browser NULLS LAST;

-- Browser shares, for Spark
WITH chosen AS (
    SELECT browser, session_id, user_id
    FROM events
    WHERE `timestamp` >= TIMESTAMP '2026-01-20 19:00:00.123456Z' AND `timestamp` < TIMESTAMP '2026-01-20 19:00:00.123456Z'
)
SELECT browser,
       count(DISTINCT session_id) AS sessions,
       round(count(DISTINCT session_id) / (SELECT count(DISTINCT session_id) FROM chosen) * 10000) / 10000 AS session_share,
       count(DISTINCT user_id) AS users,
       count(*) AS events,
       round(count(*) / sum(count(*)) OVER () * 10000) / 10000 AS event_share
FROM chosen
GROUP BY browser
ORDER BY sessions DESC, events DESC, browser NULLS LAST
LIMIT 4711;

