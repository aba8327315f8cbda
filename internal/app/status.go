package app

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"datasync/internal/store"
	"datasync/query"

	"github.com/urfave/cli/v2"
)

// rejectSamples is how many rejects of each reason status --rejected shows.
const rejectSamples = 3

// errTooOld: the data are older than status --max-age allows.
var errTooOld = errors.New("the data are too old")

func (p *program) statusCommand() *cli.Command {
	return &cli.Command{
		Name: "status", Usage: "say what the file holds and where the pull stands",
		Flags: []cli.Flag{
			&cli.BoolFlag{Name: "json", Usage: "as JSON"},
			&cli.BoolFlag{Name: "rejected", Usage: "show samples of what was rejected"},
			&cli.DurationFlag{Name: "max-age", Usage: "end with code 1 where the last complete pull began longer ago"},
		},
		Action: p.status,
	}
}

func (p *program) verifyCommand() *cli.Command {
	return &cli.Command{
		Name: "verify", Usage: "check the file against its own records, and give its fingerprint",
		Flags:  []cli.Flag{&cli.BoolFlag{Name: "json", Usage: "as JSON"}},
		Action: p.verify,
	}
}

// reading opens the file and calls do with it until a signal comes.
func (p *program) reading(c *cli.Context, do func(ctx context.Context, db *sql.DB) error) error {
	if err := noArguments(c); err != nil {
		return err
	}
	ctx, stop := untilSignal(c.Context)
	defer stop()
	db, err := store.OpenReadOnly(ctx, c.String("db"), "UTC")
	if err == nil {
		err = errors.Join(do(ctx, db), db.Close())
	}
	var stopped signalled
	if errors.As(context.Cause(ctx), &stopped) && err != nil {
		return stopped
	}
	return err
}

func (p *program) status(c *cli.Context) error {
	maxAge := c.Duration("max-age")
	if c.IsSet("max-age") && maxAge <= 0 {
		return usage("--max-age %s is not more than 0s", maxAge)
	}
	holder, err := store.LockHolder(c.String("db"))
	if err != nil {
		return err
	}
	now := time.Now()
	var s store.Status
	var samples []store.RejectSample
	err = p.reading(c, func(ctx context.Context, db *sql.DB) (err error) {
		if s, err = store.ReadStatus(ctx, db, c.String("db"), now); err == nil && c.Bool("rejected") {
			samples, err = store.RejectSamples(ctx, db, rejectSamples)
		}
		return err
	})
	if errors.Is(err, store.ErrLocked) && holder != nil {
		return errors.Join(p.writeHolder(c, holder), err)
	}
	if err != nil {
		return err
	}
	s.LockHolder = holder
	if c.Bool("json") {
		err = writeJSON(p.stdout, struct {
			store.Status
			Samples []store.RejectSample `json:"rejected_samples,omitempty"`
		}{s, samples})
	} else {
		err = writeStatus(p.stdout, s, samples, now)
	}
	if err != nil || maxAge == 0 {
		return err
	}
	switch {
	case s.CompletedAt == nil:
		return fmt.Errorf("%w: no pull has been complete yet", errTooOld)
	case now.Sub(*s.CompletedAt) > maxAge:
		return fmt.Errorf("%w: the last complete pull began %s ago, more than %s", errTooOld, now.Sub(*s.CompletedAt).Round(time.Millisecond), maxAge)
	}
	return nil
}

// writeHolder says who keeps everyone else out of the file, which is all that can be
// said of it then.
func (p *program) writeHolder(c *cli.Context, holder *store.Holder) error {
	if c.Bool("json") {
		return writeJSON(p.stdout, struct {
			Path       string        `json:"path"`
			LockHolder *store.Holder `json:"lock_holder"`
		}{c.String("db"), holder})
	}
	_, err := fmt.Fprintf(p.stdout, "%-12s%s\n%-12s%s\n", "file", query.Visible(c.String("db")), "open", query.Visible(holder.String()))
	return err
}

func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	e.SetEscapeHTML(false)
	return e.Encode(v)
}

