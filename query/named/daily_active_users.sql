-- Daily active users
--
-- How many users were active on each day, the newest day first. A user is active on a day
-- with any event. Days are in the connection's time zone. Events without a user_id count
-- in events and sessions only; sessions with no other events on a day are that day's
-- anonymous_sessions. A session counts on every day on which it has events. Days without
-- events have no row.
--
-- $since TIMESTAMPTZ = -infinity: events from this instant on
-- $until TIMESTAMPTZ = infinity: events before this instant

SELECT CAST("timestamp" AS DATE) AS day,
       count(DISTINCT user_id) AS users,
       count(DISTINCT session_id) AS sessions,
       count(DISTINCT session_id) - count(DISTINCT session_id) FILTER (user_id IS NOT NULL) AS anonymous_sessions,
       count(*) AS events
FROM events
WHERE "timestamp" >= CAST($since AS TIMESTAMPTZ) AND "timestamp" < CAST($until AS TIMESTAMPTZ)
GROUP BY day
ORDER BY day DESC;
