WITH {{if .gap -}}
marked AS (
    SELECT session_id, `timestamp`,
           `timestamp` > lag(`timestamp`) OVER in_time + {{.gap}} AS begins
    FROM {{.table}}
    WINDOW in_time AS (PARTITION BY session_id ORDER BY `timestamp`)
),
numbered AS (
    SELECT session_id, `timestamp`,
           count(CASE WHEN begins THEN 1 END) OVER (PARTITION BY session_id ORDER BY `timestamp` ROWS UNBOUNDED PRECEDING) AS number
    FROM marked
),
{{end -}}
sessions AS (
    SELECT min(`timestamp`) AS began, unix_micros(max(`timestamp`)) - unix_micros(min(`timestamp`)) AS length, count(*) AS events
    FROM {{if .gap}}numbered{{else}}{{.table}}{{end}}
    GROUP BY session_id{{if .gap}}, number{{end}}
)
SELECT CAST(began AS DATE) AS day,
       count(*) AS sessions,
       round(median(length) / 1000000D * 1000) / 1000 AS median_s,
       round(CAST(sum(CAST(length AS DECIMAL(20, 0))) AS DOUBLE) / count(*) / 1000000D * 1000) / 1000 AS mean_s,
       round(percentile_disc(0.95) WITHIN GROUP (ORDER BY length) / 1000000D * 1000) / 1000 AS p95_s,
       round(sum(events) / count(*) * 100) / 100 AS events_per_session,
       round(count(*) FILTER (WHERE events = 1) / count(*) * 10000) / 10000 AS bounce_share
FROM sessions
{{- with between "began"}}
WHERE {{.}}
{{- end}}
GROUP BY 1
ORDER BY day DESC
