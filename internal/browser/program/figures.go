package program

import (
	"slices"
	"strings"
	"testing"

	"datasync/internal/browser"
)

// figures are tables of a page: how many of their columns are compared, and the SQL of these, on the events e.
var figures = map[string]struct {
	columns int
	sql     string
}{
	"days":    {2, "SELECT strftime(any_value(timestamp::DATE), '%a %-d %b %Y'), count(*)::VARCHAR" + byDay},
	"users":   {2, "SELECT strftime(any_value(timestamp::DATE), '%a %-d %b %Y'), count(DISTINCT user_id)::VARCHAR" + byDay},
	"pages":   {2, "SELECT coalesce(properties ->> 'page', '(none)') AS page, count(*)::VARCHAR FROM e GROUP BY page ORDER BY count(*) DESC, page"},
	"devices": {3, "SELECT device_type, browser, count(*)::VARCHAR FROM e GROUP BY ALL ORDER BY count(*) DESC, device_type, browser"},
	"funnel": {2, `SELECT 'page_view', count(DISTINCT session_id)::VARCHAR FROM e WHERE type = 'page_view'
		UNION ALL SELECT 'click', count(DISTINCT session_id)::VARCHAR FROM e AS a JOIN e AS b USING (session_id) WHERE a.type = 'page_view' AND b.type = 'click' AND b.timestamp > a.timestamp
		UNION ALL SELECT 'form_submit', count(DISTINCT session_id)::VARCHAR FROM e AS a JOIN e AS b USING (session_id) JOIN e AS c USING (session_id)
			WHERE a.type = 'page_view' AND b.type = 'click' AND c.type = 'form_submit' AND b.timestamp > a.timestamp AND c.timestamp > b.timestamp
		UNION ALL SELECT 'purchase', count(DISTINCT session_id)::VARCHAR FROM e AS a JOIN e AS b USING (session_id) JOIN e AS c USING (session_id) JOIN e AS d USING (session_id)
			WHERE a.type = 'page_view' AND b.type = 'click' AND c.type = 'form_submit' AND d.type = 'purchase' AND b.timestamp > a.timestamp AND c.timestamp > b.timestamp AND d.timestamp > c.timestamp`},
}

const byDay = " FROM e GROUP BY timestamp::DATE ORDER BY timestamp::DATE"

// Figures compares tables of a page with SQL. The page shows the events for which a condition is true; ask returns the
// rows of a statement.
func Figures(t testing.TB, p *browser.Page, ask func(statement string) [][]string, where string, tables ...string) {
	t.Helper()
	for _, name := range tables {
		want := ask("WITH e AS (SELECT * FROM events WHERE " + where + ") " + figures[name].sql)
		shown := slices.DeleteFunc(p.Table(t, name), func(row []string) bool { return row[1] == "–" || row[1] == "0" }) // no event: no row of SQL
		if len(shown) != len(want) || len(want) == 0 {
			t.Errorf("%s: %d rows, and %d by SQL", name, len(shown), len(want))
			continue
		}
		for i, row := range shown {
			row[0] = strings.TrimSuffix(row[0], " *") // not whole
			if row = row[:figures[name].columns]; !slices.Equal(row, want[i]) {
				t.Errorf("%s, row %d: %q, and by SQL %q", name, i, row, want[i])
			}
		}
	}
}
