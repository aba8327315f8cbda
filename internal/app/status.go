package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"datasync/internal/dbfile"
	"datasync/internal/inspect"
	"datasync/internal/model"
	"datasync/internal/reader"
	"datasync/internal/store"
	"datasync/internal/term"

	"github.com/urfave/cli/v2"
)

// errTooOld: the last complete pull is older than status --max-age.
var errTooOld = model.NewFailure(model.ExitError, "too-old", "the data are too old")

// statusOptions are the command line of status.
type statusOptions struct {
	io       term.IO
	database string
	json     bool
	rejected bool
	recover  bool
	verbose  bool
	lake     *lakeStatus   // nil without --iceberg
	maxAge   time.Duration // 0 for no limit
}

func statusCommand(t term.IO, run func(context.Context, statusOptions) error) *cli.Command {
	return &cli.Command{
		Name: "status", Usage: "show the stored events, and how many are missing",
		Flags: append(lakeFlags("compare the Iceberg table `NAMESPACE.TABLE` with the file"),
			&cli.BoolFlag{Name: "verbose", Aliases: []string{"v"}, Usage: "also show windows and the last runs"},
			&cli.BoolFlag{Name: "json", Usage: "print JSON"},
			&cli.BoolFlag{Name: "rejected", Usage: "show samples of rejected elements"},
			&cli.BoolFlag{Name: "recover", Usage: "first replay the write-ahead log of a killed process into the file"},
			&cli.DurationFlag{Name: "max-age", Usage: "exit with 1 if the last complete pull began more than this `DURATION` ago, such as 24h", DefaultText: "none"},
		),
		Action: func(c *cli.Context) error {
			if err := noArguments(c); err != nil {
				return err
			}
			opts := statusOptions{
				io: t, database: c.String("db"), json: c.Bool("json"), rejected: c.Bool("rejected"), recover: c.Bool("recover"), verbose: c.Bool("verbose"),
				maxAge: c.Duration("max-age"),
			}
			if c.IsSet("iceberg") {
				var err error
				if opts.lake, err = readLakeStatus(t, c); err != nil {
					return err
				}
				return run(c.Context, opts)
			}
			if err := errors.Join(needs(c, "catalog", "iceberg"), needs(c, "endpoint", "iceberg")); err != nil {
				return err
			}
			if c.IsSet("max-age") && opts.maxAge <= 0 {
				return notMoreThanZero(c, "max-age", "24h")
			}
			return run(c.Context, opts)
		},
	}
}

// statusText returns an empty text for stdout, which may be a terminal.
func (o *statusOptions) statusText(now time.Time) *statusText {
	return &statusText{now: now, style: o.io.Style(o.io.Stdout), width: o.io.Width()}
}

// runStatus writes the status of the file, and checks its age.
func runStatus(ctx context.Context, opts statusOptions) error {
	if opts.lake != nil {
		return runLakeStatus(ctx, opts.lake)
	}
	ctx, stop := untilSignal(ctx)
	defer stop()
	v, err := readStatus(ctx, opts)
	switch {
	case err == nil:
		if !opts.rejected {
			v.samples = nil
		}
		err = unlessUnread(v.write(opts))
	case errors.Is(err, dbfile.ErrLocked) && v.LockHolder != nil:
		err = errors.Join(unlessUnread(writeHolder(opts, v.LockHolder)), err)
	}
	if err != nil || opts.maxAge == 0 {
		return orStopped(ctx, err)
	}
	return checkAge(v, opts.maxAge)
}

// checkAge fails with errTooOld if the last complete pull began more than maxAge ago.
func checkAge(v statusView, maxAge time.Duration) error {
	if v.CompletedAt == nil {
		return fmt.Errorf("%w: no pull has been complete yet", errTooOld)
	}
	age := v.now.Sub(*v.CompletedAt)
	switch {
	case age > maxAge:
		return fmt.Errorf("%w: the last complete pull began %s ago, more than %s", errTooOld, term.Duration(age), term.Duration(maxAge))
	case -age > maxAge:
		// Otherwise the data would look fresh until a clock that was set back catches up.
		return fmt.Errorf("%w: by this machine's clock the last complete pull began %s in the future, so its age is not known",
			errTooOld, term.Duration(-age))
	}
	return nil
}

// readStatus asks the running pull, or reads the file.
func readStatus(ctx context.Context, opts statusOptions) (v statusView, err error) {
	if _, _, err := dbfile.Resolve(opts.database); err != nil {
		return v, err
	}
	if opts.recover {
		if err := recoverLog(ctx, opts); err != nil {
			return v, err
		}
	}
	var answer liveStatus
	asked, err := reader.Status(ctx, opts.database, &answer, func() (err error) {
		v, err = readFile(ctx, opts.database)
		return err
	})
	if err != nil || !asked {
		return v, err
	}
	v = statusView{Status: answer.Status, samples: answer.Samples, pull: &answer.Pull, now: time.Now()}
	v.Path = opts.database
	v.LockHolder, err = dbfile.LockHolder(opts.database)
	return v, err
}

// readFile reads the status from the file. If another process has locked the file, it returns
// that process in LockHolder and fails with dbfile.ErrLocked.
func readFile(ctx context.Context, name string) (v statusView, err error) {
	v.now = time.Now()
	holder, err := dbfile.LockHolder(name)
	if err != nil {
		return v, err
	}
	defer func() { v.LockHolder = holder }()
	db, err := inspect.OpenReadOnly(ctx, name, "UTC")
	if err != nil {
		return v, err
	}
	if v.Status, err = inspect.ReadStatus(ctx, db, name, v.now); err == nil {
		v.samples, err = inspect.RejectSamples(ctx, db, rejectSamples)
	}
	return v, errors.Join(err, db.Close())
}

// recoverLog replays the write-ahead log of a killed process into the file.
func recoverLog(ctx context.Context, opts statusOptions) error {
	defer privateFiles()()
	done, err := store.Recover(ctx, opts.database)
	switch {
	case err != nil:
		return err
	case done.Log == 0:
		opts.io.Say("nothing to recover: the file has no write-ahead log")
	case done.Void:
		opts.io.Say(fmt.Sprintf("nothing was recovered: the write-ahead log of %s is not readable, and the next pull replaces it", term.Counted(done.Log, "byte")))
	default:
		opts.io.Say(fmt.Sprintf("recovered: the write-ahead log of %s was replayed into the file", term.Counted(done.Log, "byte")))
	}
	return nil
}

// write writes the status as JSON or for a person.
func (v statusView) write(opts statusOptions) error {
	if opts.json {
		return writeJSON(opts.io.Stdout, v.json())
	}
	_, err := io.WriteString(opts.io.Stdout, v.text(opts))
	return err
}

// writeHolder writes which process has locked the file. Nothing else is known then.
func writeHolder(opts statusOptions, holder *dbfile.Holder) error {
	if opts.json {
		return writeJSON(opts.io.Stdout, struct {
			Path       string         `json:"path"`
			LockHolder *dbfile.Holder `json:"lock_holder"`
		}{opts.database, holder})
	}
	f := opts.statusText(time.Now())
	f.line("open", "%s", term.Visible(holder.String()))
	f.line("file", "%s", term.Visible(opts.database))
	_, err := io.WriteString(opts.io.Stdout, f.String())
	return err
}