func writeStatus(w io.Writer, s store.Status, samples []store.RejectSample, now time.Time) error {
	var b strings.Builder
	line := func(name, format string, args ...any) {
		_, _ = fmt.Fprintf(&b, "%-12s%s\n", name, query.Visible(fmt.Sprintf(format, args...)))
	}
	line("file", "%s, %s bytes, of %s", s.Path, thousands(s.Bytes), s.Origin)
	if s.LockHolder != nil {
		line("open", "%s", s.LockHolder)
	}
	line("complete", "%s", completeness(s))
	line("events", "%s%s", thousands(s.Events), span(s.Oldest, s.Newest))
	line("duplicates", "%s (%s with other contents)", thousands(s.Duplicates), thousands(s.Conflicts))
	var rejected int64
	for _, n := range s.Rejected {
		rejected += n
	}
	line("rejected", "%s%s, %s resolved", thousands(rejected), reasons(s.Rejected), thousands(s.Resolved))
	switch {
	case s.Total == nil:
		line("the API has", "unknown")
	case s.Missing == nil:
		line("the API has", "%s", thousands(*s.Total))
	default:
		line("the API has", "%s as of the newest window, %s missing here", thousands(*s.Total), thousands(*s.Missing))
	}
	for _, k := range s.Windows {
		lower := "the end"
		if k.Lower != nil {
			lower = k.Lower.Format(time.RFC3339)
		}
		text := fmt.Sprintf("%d %s, down to %s: %s events on %s pages", k.Window, strings.ReplaceAll(string(k.State), "_", " "), lower, thousands(k.Events), thousands(k.Pages))
		if k.Last != nil && k.State != store.Done {
			text += ", at " + k.Last.Format(time.RFC3339Nano)
		}
		if k.CursorAlive != nil {
			text += map[bool]string{true: ", its cursor is alive", false: ", its cursor has died"}[*k.CursorAlive]
		}
		if k.Unordered {
			text += ", out of order"
		}
		line("window", "%s", text)
	}
	for _, r := range s.Runs {
		stored := ""
		if r.Stored != nil {
			stored = fmt.Sprintf(", %s stored", thousands(*r.Stored))
		}
		line("run", "%s: %s%s", r.Began.UTC().Format(time.RFC3339), r.Outcome, stored)
	}
	for _, endpoint := range slices.Sorted(maps.Keys(s.NotBefore)) {
		line("not before", "%s: %s, in %s", endpoint, s.NotBefore[endpoint].UTC().Format(time.RFC3339), s.NotBefore[endpoint].Sub(now).Round(time.Second))
	}
	for _, sample := range samples {
		line("reject", "%s: %.200s", sample.Reason, sample.Raw)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func completeness(s store.Status) string {
	switch {
	case !s.Complete:
		return "no; run datasync pull"
	case s.From != nil:
		return "yes, from " + s.From.Format(time.RFC3339Nano) + " on"
	}
	return "yes"
}

func span(from, to *time.Time) string {
	if from == nil || to == nil {
		return ""
	}
	return fmt.Sprintf(", from %s to %s", from.Format(time.RFC3339Nano), to.Format(time.RFC3339Nano))
}

func writeFindings(w io.Writer, findings []store.Finding, print store.Fingerprint) error {
	var b strings.Builder
	if len(findings) == 0 {
		b.WriteString("sound: the file agrees with its own records\n")
	}
	for _, f := range findings {
		_, _ = fmt.Fprintf(&b, "%s: %s\n", f.Check, query.Visible(f.Detail))
	}
	_, _ = fmt.Fprintf(&b, "fingerprint: %d events, ids %s to %s, hash %s\n", print.Events, print.MinID, print.MaxID, print.Hash)
	_, err := io.WriteString(w, b.String())
	return err
}

// errUnsound: verify has found something.
var errUnsound = errors.New("the file does not agree with its own records")

func (p *program) verify(c *cli.Context) error {
	return p.reading(c, func(ctx context.Context, db *sql.DB) error {
		findings, err := store.Verify(ctx, db, c.String("db"))
		if err != nil {
			return err
		}
		print, err := store.ReadFingerprint(ctx, db)
		if err != nil {
			return err
		}
		if c.Bool("json") {
			err = writeJSON(p.stdout, struct {
				Sound       bool              `json:"sound"`
				Findings    []store.Finding   `json:"findings"`
				Fingerprint store.Fingerprint `json:"fingerprint"`
			}{len(findings) == 0, append([]store.Finding{}, findings...), print})
		} else {
			err = writeFindings(p.stdout, findings, print)
		}
		if err == nil && len(findings) > 0 {
			err = fmt.Errorf("%w: %d findings; keep a copy, then pull again into a new file", errUnsound, len(findings))
		}
		return err
	})
}
