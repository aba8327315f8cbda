package program

import (
	"bytes"
	"encoding/csv"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"datasync/internal/browser"
)

// ask returns the rows of a query by the program, as text.
func ask(t *testing.T, program, folder, zone, sql string) [][]string {
	t.Helper()
	c := exec.CommandContext(t.Context(), program, "query", "--format", "csv", "--timezone", zone, sql)
	c.Dir = folder
	out, err := c.Output()
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	rows, err := csv.NewReader(bytes.NewReader(out)).ReadAll()
	if err != nil || len(rows) == 0 {
		t.Fatalf("%s: %v: %.200s", sql, err, out)
	}
	return rows[1:]
}

// TestReport: the figures of a report's tables are those of SQL, with scripts off, for the whole file and for a part
// of it in another time zone.
func TestReport(t *testing.T) {
	b, program, folder := browser.Start(t), build(t), t.TempDir()
	run := func(args ...string) {
		t.Helper()
		c := exec.CommandContext(t.Context(), program, args...)
		c.Dir = folder
		if out, err := c.CombinedOutput(); err != nil {
			t.Fatalf("datasync %q: %v: %s", args, err, out)
		}
	}
	run("pull", "--demo", "--demo-events", "20000", "--quiet")
	for _, tc := range []struct {
		name, zone, where string
		args              []string
	}{
		{"whole", "UTC", "true", nil},
		{"part", "America/New_York", "timestamp >= '2026-01-12' AND timestamp < '2026-01-21'", []string{"--since", "2026-01-12", "--until", "2026-01-21"}},
	} {
		file := filepath.Join(folder, tc.name+".html")
		run(append([]string{"report", "-q", "-o", file, "--timezone", tc.zone}, tc.args...)...)
		p := b.Open(t, browser.FileURL(t, file), browser.Look{Width: 1280, NoScripts: true})
		clean(t, p)
		equal := func(what, section string, columns int, sql string) {
			t.Helper()
			want := ask(t, program, folder, tc.zone, "WITH e AS (SELECT * FROM events WHERE "+tc.where+") "+sql)
			got := table(t, p, section)
			if len(got) != len(want) || len(want) == 0 {
				t.Errorf("%s, %s: %d rows, and %d by SQL", tc.name, what, len(got), len(want))
				return
			}
			for i, row := range got {
				row[0] = strings.TrimSuffix(row[0], " *") // not whole
				if shown := strings.Join(row[:columns], "|"); shown != strings.Join(want[i], "|") {
					t.Errorf("%s, %s, row %d: %q, and by SQL %q", tc.name, what, i, shown, want[i])
				}
			}
		}
		const day = "SELECT strftime(any_value(timestamp::DATE), '%a %-d %b %Y'), "
		const byDay = " FROM e GROUP BY timestamp::DATE ORDER BY timestamp::DATE"
		equal("events of a day", "days", 2, day+"count(*)"+byDay)
		equal("users of a day", "users", 2, day+"count(DISTINCT user_id)"+byDay)
		equal("pages", "pages", 2, "SELECT coalesce(properties ->> 'page', '(none)') AS page, count(*) FROM e GROUP BY page ORDER BY count(*) DESC, page")
		equal("devices", "devices", 3, "SELECT device_type, browser, count(*) FROM e GROUP BY ALL ORDER BY count(*) DESC, device_type, browser")
		equal("funnel", "funnel", 2, `SELECT * FROM (SELECT 'page_view', count(DISTINCT session_id) FROM e WHERE type = 'page_view')
			UNION ALL SELECT 'click', count(DISTINCT session_id) FROM e AS a JOIN e AS b USING (session_id) WHERE a.type = 'page_view' AND b.type = 'click' AND b.timestamp > a.timestamp
			UNION ALL SELECT 'form_submit', count(DISTINCT session_id) FROM e AS a JOIN e AS b USING (session_id) JOIN e AS c USING (session_id)
				WHERE a.type = 'page_view' AND b.type = 'click' AND c.type = 'form_submit' AND b.timestamp > a.timestamp AND c.timestamp > b.timestamp
			UNION ALL SELECT 'purchase', count(DISTINCT session_id) FROM e AS a JOIN e AS b USING (session_id) JOIN e AS c USING (session_id) JOIN e AS d USING (session_id)
				WHERE a.type = 'page_view' AND b.type = 'click' AND c.type = 'form_submit' AND d.type = 'purchase' AND b.timestamp > a.timestamp AND c.timestamp > b.timestamp AND d.timestamp > c.timestamp`)
	}
}
