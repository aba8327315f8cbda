package app

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"datasync/internal/inspect"
	"datasync/query"
)

// errUnsound: verify has found something.
var errUnsound = errors.New("the file does not agree with its own records")

func (p *program) verifyCommand() *cli.Command {
	return &cli.Command{
		Name: "verify", Usage: "check the file against its own records, and give its fingerprint",
		Flags:  []cli.Flag{&cli.BoolFlag{Name: "json", Usage: "as JSON"}},
		Action: p.verify,
	}
}

// verified is what verify says of a file.
type verified struct {
	Sound bool `json:"sound"`
	// Complete is that of the file's status: a file may be sound before it is complete.
	Complete    bool                `json:"complete"`
	Findings    []inspect.Finding   `json:"findings"`
	Fingerprint inspect.Fingerprint `json:"fingerprint"`
}

func (p *program) verify(c *cli.Context) error {
	v := verified{Findings: []inspect.Finding{}}
	err := p.reading(c, func(ctx context.Context, db *sql.DB) error {
		path := c.String("db")
		findings, err := inspect.Verify(ctx, db, path)
		if err != nil {
			return err
		}
		status, err := inspect.ReadStatus(ctx, db, path, time.Now())
		if err != nil {
			return err
		}
		v.Findings = append(v.Findings, findings...)
		v.Sound, v.Complete = len(findings) == 0, status.Complete
		v.Fingerprint, err = inspect.ReadFingerprint(ctx, db, path)
		return err
	})
	switch {
	case err != nil:
		return err
	case c.Bool("json"):
		err = writeJSON(p.stdout, v)
	default:
		err = v.write(p.stdout)
	}
	if err = orUnread(err); err == nil && !v.Sound {
		err = fmt.Errorf("%w: %s; keep a copy, then pull again into a new file", errUnsound, counted(int64(len(v.Findings)), "finding"))
	}
	return err
}

func (v *verified) write(w io.Writer) error {
	var b strings.Builder
	switch {
	case v.Sound && v.Complete:
		b.WriteString("sound: the file agrees with its own records\n")
	case v.Sound:
		b.WriteString("sound: what is stored agrees with its own records, but the pull is not complete\n")
	}
	for _, f := range v.Findings {
		_, _ = fmt.Fprintf(&b, "%s: %s\n", f.Check, query.Visible(f.Detail))
	}
	print := v.Fingerprint
	_, _ = fmt.Fprintf(&b, "fingerprint: %s", counted(print.Events, "event"))
	if print.Events > 0 {
		_, _ = fmt.Fprintf(&b, ", ids %s to %s, hash %s", print.MinID, print.MaxID, print.Hash)
	}
	_, err := io.WriteString(w, b.String()+"\n")
	return err
}
