package figures

import (
	"database/sql"
	"time"
)

// Retention says how many of the users first seen in a week came back in later weeks.
type Retention struct {
	// Cohorts are by week, the oldest first. Weeks begin on Monday.
	Cohorts []Cohort
}

// Cohort are the users whose first event of the period was in one week.
type Cohort struct {
	// Week is the date of the week's Monday, as of Day.
	Week  time.Time
	Users int64
	// Active are the users that were active in the week itself, the week after ... up to the
	// week of the period's last event.
	Active []int64
	// Open says that the last week of Active is not over.
	Open bool
}

// maxWeeks is the number of cohorts that are followed, from the newest back.
const maxWeeks = 53

// retention reads how many users came back.
func (r *reader) retention(f *Figures) error {
	if f.Period.First.IsZero() {
		return nil
	}
	index := map[int64]int{}
	cohorts := &f.Retention.Cohorts
	days := f.Period.Days
	newest := days[len(days)-1]
	over := newest.Whole && newest.Date.Weekday() == time.Sunday
	last := mondayOf(newest.Date)
	for week := mondayOf(days[0].Date); !week.After(last); week = week.AddDate(0, 0, 7) {
		weeks := int(last.Sub(week).Hours())/(7*24) + 1
		if weeks > maxWeeks {
			continue
		}
		index[week.UnixMicro()] = len(*cohorts)
		*cohorts = append(*cohorts, Cohort{Week: week, Active: make([]int64, weeks), Open: !over})
	}
	return r.each(`WITH active AS (
			SELECT DISTINCT user_id, CAST(date_trunc('week', day) AS DATE) AS week
			FROM (SELECT `+bucketOf+` AS bucket, user_id FROM events `+r.where()+` AND user_id IS NOT NULL)
			JOIN temp.datasync_buckets USING (bucket)),
		first AS (SELECT user_id, min(week) AS cohort FROM active GROUP BY user_id)
		SELECT epoch_us(CAST(cohort AS TIMESTAMP)), (week - cohort) // 7 AS weeks, count(*)
		FROM active JOIN first USING (user_id) GROUP BY cohort, week`, func(rows *sql.Rows) error {
		var week, weeks, n int64
		if err := rows.Scan(&week, &weeks, &n); err != nil {
			return err
		}
		i, ok := index[week]
		if !ok || weeks >= int64(len((*cohorts)[i].Active)) {
			return nil
		}
		(*cohorts)[i].Active[weeks] = n
		if weeks == 0 {
			(*cohorts)[i].Users = n
		}
		return nil
	})
}

// mondayOf returns the Monday of a date's week.
func mondayOf(date time.Time) time.Time {
	return date.AddDate(0, 0, -(int(date.Weekday())+6)%7)
}
