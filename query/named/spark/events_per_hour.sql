-- date_trunc gives wrong hours in zones whose clocks change by half an hour.
SELECT `timestamp` - make_interval(0, 0, 0, 0, 0, minute(`timestamp`), extract(SECOND FROM `timestamp`)) AS hour,
       type,
       count(*) AS events
FROM {{.table}}
{{- with between "`timestamp`"}}
WHERE {{.}}
{{- end}}
GROUP BY 1, 2
ORDER BY hour DESC, events DESC, type
{{- with .limit}}
LIMIT {{.}}
{{- end}}
