SELECT get_json_object(properties, '$.page') AS page,
       count(*) AS views,
       count(DISTINCT user_id) AS users,
       count(DISTINCT session_id) AS sessions,
       round(count(*) / sum(count(*)) OVER () * 10000) / 10000 AS share
FROM {{.table}}
WHERE type = {{.type}}{{with between "`timestamp`"}} AND {{.}}{{end}}
GROUP BY 1
ORDER BY views DESC, page NULLS LAST
{{- with .limit}}
LIMIT {{.}}
{{- end}}
