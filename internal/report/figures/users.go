package figures

import (
	"database/sql"
)

// Users are figures of active users. A user is active in a span with any event in it; events without
// a user_id belong to no user.
type Users struct {
	// Count is the number of users of the period.
	Count int64
	// ByDay are the active users of each day of the period.
	ByDay []int64
	// Anonymous is the number of events without a user_id.
	Anonymous int64
}

// users reads the figures of users.
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
	return r.each(`SELECT epoch_us(CAST(day AS TIMESTAMP)), count(DISTINCT user_id)
		FROM (SELECT `+bucketOf+` AS bucket, user_id FROM events `+r.where()+`) JOIN temp.datasync_buckets USING (bucket) GROUP BY day`, func(rows *sql.Rows) error {
		var day, n int64
		err := rows.Scan(&day, &n)
		if i, ok := days[day]; ok {
			u.ByDay[i] = n
		}
		return err
	})
}
