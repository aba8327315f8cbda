package query

import (
	"context"
	"slices"
	"strings"
	"time"

	"datasync/internal/human"
	"datasync/internal/inspect"
)

// mostTypes is the number of event types that a remark lists.
const mostTypes = 20

// remarkOn returns a message about event types that no event has, or "".
func remarkOn(ctx context.Context, session *inspect.Session, opts Options) (string, error) {
	if remark, err := remarkOnRange(ctx, session, opts); err != nil || remark != "" {
		return remark, err
	}
	types := opts.Types
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

// remarkOnRange returns a message if the range has no event, otherwise "".
func remarkOnRange(ctx context.Context, session *inspect.Session, opts Options) (string, error) {
	if opts.Since == "" || opts.Until == "" {
		return "", nil
	}
	found, err := Texts(ctx, session, `SELECT CASE
			WHEN NOT EXISTS (FROM events) THEN 'none'
			WHEN EXISTS (FROM events WHERE "timestamp" >= CAST($since AS TIMESTAMPTZ) AND "timestamp" < CAST($until AS TIMESTAMPTZ)) THEN 'some'
			ELSE '' END`, map[string]string{"since": opts.Since, "until": opts.Until})
	switch {
	case err != nil || len(found) == 0 || found[0] == "some":
		return "", err
	case found[0] == "none":
		return "no events are stored", nil
	}
	since, until := opts.instant(opts.Since), opts.instant(opts.Until)
	switch {
	case opts.Since == "-infinity":
		return "no events before " + until, nil
	case opts.Until == "infinity":
		return "no events since " + since, nil
	}
	return "no events between " + since + " and " + until, nil
}

// instant returns an instant of a named query as messages show it, in the zone of the options.
func (o *Options) instant(text string) string {
	t, err := time.Parse(time.RFC3339Nano, text)
	if err != nil {
		return text
	}
	return t.In(o.Location).Format(time.RFC3339Nano)
}
