WITH active AS (
    SELECT user_id, CAST(at_timezone("timestamp", current_timezone()) AS date) AS day, min("timestamp") AS seen
    FROM {{.table}}
    WHERE user_id IS NOT NULL
    GROUP BY 1, 2
),
members AS (
    SELECT user_id, CAST(at_timezone(min(seen), current_timezone()) AS date) AS cohort
    FROM active
    GROUP BY user_id
    {{- with between "min(seen)"}}
    HAVING {{.}}
    {{- end}}
),
lasting AS (
    SELECT cohort, count(*) AS users,
           least(bigint '{{.days}}', date_diff('day', cohort, (SELECT CAST(at_timezone(max("timestamp"), current_timezone()) AS date) FROM {{.table}}))) AS days
    FROM members
    GROUP BY cohort
),
-- A sequence of Trino has at most 10,000 numbers.
cohorts AS (
    SELECT cohort, users, days_since
    FROM lasting
    CROSS JOIN UNNEST(sequence(0, days / 10000)) AS blocks (block)
    CROSS JOIN UNNEST(sequence(block * 10000, least(days, block * 10000 + 9999))) AS numbers (days_since)
),
came_back AS (
    SELECT cohort, date_diff('day', cohort, day) AS days_since, count(*) AS active
    FROM active JOIN members USING (user_id)
    GROUP BY 1, 2
)
SELECT cohort, days_since, users,
       coalesce(active, 0) AS active,
       round(CAST(coalesce(active, 0) AS double) / users, 4) AS share
FROM cohorts LEFT JOIN came_back USING (cohort, days_since)
ORDER BY cohort DESC, days_since
{{- with .limit}}
LIMIT {{.}}
{{- end}}
