-- Funnel of event types in a session
--
-- How many sessions went through a list of event types in order, and where they left. A
-- session reaches the first step by an event of its type. It reaches each further step
-- by an event of that step's type after the one that reached the step before. Other
-- events may happen in between. Events at the same instant have no order: neither is
-- after the other. With $within, the last of these events may be at most that much
-- later than the first, and a session counts by its best attempt. conversion is the
-- share of the sessions that reached the first step; from_previous is the share of
-- those that reached the step before. Both are NULL if there are none.
--
-- $steps VARCHAR[] = page_view,click,form_submit,purchase: the event types, separated by
--   commas; a type with a comma goes in single quotes
-- $within INTERVAL = none: the maximum time from the first event to the last one
-- $since TIMESTAMPTZ = -infinity: events from this instant on
-- $until TIMESTAMPTZ = infinity: events before this instant

WITH RECURSIVE steps AS (
    SELECT unnest(types) AS type, generate_subscripts(types, 1) AS step
    FROM (SELECT CAST('[' || $steps || ']' AS VARCHAR[]) AS types)
),
candidates AS MATERIALIZED (
    SELECT step, session_id, "timestamp" AS instant
    FROM events JOIN steps USING (type)
    WHERE "timestamp" >= CAST($since AS TIMESTAMPTZ) AND "timestamp" < CAST($until AS TIMESTAMPTZ)
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
    WHERE is_next AND began IS NOT NULL AND coalesce(instant <= began + CAST(nullif($within, 'none') AS INTERVAL), true)
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
