package figures

import (
	"fmt"
	"strings"
)

// Funnel says how many sessions went through Steps in order.
type Funnel struct {
	// Reached are the numbers of sessions that reached each step: by an event of its type after
	// the one that reached the step before.
	Reached []int64
}

// funnel reads how far the sessions went. The earliest event that reaches a step leaves the most time
// for the steps that follow, so a session needs one instant a step.
func (r *reader) funnel(f *Figures) error {
	f.Funnel.Reached = make([]int64, len(Steps))
	var with, counts strings.Builder
	for i, step := range Steps {
		name := "'" + strings.ReplaceAll(step, "'", "''") + "'"
		if i == 0 {
			_, _ = fmt.Fprintf(&with, `WITH s0 AS (SELECT session_id, min("timestamp") AS reached FROM events %s AND type = %s GROUP BY session_id)`, r.where(), name)
			counts.WriteString("SELECT 0, count(*) FROM s0")
			continue
		}
		_, _ = fmt.Fprintf(&with, `, s%d AS MATERIALIZED (SELECT session_id, min("timestamp") AS reached FROM events JOIN s%d USING (session_id) %s AND type = %s AND "timestamp" > reached GROUP BY session_id)`,
			i, i-1, r.where(), name)
		_, _ = fmt.Fprintf(&counts, " UNION ALL SELECT %d, count(*) FROM s%d", i, i)
	}
	return r.tally(with.String()+" "+counts.String(), f.Funnel.Reached)
}
