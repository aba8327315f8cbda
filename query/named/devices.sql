-- Device shares
--
-- Which device types were used, in how many sessions, by how many users and for how many
-- events. Events without a device_type count in a row whose device_type is NULL. A
-- session with several device types counts for each, so session shares can add up to more
-- than 1. An event without a user_id does not count in users.
--
-- $since TIMESTAMPTZ = -infinity: events from this instant on
-- $until TIMESTAMPTZ = infinity: events before this instant
-- $limit BIGINT = all: the maximum number of rows, from the top

WITH chosen AS (
    SELECT device_type, session_id, user_id
    FROM events
    WHERE "timestamp" >= CAST($since AS TIMESTAMPTZ) AND "timestamp" < CAST($until AS TIMESTAMPTZ)
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
LIMIT CAST(nullif($limit, 'all') AS BIGINT);
