{{if .within -}}
-- Intervals of Trino have milliseconds only.
WITH FUNCTION micros(t timestamp(6) with time zone) RETURNS bigint
RETURN date_diff('millisecond', TIMESTAMP '1970-01-01 00:00:00 UTC', t) * 1000
     + CAST(round((to_unixtime(t) - to_unixtime(date_trunc('millisecond', t))) * 1e6) AS bigint)
{{end -}}
-- Events at the same instant have no order, so a session has one row for each instant.
WITH instants AS (
    SELECT session_id, "timestamp" AS instant
           {{- range .steps}},
           bool_or(type = {{.Type}}) AS is_{{.Number}}
           {{- end}}
    FROM {{.table}}
    WHERE type IN ({{join .types}}){{with between "\"timestamp\""}} AND {{.}}{{end}}
    GROUP BY session_id, "timestamp"
),
-- For each instant at which a session can reach a step, began is the latest possible first event: the
-- greatest began of the previous step.
reached_1 AS (
    SELECT *, CASE WHEN is_1 THEN instant END AS began_1
    FROM instants
),
{{- range .further}}
before_{{.Number}} AS (
    SELECT *, max(began_{{.Before}}) OVER (PARTITION BY session_id ORDER BY instant ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS from_{{.Number}}
    FROM reached_{{.Before}}
),
reached_{{.Number}} AS (
    SELECT *, CASE WHEN is_{{.Number}}{{if $.within}} AND micros(instant) <= {{later (printf "from_%d" .Number) $.within}}{{end}} THEN from_{{.Number}} END AS began_{{.Number}}
    FROM before_{{.Number}}
),
{{- end}}
sessions AS (
    SELECT session_id{{range .steps}}, max(began_{{.Number}}) AS began_{{.Number}}{{end}}
    FROM reached_{{len .steps}}
    GROUP BY session_id
),
totals AS (
    SELECT {{range $i, $s := .steps}}{{if $i}}, {{end}}count(began_{{.Number}}) AS sessions_{{.Number}}{{end}}
    FROM sessions
),
counted AS (
    SELECT step, type, sessions
    FROM totals
    CROSS JOIN UNNEST(
        ARRAY[{{range $i, $s := .steps}}{{if $i}}, {{end}}{{.Number}}{{end}}],
        ARRAY[{{join .types}}],
        ARRAY[{{range $i, $s := .steps}}{{if $i}}, {{end}}sessions_{{.Number}}{{end}}]
    ) AS steps (step, type, sessions)
)
SELECT step, type, sessions,
       round(CAST(sessions AS double) / nullif(first_value(sessions) OVER by_step, 0), 4) AS conversion,
       round(CAST(sessions AS double) / nullif(lag(sessions, 1, sessions) OVER by_step, 0), 4) AS from_previous
FROM counted
WINDOW by_step AS (ORDER BY step)
ORDER BY step
