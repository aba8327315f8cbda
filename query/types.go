package query

import (
	"context"
	"slices"
	"strings"

	"datasync/internal/human"
	"datasync/internal/inspect"
)

// mostTypes is the number of event types that a remark lists.
const mostTypes = 20

// remarkOn returns a message about event types that no event has, or "".
func remarkOn(ctx context.Context, session *inspect.Session, types []string) (string, error) {
	if len(types) == 0 {
		return "", nil
	}
	known, err := Texts(ctx, session, "SELECT DISTINCT type FROM events ORDER BY type", nil)
	if err != nil {
		return "", err
	}
	var unknown []string
	near := ""
	for _, name := range types {
		if slices.Contains(known, name) || slices.Contains(unknown, human.Shown(name)) {
			continue
		}
		unknown = append(unknown, human.Shown(name))
		if near == "" {
			near = human.DidYouMean(name, known)
		}
	}
	switch {
	case len(unknown) == 0:
		return "", nil
	case len(known) == 0:
		return "no events are stored", nil
	}
	rest := ""
	if len(known) > mostTypes {
		known, rest = known[:mostTypes], ", ..."
	}
	for i := range known {
		known[i] = human.Shown(known[i])
	}
	return "no event has the type " + strings.Join(unknown, " or ") + near + " (types: " + strings.Join(known, ", ") + rest + ")", nil
}
