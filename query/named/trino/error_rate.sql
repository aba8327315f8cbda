WITH marked AS (
    SELECT {{if eq .by "hour" -}}
           date_trunc('hour', at_timezone("timestamp", current_timezone())) AS period,
           {{- else -}}
           CAST(CAST(at_timezone("timestamp", current_timezone()) AS date) AS timestamp(6) with time zone) AS period,
           {{- end}}
           type IN ({{join .errors}}) AS is_error
    FROM {{.table}}
    {{- with between "\"timestamp\""}}
    WHERE {{.}}
    {{- end}}
)
SELECT period,
       count(*) FILTER (WHERE is_error) AS errors,
       count(*) AS events,
       round(CAST(count(*) FILTER (WHERE is_error) AS double) / count(*), 4) AS error_rate
FROM marked
GROUP BY period
ORDER BY period DESC
{{- with .limit}}
LIMIT {{.}}
{{- end}}
