WITH marked AS (
    SELECT {{if eq .by "hour" -}}
           -- date_trunc gives wrong hours in zones whose clocks change by half an hour.
           `timestamp` - make_interval(0, 0, 0, 0, 0, minute(`timestamp`), extract(SECOND FROM `timestamp`)) AS period,
           {{- else -}}
           CAST(CAST(`timestamp` AS DATE) AS TIMESTAMP) AS period,
           {{- end}}
           type IN ({{join .errors}}) AS is_error
    FROM {{.table}}
    {{- with between "`timestamp`"}}
    WHERE {{.}}
    {{- end}}
)
SELECT period,
       count(*) FILTER (WHERE is_error) AS errors,
       count(*) AS events,
       round(count(*) FILTER (WHERE is_error) / count(*) * 10000) / 10000 AS error_rate
FROM marked
GROUP BY period
ORDER BY period DESC
{{- with .limit}}
LIMIT {{.}}
{{- end}}
