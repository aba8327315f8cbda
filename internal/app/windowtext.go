package app

import (
	"fmt"
	"strings"
	"time"

	"datasync/internal/inspect"
	"datasync/internal/model"
	"datasync/internal/term"
)

// windowGroup is a window with its shards taken together.
type windowGroup struct {
	inspect.WindowStatus
	parts, done int
}

// groupWindows takes each window and its shards, which follow it, together.
func groupWindows(windows []inspect.WindowStatus) (groups []windowGroup) {
	for i, next := 0, 0; i < len(windows); i = next {
		next = i + 1
		for next < len(windows) && windows[next].PartOf != nil {
			next++
		}
		groups = append(groups, groupOf(windows[i:next]))
	}
	return groups
}

func groupOf(all []inspect.WindowStatus) windowGroup {
	g := windowGroup{WindowStatus: all[0], parts: len(all)}
	g.Pages, g.Events, g.Lower = 0, 0, all[len(all)-1].Lower
	for _, part := range all {
		g.Pages += part.Pages
		g.Events += part.Events
		g.Unordered = g.Unordered || part.Unordered
		if part.State == model.Done {
			g.done++
		}
	}
	if g.parts > 1 {
		g.Last, g.CursorAlive = nil, nil
	}
	if g.done > 0 && g.done < g.parts {
		g.State = model.UnderWay
	}
	return g
}

// String describes the window in a line.
func (g windowGroup) String() string {
	parts := ""
	if g.parts > 1 {
		parts = fmt.Sprintf(" in %d parts", g.parts)
	}
	if g.done > 0 && g.done < g.parts {
		parts += fmt.Sprintf(", %d of them done", g.done)
	}
	lower := "the end"
	if g.Lower != nil {
		lower = g.Lower.Format(time.RFC3339)
	}
	text := fmt.Sprintf("%d %s%s, down to %s: %s in %s of the page log", g.Window, strings.ReplaceAll(string(g.State), "_", " "), parts, lower,
		term.Counted(g.Events, "event"), term.Counted(g.Pages, "row"))
	if g.Last != nil && g.State != model.Done {
		text += ", at " + g.Last.Format(time.RFC3339Nano)
	}
	switch {
	case g.CursorAlive == nil:
	case *g.CursorAlive:
		text += ", its cursor is valid"
	default:
		text += ", its cursor has expired"
	}
	if g.Unordered {
		text += ", out of order"
	}
	return text
}
