WITH active AS (
    SELECT user_id, CAST(`timestamp` AS DATE) AS day, min(`timestamp`) AS seen
    FROM {{.table}}
    WHERE user_id IS NOT NULL
    GROUP BY 1, 2
),
members AS (
    SELECT user_id, CAST(min(seen) AS DATE) AS cohort
    FROM active
    GROUP BY user_id
    {{- with between "min(seen)"}}
    HAVING {{.}}
    {{- end}}
),
cohorts AS (
    SELECT cohort, users, explode(sequence(0L, least({{.days}}L, datediff(newest, cohort)))) AS days_since
    FROM (
        SELECT cohort, count(*) AS users, (SELECT CAST(max(`timestamp`) AS DATE) FROM {{.table}}) AS newest
        FROM members
        GROUP BY cohort
    )
),
came_back AS (
    SELECT cohort, CAST(datediff(day, cohort) AS BIGINT) AS days_since, count(*) AS active
    FROM active JOIN members USING (user_id)
    GROUP BY 1, 2
)
SELECT cohort, days_since, users,
       coalesce(active, 0) AS active,
       round(coalesce(active, 0) / users * 10000) / 10000 AS share
FROM cohorts LEFT JOIN came_back USING (cohort, days_since)
ORDER BY cohort DESC, days_since
{{- with .limit}}
LIMIT {{.}}
{{- end}}
