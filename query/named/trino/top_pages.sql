SELECT coalesce(json_extract_scalar(properties, '$.page'), nullif(json_format(json_extract(properties, '$.page')), 'null')) AS page,
       count(*) AS views,
       count(DISTINCT user_id) AS users,
       count(DISTINCT session_id) AS sessions,
       round(CAST(count(*) AS double) / sum(count(*)) OVER (), 4) AS share
FROM {{.table}}
WHERE type = {{.type}}{{with between "\"timestamp\""}} AND {{.}}{{end}}
GROUP BY 1
ORDER BY views DESC, page NULLS LAST
{{- with .limit}}
LIMIT {{.}}
{{- end}}
