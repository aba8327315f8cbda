-- Top pages
--
-- Which pages were viewed most, by how many users and in how many sessions. A view is an
-- event of the type $type; its page is the member "page" of its properties, unchanged.
-- Views without a page count in a row whose page is NULL. A view without a user_id counts
-- in views and sessions, but not in users. share is the share of all views.
--
-- $since TIMESTAMPTZ = -infinity: events from this instant on
-- $until TIMESTAMPTZ = infinity: events before this instant
-- $type VARCHAR = page_view: the type of the events that are views
-- $limit BIGINT = 20: the maximum number of rows, from the top; all for all

SELECT properties ->> '$.page' AS page,
       count(*) AS views,
       count(DISTINCT user_id) AS users,
       count(DISTINCT session_id) AS sessions,
       round(count(*) / sum(count(*)) OVER (), 4) AS share
FROM events
WHERE "timestamp" >= CAST($since AS TIMESTAMPTZ) AND "timestamp" < CAST($until AS TIMESTAMPTZ)
  AND type = CAST($type AS VARCHAR)
GROUP BY page
ORDER BY views DESC, page NULLS LAST
LIMIT CAST(nullif($limit, 'all') AS BIGINT);
