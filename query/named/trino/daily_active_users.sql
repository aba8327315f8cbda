SELECT CAST(at_timezone("timestamp", current_timezone()) AS date) AS day,
       count(DISTINCT user_id) AS users,
       count(DISTINCT session_id) AS sessions,
       count(DISTINCT session_id) - count(DISTINCT session_id) FILTER (WHERE user_id IS NOT NULL) AS anonymous_sessions,
       count(*) AS events
FROM {{.table}}
{{- with between "\"timestamp\""}}
WHERE {{.}}
{{- end}}
GROUP BY 1
ORDER BY day DESC
