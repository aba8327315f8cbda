WITH chosen AS (
    SELECT device_type, session_id, user_id
    FROM {{.table}}
    {{- with between "`timestamp`"}}
    WHERE {{.}}
    {{- end}}
)
SELECT device_type,
       count(DISTINCT session_id) AS sessions,
       round(count(DISTINCT session_id) / (SELECT count(DISTINCT session_id) FROM chosen) * 10000) / 10000 AS session_share,
       count(DISTINCT user_id) AS users,
       count(*) AS events,
       round(count(*) / sum(count(*)) OVER () * 10000) / 10000 AS event_share
FROM chosen
GROUP BY device_type
ORDER BY sessions DESC, events DESC, device_type NULLS LAST
{{- with .limit}}
LIMIT {{.}}
{{- end}}
