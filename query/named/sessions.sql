-- Sessions and their length
--
-- How many sessions began on each day, how long they were, and how many events they had,
-- the newest day first. A session is all events with one session_id; with $gap, a longer
-- pause between two of them begins another session. It counts on the day, in the
-- connection's time zone, of its first event, even if it continues past midnight. Its
-- length is the time from its first to its last event, in seconds; p95_s is the shortest
-- length that 95 of 100 sessions do not exceed. A session with a single event bounced.
-- Days on which no session began have no row.
--
-- $since TIMESTAMPTZ = -infinity: sessions that began at this instant or later
-- $until TIMESTAMPTZ = infinity: sessions that began before this instant
-- $gap INTERVAL = none: the maximum pause within a session, such as 30 minutes

WITH marked AS (
    SELECT session_id, "timestamp",
           "timestamp" > lag("timestamp") OVER in_time + CAST(nullif($gap, 'none') AS INTERVAL) AS begins
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
WHERE began >= CAST($since AS TIMESTAMPTZ) AND began < CAST($until AS TIMESTAMPTZ)
GROUP BY day
ORDER BY day DESC;
