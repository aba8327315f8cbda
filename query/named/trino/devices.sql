WITH chosen AS (
    SELECT device_type, session_id, user_id
    FROM {{.table}}
    {{- with between "\"timestamp\""}}
    WHERE {{.}}
    {{- end}}
)
SELECT device_type,
       count(DISTINCT session_id) AS sessions,
       round(CAST(count(DISTINCT session_id) AS double) / (SELECT count(DISTINCT session_id) FROM chosen), 4) AS session_share,
       count(DISTINCT user_id) AS users,
       count(*) AS events,
       round(CAST(count(*) AS double) / sum(count(*)) OVER (), 4) AS event_share
FROM chosen
GROUP BY device_type
ORDER BY sessions DESC, events DESC, device_type NULLS LAST
{{- with .limit}}
LIMIT {{.}}
{{- end}}
