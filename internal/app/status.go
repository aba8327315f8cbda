package app

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
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
			&cli.DurationFlag{Name: "max-age", Usage: "end with code 1 where the last complete pull began longer ago", DefaultText: "none"},
		},
		Action: p.status,
	}
}

// reading is withFile for a command that takes no arguments.
func (p *program) reading(c *cli.Context, do func(ctx context.Context, db *sql.DB) error) error {
	if err := noArguments(c); err != nil {
		return err
	}
	return p.withFile(c, do)
}

// withFile opens the file and calls do with it until a signal comes.
func (p *program) withFile(c *cli.Context, do func(ctx context.Context, db *sql.DB) error) error {
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
