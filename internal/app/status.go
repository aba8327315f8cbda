package app

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"syscall"
	"time"

	"datasync/internal/dbfile"
	"datasync/internal/inspect"
	"datasync/internal/live"
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
			&cli.BoolFlag{Name: "recover", Usage: "bring the write-ahead log that a killed process has left into the file first"},
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

// withFile opens what there is to read of the file and calls do with it until a signal comes.
func (p *program) withFile(c *cli.Context, do func(ctx context.Context, db *sql.DB) error) error {
	ctx, stop := untilSignal(c.Context)
	defer stop()
	var db *sql.DB
	from, err := p.openSource(ctx, c.String("db"), func(path string) (err error) {
		db, err = inspect.OpenReadOnly(ctx, path, "UTC")
		return err
	})
	if err == nil {
		err = errors.Join(do(ctx, db), db.Close())
		from.release()
	}
	return orStopped(ctx, err)
}

// seen is a status as it is shown.
type seen struct {
	inspect.Status
	pull    *running
	samples []inspect.RejectSample
	now     time.Time
}

func (p *program) status(c *cli.Context) error {
	if err := noArguments(c); err != nil {
		return err
	}
	maxAge := c.Duration("max-age")
	if c.IsSet("max-age") && maxAge <= 0 {
		return usage("--max-age %s is not more than 0s", maxAge)
	}
	ctx, stop := untilSignal(c.Context)
	defer stop()
	s, err := p.readStatus(ctx, c)
	switch {
	case err == nil:
		if !c.Bool("rejected") {
			s.samples = nil
		}
		err = orUnread(p.writeStatus(c.Bool("json"), s))
	case errors.Is(err, dbfile.ErrLocked) && s.LockHolder != nil:
		err = errors.Join(orUnread(p.writeHolder(c, s.LockHolder)), err)
	}
	switch {
	case err != nil || maxAge == 0:
		return orStopped(ctx, err)
	case s.CompletedAt == nil:
		return fmt.Errorf("%w: no pull has been complete yet", errTooOld)
	case s.now.Sub(*s.CompletedAt) > maxAge:
		return fmt.Errorf("%w: the last complete pull began %s ago, more than %s", errTooOld, s.now.Sub(*s.CompletedAt).Round(time.Millisecond), maxAge)
	case s.CompletedAt.Sub(s.now) > maxAge:
		// Or else it would be young for as long as the clock was set back.
		return fmt.Errorf("%w: by this machine's clock the last complete pull began %s in the future, so that its age is not known",
			errTooOld, s.CompletedAt.Sub(s.now).Round(time.Millisecond))
	}
	return nil
}

// readStatus asks the pull that is running, or reads the file.
func (p *program) readStatus(ctx context.Context, c *cli.Context) (s seen, err error) {
	name := c.String("db")
	path, exists, err := dbfile.Resolve(name)
	if err == nil && c.Bool("recover") {
		err = p.recoverLog(ctx, name)
	}
	if err != nil {
		return s, err
	}
	for tries := 1; ; tries++ {
		itself := source{path: path}
		if exists {
			s, err = p.askStatus(ctx, path)
			if s.Path = name; !errors.Is(err, live.ErrNone) {
				return s, err
			}
			itself.unanswered = errors.Is(err, errUnanswered)
		}
		if s, err = readFile(ctx, name); tries == sourceTries || !itself.taken(err) {
			return s, err
		}
	}
}

// readFile reads the status of a file that no pull writes to. Of one that another program
// keeps to itself it says which one that is, and fails with dbfile.ErrLocked.
func readFile(ctx context.Context, name string) (s seen, err error) {
	s.now = time.Now()
	holder, err := dbfile.LockHolder(name)
	if err != nil {
		return s, err
	}
	defer func() { s.LockHolder = holder }()
	db, err := inspect.OpenReadOnly(ctx, name, "UTC")
	if err != nil {
		return s, err
	}
	if s.Status, err = inspect.ReadStatus(ctx, db, name, s.now); err == nil {
		s.samples, err = inspect.RejectSamples(ctx, db, rejectSamples)
	}
	return s, errors.Join(err, db.Close())
}

// recoverLog brings the write-ahead log that a killed process has left into the file.
func (p *program) recoverLog(ctx context.Context, name string) error {
	// What the database writes beside itself meanwhile is nobody else's to read.
	defer syscall.Umask(syscall.Umask(0o077))
	done, err := store.Recover(ctx, name)
	switch {
	case err != nil:
		return err
	case done.Log == 0:
		p.say("there is nothing to recover: the file has no write-ahead log")
	case done.Void:
		p.say(fmt.Sprintf("nothing was recovered: of the write-ahead log of %s nothing can be read, and the next pull replaces it", counted(done.Log, "byte")))
	default:
		p.say(fmt.Sprintf("recovered: a write-ahead log of %s was brought into the file", counted(done.Log, "byte")))
	}
	return nil
}

func (p *program) writeStatus(asJSON bool, s seen) error {
	if !asJSON {
		return writeStatus(p.stdout, s)
	}
	return writeJSON(p.stdout, struct {
		inspect.Status
		Pull    *pullStatus            `json:"pull"`
		Samples []inspect.RejectSample `json:"rejected_samples,omitempty"`
	}{s.Status, s.pull.status(s.now), s.samples})
}

// writeHolder says who keeps everyone else out of the file, which is all that can be
// said of it then.
func (p *program) writeHolder(c *cli.Context, holder *dbfile.Holder) error {
	if c.Bool("json") {
		return writeJSON(p.stdout, struct {
			Path       string         `json:"path"`
			LockHolder *dbfile.Holder `json:"lock_holder"`
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
