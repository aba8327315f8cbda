package app

import (
	"fmt"
	"strings"
	"time"

	"datasync/internal/inspect"
	"datasync/internal/model"
	"datasync/internal/term"

	"github.com/jedib0t/go-pretty/v6/text"
)

// maxDoneWindows is the number of finished windows that a status shows.
const maxDoneWindows = 5

// writeWindows writes all windows that are not done and the newest that are.
func (t *statusText) writeWindows(windows []inspect.WindowStatus) {
	shown, left := 0, 0
	for _, w := range groupWindows(windows) {
		if w.State == model.Done {
			if shown++; shown > maxDoneWindows {
				left++
				continue
			}
		}
		t.line("window", "%s", w)
	}
	if left > 0 {
		t.line("", "and %s, all done", counted(int64(left), "older one", "older ones"))
	}
}

// writeRuns writes how the last runs ended, the newest first.
func (t *statusText) writeRuns(runs []inspect.RunStatus) {
	if len(runs) == 0 {
		return
	}
	rows := [][]string{{"Run", "Took", "Outcome", "Stored", "Why"}}
	for _, r := range runs {
		took, stored, why := "", "", ""
		if r.Ended != nil && !r.Ended.Before(r.Began) {
			took = term.Duration(r.Ended.Sub(r.Began))
		}
		if r.Stored != nil {
			stored = term.Thousands(*r.Stored)
		}
		if r.Reason != nil {
			why = term.Visible(*r.Reason)
		}
		rows = append(rows, []string{r.Began.UTC().Format(time.RFC3339), took, r.Outcome, stored, why})
	}
	_, _ = fmt.Fprintln(t)
	t.writeTable(rows, map[int]bool{1: true, 3: true})
}

// writeTable writes rows below their heads; some columns are aligned right. The last column is wrapped
// at words. On a terminal that is too narrow for the others, each row is a wrapped line.
func (t *statusText) writeTable(rows [][]string, right map[int]bool) {
	const least = 24 // columns for the last one
	last := len(rows[0]) - 1
	widths := make([]int, last)
	lead := 0
	for i := range widths {
		for _, row := range rows {
			widths[i] = max(widths[i], text.StringWidth(row[i]))
		}
		lead += widths[i] + 2
	}
	width := t.width
	if width == 0 {
		width = 1 << 20
	}
	for n, row := range rows {
		if lead+least > width {
			if n > 0 {
				var cells []string
				for i, cell := range row {
					if cell != "" {
						cells = append(cells, strings.ToLower(rows[0][i])+" "+cell)
					}
				}
				_, _ = fmt.Fprintln(t, term.Wrap(strings.Join(cells, ", "), t.width, 4))
			}
			continue
		}
		line := ""
		for i, cell := range row[:last] {
			align := text.AlignLeft
			if right[i] {
				align = text.AlignRight
			}
			line += align.Apply(cell, widths[i]) + "  "
		}
		if row[last] == "" {
			_, _ = fmt.Fprintln(t, strings.TrimRight(line, " "))
			continue
		}
		writeWrapped(&t.Builder, width, line, strings.Repeat(" ", lead), row[last])
	}
}
