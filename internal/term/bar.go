package term

import (
	"fmt"
	"strings"
	"time"

	"github.com/mattn/go-runewidth"
)

// Bar has the values of a progress bar at one moment. Each field has a fixed column on the line, so that none
// moves when another one changes. A narrow terminal shows fewer fields.
type Bar struct {
	// Done of Total are done; a Total of 0 means unknown.
	Done, Total int64
	// Pull adds fields for the numbers, for Doing and for Left.
	Pull bool
	// Doing describes the current activity, from the longest text to the shortest. The bar shows the first
	// one that fits its field, which is 24, 16 or 14 columns wide.
	Doing []string
	// Waiting says that Doing is a wait.
	Waiting bool
	// Left is the remaining time; 0 if it is not known.
	Left time.Duration
}

// layout has the widths of a bar's fields in columns; 0 omits a field. The bar itself takes the rest,
// which is at least leastBar.
type layout struct{ counts, doing, left, leastBar int }

const (
	percentWidth = 5  // " 31 %"
	widestBar    = 50 // with its brackets
)

// layouts returns the layouts to try, the widest first. They depend only on the total, which hardly changes.
func (b Bar) layouts() []layout {
	if !b.Pull {
		return []layout{{leastBar: 7}, {}}
	}
	counts := 2*len(Thousands(b.Total)) + len(" of ")
	if b.Total <= 0 {
		counts = len("1,000,000 events")
	}
	return []layout{
		{counts, 24, 11, 7}, {counts, 16, 11, 7}, {0, 16, 11, 7}, {0, 14, 11, 6}, {0, 14, 11, 0}, {0, 0, 11, 0}, {},
	}
}

// line returns the bar's line, which is narrower than columns: a terminal wraps a line that fills its last
// column.
func (b Bar) line(now time.Time, columns int, style Style) string {
	for _, l := range b.layouts() {
		free := columns - 1 - l.width()
		if free < l.leastBar || columns <= percentWidth {
			continue
		}
		parts := []string{b.percent()}
		if l.leastBar > 0 {
			parts = append(parts, " ["+style.Good(b.fill(now, min(free, widestBar)-2))+"]")
		}
		if l.counts > 0 {
			parts = append(parts, fmt.Sprintf("  %*s", l.counts, b.counts()))
		}
		if l.doing > 0 {
			parts = append(parts, " "+strings.Repeat(" ", min(1, l.counts))+b.doing(l.doing, style))
		}
		if l.left > 0 {
			parts = append(parts, fmt.Sprintf(" %*s", l.left, b.left()))
		}
		return strings.Join(parts, "")
	}
	return ""
}

// width returns the columns of the line without the bar.
func (l layout) width() int {
	width := percentWidth + min(1, l.leastBar)
	if l.counts > 0 {
		width += 2 + l.counts + 1
	}
	if l.doing > 0 {
		width += 1 + l.doing
	}
	if l.left > 0 {
		width += 1 + l.left
	}
	return width
}

func (b Bar) percent() string {
	if b.Total <= 0 {
		return strings.Repeat(" ", percentWidth)
	}
	return fmt.Sprintf("%3d %%", min(100, 100*b.Done/b.Total))
}

// fill returns the inner part of the bar. If the total is not known, an arrow moves through it.
func (b Bar) fill(now time.Time, width int) string {
	if b.Total <= 0 {
		const arrow = "<=>"
		at := int(now.UnixMilli()/barEvery.Milliseconds()) % (width - len(arrow) + 1)
		return strings.Repeat(" ", at) + arrow + strings.Repeat(" ", width-len(arrow)-at)
	}
	done := int(min(b.Done, b.Total) * int64(width) / b.Total)
	text := strings.Repeat("=", done)
	if done < width {
		text += ">"
	}
	return fmt.Sprintf("%-*s", width, text)
}

func (b Bar) counts() string {
	if b.Total <= 0 {
		return Counted(b.Done, "event")
	}
	return Thousands(b.Done) + " of " + Thousands(b.Total)
}

// doing returns the longest text that fits, padded. If none fits, it cuts the shortest.
func (b Bar) doing(width int, style Style) string {
	text := ""
	for _, text = range b.Doing {
		if text = Visible(text); runewidth.StringWidth(text) <= width {
			break
		}
	}
	text = runewidth.FillRight(runewidth.Truncate(text, width, "..."), width)
	if b.Waiting {
		return style.Caution(text)
	}
	return text
}

// left returns the remaining time, in at most 11 columns.
func (b Bar) left() string {
	switch left := b.Left; {
	case left <= 0:
		return ""
	case left < 100*time.Second:
		return fmt.Sprintf("%d s left", max(1, int(left.Round(time.Second).Seconds())))
	case left < 100*time.Minute:
		return fmt.Sprintf("%d min left", int(left.Round(time.Minute).Minutes()))
	case left < 100*time.Hour:
		return fmt.Sprintf("%d h left", int(left.Round(time.Hour).Hours()))
	default:
		return fmt.Sprintf("%d d left", min(9999, int(left.Hours()/24)))
	}
}
