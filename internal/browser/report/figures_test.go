package report

import (
	"path/filepath"
	"testing"

	"datasync/internal/browser"
	"datasync/internal/browser/program"
)

func TestMain(m *testing.M) { program.Main(m) }

// TestReport: the figures of a report's tables are those of SQL, with scripts off, for the whole file and for a part
// of it in another time zone.
func TestReport(t *testing.T) {
	b, folder := browser.Start(t), t.TempDir()
	program.Run(t, folder, "pull", "--demo", "--demo-events", "20000", "--quiet")
	for _, tc := range []struct {
		name, zone, where string
		args              []string
	}{
		{"whole", "UTC", "true", nil},
		{"part", "America/New_York", "timestamp >= '2026-01-12' AND timestamp < '2026-01-21'", []string{"--since", "2026-01-12", "--until", "2026-01-21"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			file := filepath.Join(folder, tc.name+".html")
			program.Run(t, folder, append([]string{"report", "-q", "-o", file, "--timezone", tc.zone}, tc.args...)...)
			p := b.Open(t, browser.FileURL(t, file), browser.Look{Width: 1280, NoScripts: true})
			p.Clean(t)
			ask := func(statement string) [][]string { return program.SQL(t, folder, tc.zone, statement) }
			program.Figures(t, p, ask, tc.where, "days", "users", "pages", "devices", "funnel")
		})
	}
}
