package figures

import (
	"database/sql"
	"time"
)

// Users are figures of active users. A user is active in a span with any event in it; events without
// a user_id belong to no user.
type Users struct {
	// Count is the number of users of the period.
	Count int64
	// ByDay are the active users of each day of the period.
	ByDay []int64
	// Compared are the active users in the two spans of Period.Comparison.
	Compared [2]int64
	// Anonymous is the number of events without a user_id.
	Anonymous int64
}

// compared is the largest number of days that are compared with those before them.
const compared = 7

// Comparison returns the last full days of the period and as many full days before them: seven,
// or half of the full days in a row at the period's end if there are fewer. Both are empty if
// there are not two.
func (p *Period) Comparison() (before, now []Day) {
	end := len(p.Days)
	for end > 0 && !p.Days[end-1].Whole {
		end--
	}
	start := end
	for start > 0 && p.Days[start-1].Whole {
		start--
	}
	n := min(compared, (end-start)/2)
	return p.Days[end-2*n : end-n], p.Days[end-n : end]
}

func (r *reader) users(f *Figures) error {
	u := &f.Users
	u.ByDay = make([]int64, len(f.Period.Days))
	days := map[int64]int{}
	for i, d := range f.Period.Days {
		days[d.Date.UnixMicro()] = i
	}
	if err := r.one(`SELECT count(DISTINCT user_id), count(*) FILTER (user_id IS NULL) FROM events `+r.where(), &u.Count, &u.Anonymous); err != nil {
		return err
	}
	err := r.each(`SELECT epoch_us(CAST(day AS TIMESTAMP)), count(DISTINCT user_id)
		FROM (SELECT `+bucketOf+` AS bucket, user_id FROM events `+r.where()+`) JOIN temp.datasync_buckets USING (bucket) GROUP BY day`, func(rows *sql.Rows) error {
		var day, n int64
		err := rows.Scan(&day, &n)
		if i, ok := days[day]; ok {
			u.ByDay[i] = n
		}
		return err
	})
	if err != nil {
		return err
	}
	before, now := f.Period.Comparison()
	for i, s := range []span{spanOf(before), spanOf(now)} {
		if s.to.After(s.from) {
			if err := r.conn.QueryRowContext(r.ctx, `SELECT count(DISTINCT user_id) FROM events WHERE "timestamp" >= ? AND "timestamp" < ?`, s.from, s.to).Scan(&u.Compared[i]); err != nil {
				return err
			}
		}
	}
	return nil
}

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

func (r *reader) retention(f *Figures) error {
	if f.Period.First.IsZero() {
		return nil
	}
	index := map[int64]int{}
	cohorts := &f.Retention.Cohorts
	days := f.Period.Days
	last := mondayOf(days[len(days)-1].Date)
	for week := mondayOf(days[0].Date); !week.After(last); week = week.AddDate(0, 0, 7) {
		if int(last.Sub(week).Hours())/(7*24) >= maxWeeks {
			continue
		}
		index[week.UnixMicro()] = len(*cohorts)
		weeks := int(last.Sub(week).Hours())/(7*24) + 1
		*cohorts = append(*cohorts, Cohort{Week: week, Active: make([]int64, weeks), Open: r.open(days)})
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

// open reports whether the week of the last day is not over: its Sunday is not one of the full days.
func (r *reader) open(days []Day) bool {
	last := days[len(days)-1]
	return !last.Whole || last.Date.Weekday() != time.Sunday
}

// mondayOf returns the Monday of a date's week.
func mondayOf(date time.Time) time.Time {
	return date.AddDate(0, 0, -(int(date.Weekday())+6)%7)
}
