package app

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"strings"
	"time"

	"datasync/internal/inspect"
	"datasync/internal/model"
	"datasync/internal/term"

	"github.com/urfave/cli/v2"
)

// errUnsound: verify has findings.
var errUnsound = model.NewFailure(model.ExitData, "unsound", "the file does not agree with its own records")

func verifyCommand(t term.IO) *cli.Command {
	return &cli.Command{
		Name: "verify", Usage: "check the file against its own records; show its fingerprint",
		Flags: []cli.Flag{&cli.BoolFlag{Name: "json", Usage: "print JSON"}},
		Action: func(c *cli.Context) error {
			if err := noArguments(c); err != nil {
				return err
			}
			v, err := verify(c.Context, t, c.String("db"))
			switch {
			case err != nil:
				return err
			case c.Bool("json"):
				err = writeJSON(t.Stdout, v)
			default:
				_, err = io.WriteString(t.Stdout, v.text(t.Style(t.Stdout), t.Width()))
			}
			if err = unlessUnread(err); err == nil && !v.Sound {
				err = fmt.Errorf("%w: %s; keep a copy, then pull again into a new file", errUnsound, term.Counted(int64(len(v.Findings)), "finding"))
			}
			return err
		},
	}
}

// verified is the result of verify, and its JSON.
type verified struct {
	Sound bool `json:"sound"`
	// Complete is that of the status: a file may be sound and not complete.
	Complete    bool                `json:"complete"`
	Findings    []inspect.Finding   `json:"findings"`
	Fingerprint inspect.Fingerprint `json:"fingerprint"`
}

func verify(ctx context.Context, t term.IO, database string) (verified, error) {
	v := verified{Findings: []inspect.Finding{}}
	err := withFile(ctx, t, database, func(ctx context.Context, db *sql.DB) error {
		findings, err := inspect.Verify(ctx, db, database)
		if err != nil {
			return err
		}
		status, err := inspect.ReadStatus(ctx, db, database, time.Now())
		if err != nil {
			return err
		}
		v.Findings = append(v.Findings, findings...)
		v.Sound, v.Complete = len(findings) == 0, status.Complete
		v.Fingerprint, err = inspect.ReadFingerprint(ctx, db, database)
		return err
	})
	return v, err
}

// text returns the result for a person, on a terminal of this width; 0 is no limit.
func (v verified) text(style term.Style, width int) string {
	var b strings.Builder
	switch {
	case v.Sound && v.Complete:
		b.WriteString(style.Good("sound") + ": the file agrees with its own records\n")
	case v.Sound:
		b.WriteString(style.Good("sound") + ": the file agrees with its own records, but the pull is " + style.Caution("not complete") + "\n")
	}
	for _, f := range v.Findings {
		_, _ = fmt.Fprintf(&b, "%s: %s\n", style.Bad(f.Check), term.Visible(f.Detail))
	}
	print := v.Fingerprint
	_, _ = fmt.Fprintf(&b, "fingerprint: %s", term.Counted(print.Events, "event"))
	if print.Events > 0 {
		_, _ = fmt.Fprintf(&b, ", ids %s to %s, hash %s", print.MinID, print.MaxID, print.Hash)
	}
	var wrapped strings.Builder
	for line := range strings.Lines(b.String()) {
		_, _ = fmt.Fprintln(&wrapped, term.Wrap(strings.TrimSuffix(line, "\n"), width, 2))
	}
	return wrapped.String()
}
