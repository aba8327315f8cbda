-- Events at the same instant have no order, so a session has one row for each instant.
WITH instants AS (
    SELECT session_id, `timestamp` AS instant
           {{- range .steps}},
           bool_or(type = {{.Type}}) AS is_{{.Number}}
           {{- end}}
    FROM {{.table}}
    WHERE type IN ({{join .types}}){{with between "`timestamp`"}} AND {{.}}{{end}}
    GROUP BY session_id, `timestamp`
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
    SELECT *, CASE WHEN is_{{.Number}}{{if $.within}} AND instant <= from_{{.Number}} + {{$.within}}{{end}} THEN from_{{.Number}} END AS began_{{.Number}}
    FROM before_{{.Number}}
),
{{- end}}
sessions AS (
    SELECT session_id{{range .steps}}, max(began_{{.Number}}) AS began_{{.Number}}{{end}}
    FROM reached_{{len .steps}}
    GROUP BY session_id
),
counted AS (
    SELECT stack({{len .steps}}
           {{- range .steps}},
               CAST({{.Number}} AS BIGINT), {{.Type}}, count(began_{{.Number}})
           {{- end}}) AS (step, type, sessions)
    FROM sessions
)
SELECT step, type, sessions,
       round(sessions / nullif(first_value(sessions) OVER by_step, 0) * 10000) / 10000 AS conversion,
       round(sessions / nullif(coalesce(lag(sessions) OVER by_step, sessions), 0) * 10000) / 10000 AS from_previous
FROM counted
WINDOW by_step AS (ORDER BY step)
ORDER BY step
