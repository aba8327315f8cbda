SELECT date_trunc('hour', at_timezone("timestamp", current_timezone())) AS hour,
       type,
       count(*) AS events
FROM {{.table}}
{{- with between "\"timestamp\""}}
WHERE {{.}}
{{- end}}
GROUP BY 1, 2
ORDER BY hour DESC, events DESC, type
{{- with .limit}}
LIMIT {{.}}
{{- end}}
