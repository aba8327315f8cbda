-- Retention by day
--
-- Of the users first seen on a day (the cohort), how many were active again a number of
-- days later, the newest cohort first. A user is a user_id, so events without one do not
-- count. A user is active on a day with any event. A user's first event is the first in
-- the whole file, whatever $since and $until are. Days are in the connection's time zone.
-- Each cohort has a row for each day up to that of the newest event in the file, which
-- may not be over yet.
--
-- $since TIMESTAMPTZ = -infinity: users first seen at this instant or later
-- $until TIMESTAMPTZ = infinity: users first seen before this instant
-- $days BIGINT = 30: how many days to follow a cohort
-- $limit BIGINT = all: the maximum number of rows, from the top

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
    HAVING min(seen) >= CAST($since AS TIMESTAMPTZ) AND min(seen) < CAST($until AS TIMESTAMPTZ)
),
cohorts AS (
    SELECT cohort, count(*) AS users,
           unnest(range(least(CAST($days AS BIGINT), (SELECT CAST(max("timestamp") AS DATE) FROM events) - cohort) + 1)) AS days_since
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
LIMIT CAST(nullif($limit, 'all') AS BIGINT);
