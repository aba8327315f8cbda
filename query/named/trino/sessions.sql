-- Intervals of Trino have milliseconds only.
WITH FUNCTION micros(t timestamp(6) with time zone) RETURNS bigint
RETURN date_diff('millisecond', TIMESTAMP '1970-01-01 00:00:00 UTC', t) * 1000
     + CAST(round((to_unixtime(t) - to_unixtime(date_trunc('millisecond', t))) * 1e6) AS bigint)
WITH {{if .gap -}}
following AS (
    SELECT session_id, "timestamp", lag("timestamp") OVER (PARTITION BY session_id ORDER BY "timestamp") AS previous
    FROM {{.table}}
),
marked AS (
    SELECT session_id, "timestamp", micros("timestamp") > {{later "previous" .gap}} AS begins
    FROM following
),
numbered AS (
    SELECT session_id, "timestamp",
           count(CASE WHEN begins THEN 1 END) OVER (PARTITION BY session_id ORDER BY "timestamp" ROWS UNBOUNDED PRECEDING) AS number
    FROM marked
),
{{end -}}
sessions AS (
    SELECT min("timestamp") AS began, micros(max("timestamp")) - micros(min("timestamp")) AS length, count(*) AS events
    FROM {{if .gap}}numbered{{else}}{{.table}}{{end}}
    GROUP BY session_id{{if .gap}}, number{{end}}
),
days AS (
    SELECT CAST(at_timezone(began, current_timezone()) AS date) AS day, length, events
    FROM sessions
    {{- with between "began"}}
    WHERE {{.}}
    {{- end}}
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
ORDER BY day DESC
