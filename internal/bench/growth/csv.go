package growth

import (
	"encoding/csv"
	"fmt"
	"io"
	"time"
)

// WriteCSV writes the steps of some series, a row each.
func WriteCSV(w io.Writer, names []string, steps [][]Step) error {
	out := csv.NewWriter(w)
	rows := [][]string{{"pull", "stored", "events_per_s", "rss_bytes", "commit_median_ms", "commit_longest_ms", "file_bytes"}}
	for i, name := range names {
		for _, s := range steps[i] {
			rows = append(rows, []string{name, fmt.Sprint(s.Stored), fmt.Sprintf("%.0f", s.Rate), fmt.Sprint(s.RSS),
				fmt.Sprintf("%.1f", milliseconds(s.Median)), fmt.Sprintf("%.1f", milliseconds(s.Longest)), fmt.Sprint(s.FileSize)})
		}
	}
	return out.WriteAll(rows)
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
